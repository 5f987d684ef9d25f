"""What an attack obtained, and what of it the attacker may not know: a verdict is measured."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bypass_names import KEY, SECRET


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attack obtained. `hidden` is how many hidden rows it makes out, if only one of them;
    `sign` names an observable that depends on what is hidden, for attacks that obtain no value."""

    text: object = ""
    hidden: int | None = None
    sign: str = ""


def leaks(evidence: Evidence) -> list[str]:
    """What of it Ana may not know."""
    text = str(evidence.text)
    found = [name for name, pattern in _MARKERS.items() if re.search(pattern, text)]
    if evidence.hidden:
        found.append("number of hidden rows")
    return [*found, evidence.sign] if evidence.sign else found


_MARKERS = {
    "text of a hidden row": SECRET,
    "id of a hidden row": r"77000000000000\d\d",
    "a column not granted": KEY,
}
