"""Outputs that lie in spools on their way to their table: moved there, so that they can be erased.

A spool belongs to the process that writes it. Whoever erases changes a mark beside the spools;
their processes see it, take a new spool, and remove the old one once its calls have ended and its
rows are in the table. What a dead process left, `recover` takes over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from halocline_governance import durable
from halocline_governance.errors import Refused
from halocline_governance.lake import Lake
from halocline_governance.records import uuid7

RENEW = "renew"
"""The mark's file name, in a compartment's spool folder."""

_LOOK_S = 0.1


def settle(
    lake: Lake,
    request_ids: Collection[str],
    recover: Callable[[], None] = lambda: None,
    wait_s: float = 60.0,
) -> None:
    """Return when no spool holds one of these outputs.

    Args:
        lake: whose compartments have the spools.
        request_ids: the outputs.
        recover: moves what dead processes left.
        wait_s: how long calls that are open may take to end.

    Raises:
        Refused: a running process still holds one.
    """
    recover()
    names = [request_id.encode() for request_id in request_ids]
    deadline = time.monotonic() + wait_s
    held = [folder for folder in _folders(lake) if _holds(folder, names)]
    for parent in {folder.parent for folder in held}:
        durable.write(parent / RENEW, uuid7().encode())
    while held := [folder for folder in held if _holds(folder, names)]:
        if time.monotonic() > deadline:
            raise Refused(
                f"{len(held)} spools of running processes still hold what is to be erased: end"
                " their open calls or stop them, then run the order again"
            )
        time.sleep(_LOOK_S)


def holding(lake: Lake, request_id: str) -> set[str]:
    """The compartments in which an output is on its way to its table."""
    return {
        folder.parent.parent.name
        for folder in _folders(lake)
        if _holds(folder, [request_id.encode()])
    }


def _folders(lake: Lake) -> list[Path]:
    return [
        folder
        for compartment in lake.compartments()
        for folder in sorted(lake.work(compartment, "spool").iterdir())
        if folder.is_dir()
    ]


def _holds(folder: Path, names: list[bytes]) -> bool:
    try:
        return any(
            name in file.read_bytes()
            for file in folder.iterdir()
            if file.is_file()
            for name in names
        )
    except FileNotFoundError:
        return False  # it was removed under our eyes
