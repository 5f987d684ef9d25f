"""The vocabulary of a secret's form: where to look, the bounded pattern that decides, and a check.

Law, on which streaming rests: a form reads at most BEHIND bytes before its start, all of its bytes
are TOKEN bytes, there are at most LONGEST of them, and one byte after it settles it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from halocline_governance.detect.secrets import judge

BEHIND, NEAR = 320, 96
LONGEST = 8448
TOKEN = rb"!#$%&*+\-./0-9:=?@A-Z^_a-z~"

ALNUM = "A-Za-z0-9"
URLSAFE = "A-Za-z0-9_-"
HEX = "0-9a-f"

Check = Callable[[bytes, bytes], float]
"""(value, what stands before it): how sure it is that this is a secret; 0 is not at all."""


@dataclass(frozen=True, slots=True)
class Form:
    """One published form of a secret.

    `lead` is a regular expression of fixed width that every secret of this form begins with, where
    `literals` (all of one length) stand `back` bytes behind its start. With `left`, the lead counts
    only right behind what `left` matches, and there are no literals.
    """

    kind: str
    lead: bytes
    width: int
    pattern: re.Pattern[bytes]
    check: Check
    literals: tuple[bytes, ...] = ()
    back: int = 0
    left: bytes = b""
    before: re.Pattern[bytes] | None = None
    reach: int = 0
    inside: bytes = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

    def at(self, data: bytes, start: int, low: int, high: int) -> tuple[int, float] | None:
        """The end and the score of a secret that starts here, in the text `data[low:high]`."""
        left = b""
        if self.before is not None:
            left = data[max(low, start - self.reach) : start]
        elif start > low and data[start - 1] in self.inside:
            return None
        match = self.pattern.match(data, start, high)
        if match is None:
            return None
        score = self.check(match[0], left)
        # The dearest question comes last.
        if score <= 0 or (self.before is not None and not self.before.search(left)):
            return None
        return match.end(), score


def token(
    kind: str,
    prefixes: str,
    chars: str,
    size: int | tuple[int, int],
    *,
    rest: str = "",
    check: Check = judge.plain,
) -> Form:
    """One of the prefixes, then so many of these characters and no more, then `rest`."""
    least, most = (size, size) if isinstance(size, int) else size
    literals = tuple(prefix.encode() for prefix in prefixes.split())
    sizes = {len(literal) for literal in literals}
    if len(sizes) != 1:
        raise ValueError(f"{kind}: prefixes of unequal length")
    head = b"(?:" + b"|".join(map(re.escape, literals)) + b")"
    lead = head + f"[{chars}]{{{least}}}".encode()
    body = f"[{chars}]{{{least},{most}}}{rest}(?![{chars}])".encode()
    return Form(kind, lead, sizes.pop() + least, re.compile(head + body), check, literals)


def infix(kind: str, literals: str, before: tuple[str, int], after: str, check: Check) -> Form:
    """A literal inside: so many of these characters before it, and `after` behind it."""
    chars, count = before
    middle = tuple(literal.encode() for literal in literals.split())
    inner = b"(?:" + b"|".join(map(re.escape, middle)) + b")"
    lead = f"[{chars}]{{{count}}}".encode() + inner
    pattern = re.compile(lead + after.encode())
    return Form(kind, lead, count + len(middle[0]), pattern, check, middle, count)


def opening(kind: str, literal: str, pattern: str, check: Check) -> Form:
    """A literal and what the pattern says behind it."""
    head = re.escape(literal).encode()
    return Form(
        kind, head, len(literal), re.compile(head + pattern.encode()), check, (literal.encode(),)
    )


def shaped(kind: str, lead: str, width: int, after: str, check: Check) -> Form:
    """A form without a literal: a lead of fixed width, and `after` behind it."""
    return Form(kind, lead.encode(), width, re.compile((lead + after).encode()), check)


def beside(kind: str, left: str, chars: str, least: int, pattern: str, check: Check) -> Form:
    """Behind what `left` matches: `least` of these characters, and then what the pattern says.

    What `left` matches is shorter than NEAR bytes, or BEHIND if it crosses lines.
    """
    prefix = b"(?:" + left.encode() + b")"
    lead = f"[{chars}]{{{least}}}".encode()
    return Form(
        kind,
        lead,
        least,
        re.compile(pattern.encode()),
        check,
        left=prefix,
        before=re.compile(prefix + rb"\Z"),
        reach=BEHIND if rb"\n" in prefix else NEAR,
    )
