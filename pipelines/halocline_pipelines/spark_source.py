"""A Spark data source that reads through the guard server: Spark gets rows, never a credential.

    spark.dataSource.register(Halocline)
    spark.read.format("halocline").options(
        url="grpc+tls://guard:8815", table="curated.documents", tokenfile="ana.jwt"
    ).load()

Options: `url`, `table`, `tokenfile` (read by each task, so every worker needs the file), and at
will `columns` (comma-separated), `where` (JSON: [[column, op, value], ...]), `limit`, `version`,
`purpose`, `tlsroot` (a file), `pushdown` (true: the guard filters by Spark's own conditions; needs
`spark.sql.python.filterPushdown.enabled`). A token is no option: Spark shows options in plans.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    EqualTo,
    Filter,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    InputPartition,
    IsNotNull,
    IsNull,
    LessThan,
    LessThanOrEqual,
)
from pyspark.sql.types import StructType

from halocline_governance.errors import Refused
from halocline_governance.guard.client import Client, connect
from halocline_governance.guard.condition import Condition
from halocline_governance.guard.descriptor import Descriptor, parse
from halocline_governance.principal import Purpose

if TYPE_CHECKING:
    import pyarrow as pa

_OPTIONS = ("url", "table", "tokenfile", "columns", "where", "limit", "version", "purpose")
_OPTIONAL = ("tlsroot", "pushdown")
_COMPARED: dict[type[Filter], str] = {
    EqualTo: "=",
    GreaterThan: ">",
    GreaterThanOrEqual: ">=",
    LessThan: "<",
    LessThanOrEqual: "<=",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A guard server, and where its caller's token lies."""

    url: str
    tokenfile: str
    tls_root: str | None

    def open(self) -> Client:
        """A client, of the token that the file holds now.

        Raises:
            Refused: the file cannot be read.
        """
        try:
            token = Path(self.tokenfile).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Refused(f"tokenfile cannot be read: {error.strerror}") from None
        return connect(self.url, token, self.tls_root)


class Halocline(DataSource):
    """`spark.read.format("halocline")`."""

    @classmethod
    def name(cls) -> str:
        return "halocline"

    def schema(self) -> StructType:
        """The columns that the caller may read.

        Raises:
            Denied: nothing of the table may be read.
        """
        from pyspark.sql.pandas.types import from_arrow_schema

        where, asked = _options(self.options)
        with where.open() as client:
            shown = client.describe(asked.table, asked.purpose or Purpose.ANALYSIS)
        if asked.columns is not None:
            if unknown := set(asked.columns) - set(shown.names):
                raise Refused(f"not to be read: {', '.join(sorted(unknown))}")
            import pyarrow as pa

            shown = pa.schema([shown.field(name) for name in asked.columns])
        return from_arrow_schema(shown)

    def reader(self, schema: StructType) -> DataSourceReader:
        where, asked = _options(self.options)
        # Spark refuses a reader that could take conditions when its own switch is off.
        kind = FilteringReader if self.options.get("pushdown") == "true" else Reader
        return kind(where, asked, tuple(schema.fieldNames()))


class Part(InputPartition):
    """One compartment, at the version that it had when the read was planned if the purpose lets one
    pin it."""

    def __init__(self, table: str, version: int | None) -> None:
        super().__init__((table, version))
        self.table = table
        self.version = version


class Reader(DataSourceReader):
    """Reads each compartment in a task of its own; all hold one version each."""

    def __init__(self, where: Address, asked: Descriptor, columns: Sequence[str]) -> None:
        self._where = where
        self._asked = asked
        self._columns = tuple(columns)
        self._pushed: tuple[Condition, ...] = ()

    def partitions(self) -> Sequence[InputPartition]:
        """One for each compartment; a limit needs them all in one. A compartment whose first read
        puts a competitor out of reach must be named."""
        named = ":" in self._asked.table
        if named or self._asked.limit is not None:
            return [Part(self._asked.table, self._asked.version)]
        with self._where.open() as client:
            found = client.list(self._asked.purpose or Purpose.ANALYSIS)
        parts = [
            Part(f"{one['compartment']}:{one['table']}", one["version"])
            for one in found
            if one["table"] == self._asked.table and not one["touches"]
        ]
        return parts or [Part(self._asked.table, None)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """A compartment's rows, as they come.

        Raises:
            Denied: they may not be read any more.
        """
        assert isinstance(partition, Part)
        with self._where.open() as client:
            yield from client.ask(
                Descriptor(
                    partition.table,
                    self._columns,
                    (*self._asked.where, *self._pushed),
                    partition.version,
                    self._asked.purpose,
                    self._asked.limit,
                )
            )


class FilteringReader(Reader):
    """A reader that hands Spark's conditions on to the guard."""

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:  # noqa: N802 - Spark's own
        """Takes what the guard can filter; Spark does the rest."""
        for one in filters:
            condition = _condition(one)
            if condition is None:
                yield one
            else:
                self._pushed += (condition,)


def _options(given: Mapping[str, str]) -> tuple[Address, Descriptor]:
    options = {key.lower(): value for key, value in given.items()}
    if unknown := set(options) - {*_OPTIONS, *_OPTIONAL}:
        raise Refused(f"unknown options: {', '.join(sorted(unknown))}")
    if missing := {"url", "table", "tokenfile"} - set(options):
        raise Refused(f"missing options: {', '.join(sorted(missing))}")
    asked: dict[str, Any] = {"table": options["table"], "purpose": options.get("purpose")}
    if columns := options.get("columns"):
        asked["columns"] = [name.strip() for name in columns.split(",")]
    try:
        for key in ("where", "limit", "version"):
            if key in options:
                asked[key] = json.loads(options[key])
    except ValueError:
        raise Refused("where, limit and version are JSON") from None
    where = Address(options["url"], options["tokenfile"], options.get("tlsroot"))
    return where, parse(json.dumps(asked).encode())


def _condition(one: Filter) -> Condition | None:
    path = getattr(one, "attribute", ())
    if len(path) != 1:
        return None
    if isinstance(one, IsNull):
        return Condition(path[0], "is_null")
    if isinstance(one, IsNotNull):
        return Condition(path[0], "not_null")
    if isinstance(one, In):
        return Condition(path[0], "in", list(one.value)) if _plain(*one.value) else None
    op = _COMPARED.get(type(one))
    value = getattr(one, "value", None)
    return Condition(path[0], op, value) if op and _plain(value) else None


def _plain(*values: object) -> bool:
    return all(type(value) in (str, int, float) for value in values)
