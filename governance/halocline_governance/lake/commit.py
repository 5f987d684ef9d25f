"""A commit that holds only if nobody of the same name committed since the table was read.

The lease keeps writers apart; in a bucket one may sleep past its end. So each commit carries its
writer's transaction id, and delta-rs refuses one that another of that id came before: what was
decided on the rows that were read is never written beside what they have become.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from halocline_governance.errors import LeaseHeld
from halocline_governance.lake.location import Location

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable

# Of governed rows, what a Delta log may tell: never the beginning of a text.
_GOVERNED = ("row_uid", "label_id")
_TOLD = (*_GOVERNED, "request_id", "ts")
# How delta-rs tells a commit that lost to another; it has one kind of error for all that can fail.
_OTHERS = ("concurrent", "changed since", "already exists")


def seen(place: Location) -> DeltaTable | None:
    """The table as it is now, None when there is none.

    Raises:
        StorageUnavailable: the bucket did not answer, or refused.
    """
    with place.reached():
        return place.delta() if place.is_delta() else None


def append(
    place: Location, table: DeltaTable | None, rows: pa.Table, app_id: str, version: int
) -> None:
    """Append rows to the table as it was seen, in one commit; make it when there was none.

    Args:
        table: what `seen` gave before it was decided what to write.
        app_id: the writer's transaction id.
        version: of the transaction; not negative.

    Raises:
        LeaseHeld: another of this id committed since, or made the table.
        StorageUnavailable: the bucket did not answer, or refused.
    """
    from deltalake import write_deltalake

    names = [name for name in _TOLD if name in rows.schema.names]
    told = {"delta.dataSkippingStatsColumns": ",".join(names)}
    with fenced(place):
        write_deltalake(
            place.uri if table is None else table,
            rows,
            mode="error" if table is None else "append",
            configuration=told if table is None and set(_GOVERNED) <= set(names) else None,
            storage_options=dict(place.storage_options),
            commit_properties=transaction(app_id, version),
        )


def transaction(app_id: str, version: int) -> CommitProperties:
    """What a commit carries so that another of this id cannot come between."""
    from deltalake import CommitProperties, Transaction

    return CommitProperties(app_transactions=[Transaction(app_id, version)])


@contextmanager
def fenced(place: Location) -> Generator[None]:
    """Commit within: who came second is told so.

    Raises:
        LeaseHeld: another committed since.
        StorageUnavailable: the bucket did not answer, or refused.
    """
    from deltalake.exceptions import DeltaError

    with place.reached():
        try:
            yield
        except DeltaError as error:
            told = str(error).lower()
            if any(sign in told for sign in _OTHERS):
                raise LeaseHeld(
                    f"{place.uri} was written by another meanwhile; try again"
                ) from None
            raise
