"""An earlier report about one output, from the bytes of its JSON file."""

from __future__ import annotations

from halocline_governance import strict_json
from halocline_governance.errors import Refused
from halocline_governance.report.pin import Pin, parse


def pin_of(data: bytes, request_id: str) -> Pin:
    """What it was made from.

    Raises:
        Refused: no such report, or about another output.
    """
    try:
        told = strict_json.loads(data)
        pin, about = parse(told["pin"]), told["request_id"]
        sizes = [number for log in pin.logs.values() for number in (log.size, log.sealed)]
        roots = [log.root for log in pin.logs.values()]
        is_form = {type(one) for one in (*sizes, *pin.tables.values())} <= {int}
        is_form = is_form and all(type(root) is str for root in roots)
    except (ValueError, TypeError, KeyError, AttributeError):
        is_form, pin, about = False, Pin({}, {}), ""
    if not is_form:
        raise Refused("this is no report about one output: halocline audit report writes its JSON")
    if about != request_id:
        raise Refused("this report is about another output: give its id with it")
    return pin


def differences(then: bytes, now: bytes) -> list[str]:
    """The parts in which two reports differ, by name; none when they are the same bytes."""
    if then == now:
        return []
    one, other = strict_json.loads(then), strict_json.loads(now)
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return names or ["how it is written"]
