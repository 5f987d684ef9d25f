"""The two ways to governed rows, alike: through a guard server, or through the library in here."""

from __future__ import annotations

from collections.abc import Generator
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
        yield _Local(platform.guard, platform.caller(token))


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
    def __init__(self, guard: Guard, principal: Principal) -> None:
        self._guard = guard
        self._principal = principal

    def tables(self, purpose: Purpose) -> list[dict[str, Any]]:
        from halocline_governance.guard.answer import listed

        return listed(self._guard, self._principal, purpose)

    def read(self, asked: Descriptor) -> pa.RecordBatchReader:
        from halocline_governance.guard.answer import Answer

        return Answer.of(self._guard, self._principal, Purpose.ANALYSIS, asked).reader()
