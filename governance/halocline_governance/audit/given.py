"""Files that somebody gives us to check: plain ones, and no longer than they may be."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, cast

from halocline_governance.errors import JournalCorrupt, Refused
from halocline_governance.journal import evidence
from halocline_governance.journal.frame import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    from io import RawIOBase

MAX_TEXT_BYTES = 1 << 20
# A proof's record is a string in JSON: of a character of two bytes that takes six.
MAX_PROOF_BYTES = 4 * MAX_PAYLOAD_BYTES


def opened(path: Path, what: str) -> BufferedReader:
    """A plain file, or what a link leads to; never waits for one that is a pipe or a device.

    Args:
        what: it is to be, for the message: "proof".

    Raises:
        Refused: it is not there, not plain, or may not be read.
    """
    try:
        raw = evidence.opened(path.resolve())
    except FileNotFoundError:
        raise Refused(f"there is no {what} {path}") from None
    except JournalCorrupt as error:
        raise Refused(f"the {what} {path}: {str(error).split(': ', 1)[1]}") from None
    except (OSError, RuntimeError, ValueError):
        raise Refused(f"the {what} {path} cannot be read") from None
    return BufferedReader(cast("RawIOBase", raw))


def text(path: Path, what: str, limit: int = MAX_TEXT_BYTES) -> str:
    """A file's text.

    Raises:
        Refused: as `opened`; it is longer than `limit` bytes, or no text.
    """
    with opened(path, what) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(f"the {what} {path} is none: it is longer than {limit} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"the {what} {path} is no text") from None
