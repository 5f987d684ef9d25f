"""Values that are nobody's in the place of values that are somebody's, the same for the same one.

A surrogate lies where nobody's value can: domains, numbers and addresses that are reserved for
documentation or fiction, bank codes and years that are not given out, invented names. In it stands
a check under the key, so that a second pass knows it and leaves it; no list of them is kept. What
is nobody's but has no such check is replaced like any other value. The odds that a real value is
taken for a surrogate stand with each form in `form`.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from halocline_governance.scrub.form import FORMS, MAX_LENGTH, Draw
from halocline_governance.scrub.pseudonym import PseudonymKey, normal


class Surrogates:
    """Surrogates under one key.

    Args:
        key: of the compartment; another key's surrogates are values like any other.
    """

    def __init__(self, key: PseudonymKey) -> None:
        self._secret = hmac.digest(key.secret, b"halocline surrogate", hashlib.sha256)
        self._forms = {kind: form for form in FORMS for kind in form.kinds}
        self._any = re.compile("|".join(f"(?P<{form.name}>{form.pattern})" for form in FORMS))
        self._by_name = {form.name: form for form in FORMS}

    def of(self, kind: str, value: str) -> str | None:
        """The surrogate of a value; None where the kind has none, or the value's form is not
        understood."""
        form = self._forms.get(kind)
        if form is None:
            return None
        subject = form.subject(value)
        if subject is None:
            return None
        drawn = self._number(b"draw", kind, normal(kind, subject))
        return form.make(value, Draw(drawn), lambda text, odds: self._check(form.name, text, odds))

    def holds(self, data: bytes, start: int, end: int) -> bool:
        """Whether these bytes of a text stand within a surrogate of this key."""
        if end - start > MAX_LENGTH:
            return False
        # A surrogate is ASCII; read so, every byte is a character and the places stay.
        first = max(end - MAX_LENGTH, 0)
        near = data[first : start + MAX_LENGTH].decode("latin-1")
        return any(
            match.start() <= start - first
            and end - first <= match.end()
            and self._is_own(match.lastgroup or "", match[0])
            for match in self._any.finditer(near)
        )

    def _is_own(self, name: str, text: str) -> bool:
        return self._by_name[name].is_own(text, lambda part, odds: self._check(name, part, odds))

    def _check(self, name: str, text: str, odds: int) -> int:
        """A number below `odds` that only the key's holder can tell of a text."""
        return self._number(b"check", name, text) % odds

    def _number(self, use: bytes, kind: str, text: str) -> int:
        message = b"\0".join((use, kind.encode(), text.encode()))
        return int.from_bytes(hmac.digest(self._secret, message, hashlib.sha256), "big")
