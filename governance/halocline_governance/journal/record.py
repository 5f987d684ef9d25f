"""What a frame of a log holds: an event, and the three members that tie it to its place.

The members stand in RFC 8785's order, so a record is put together of bytes, the event's canonical
form first.
"""

from __future__ import annotations

import re

from halocline_governance.journal.frame import MAX_PAYLOAD_BYTES

ZERO = "0" * 64
# The longest a record can be beside its event.
_AROUND = len('{"event":,"head":,"prev":"","seq":}') + 64 + 2 * 20
MAX_EVENT_BYTES = MAX_PAYLOAD_BYTES - _AROUND
_TAIL = re.compile(
    rb'\},"head":(0|[1-9][0-9]{0,15}),"prev":"([0-9a-f]{64})","seq":(0|[1-9][0-9]{0,15})\}\Z'
)
_TAIL_BYTES = _AROUND


def encode(event: bytes, head: int, prev: str, seq: int) -> bytes:
    """A record's payload.

    Args:
        event: canonical JSON of the event.
        head: how many records the newest signed head covers.
        prev: leaf hash of the record before, in hex.
        seq: the record's number.
    """
    return b'{"event":%b,"head":%d,"prev":"%b","seq":%d}' % (event, head, prev.encode(), seq)


def tail(payload: bytes) -> tuple[int, str, int] | None:
    """`head`, `prev` and `seq` of a payload; None when it is not a record's."""
    found = _TAIL.search(payload, max(0, len(payload) - _TAIL_BYTES))
    if found is None or not payload.startswith(b'{"event":{'):
        return None
    return int(found[1]), found[2].decode(), int(found[3])
