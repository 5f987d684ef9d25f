"""The two ways to governed rows, alike: through a guard server, or through the library in here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from halocline_governance import tables
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.principal import Principal, Purpose
from halocline_governance.tables import Column
from halocline_infra.commands.options import read_token
from halocline_infra.environment import Environment

if TYPE_CHECKING:
    import pyarrow as pa

    from halocline_governance.guard import Guard
    from halocline_governance.guard.client import Client
    from halocline_governance.guard.watch import Watch

_PIECE_BYTES = 1 << 20


class Door(Protocol):
    """Where somebody asks for rows. Every answer was decided and recorded before."""

    def tables(self, purpose: Purpose) -> list[dict[str, Any]]:
        """What may be read: `{table, compartment, version, columns}` each."""
        ...

    def read(self, asked: Descriptor) -> pa.RecordBatchReader:
        """The rows, as they come."""
        ...


@contextmanager
def open_door(environment: Environment, token_source: str | None) -> Generator[Door]:
    """Through the guard server that HALOCLINE_GUARD names, else through the library.

    Raises:
        Unauthenticated: no token.
    """
    token = read_token(environment, token_source)
    if environment.guard:
        from halocline_governance.guard.client import connect

        with connect(environment.guard, token) as client:
            yield _Remote(client)
        return
    from halocline_infra.platform import Platform

    with Platform(environment) as platform:
        yield _Local(platform.guard, lambda: platform.caller(token))


def described(
    environment: Environment, token_source: str | None, table: str, purpose: Purpose
) -> tuple[Column, ...]:
    """A table's columns as a guard server would hand them over.

    Raises:
        Denied: nothing of it may be read.
    """
    from halocline_governance.guard.client import connect

    schema = tables.table(table.rpartition(":")[2])
    plain, types = schema.arrow(), {column.name: column.type for column in schema.columns}
    with connect(str(environment.guard), read_token(environment, token_source)) as client:
        found = client.describe(table, purpose)
    return tuple(
        # A mask may change a column's type.
        Column(
            field.name,
            types[field.name] if field.type == plain.field(field.name).type else str(field.type),
            field.nullable,
        )
        for field in found
    )


class _Remote:
    def __init__(self, client: Client) -> None:
        self._client = client

    def tables(self, purpose: Purpose) -> list[dict[str, Any]]:
        return self._client.list(purpose)

    def read(self, asked: Descriptor) -> pa.RecordBatchReader:
        return self._client.ask(asked)


class _Local:
    def __init__(self, guard: Guard, caller: Callable[[], Principal]) -> None:
        self._guard = guard
        self._caller = caller

    def tables(self, purpose: Purpose) -> list[dict[str, Any]]:
        from halocline_governance.guard.answer import listed

        return listed(self._guard, self._caller(), purpose)

    def read(self, asked: Descriptor) -> pa.RecordBatchReader:
        import pyarrow as pa

        from halocline_governance.guard.answer import Answer

        answer = Answer.of(self._guard, self._caller(), Purpose.ANALYSIS, asked)
        watch = self._guard.watch(answer.plan, self._caller)
        rows = answer.reader(watch=watch)
        return pa.RecordBatchReader.from_batches(rows.schema, _in_pieces(rows, watch))


def _in_pieces(rows: pa.RecordBatchReader, watch: Watch) -> Iterator[pa.RecordBatch]:
    """Little at once, and nothing that is not granted any more, however long a pipe stalls."""
    for batch in rows:
        step = max(1, batch.num_rows * _PIECE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, step):
            watch.check()
            yield batch.slice(start, step)
    watch.check()
