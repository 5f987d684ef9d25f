"""From token ids to text while they come: whole characters, and nothing of a stop string.

Knows no tokenizer: `decode` is given. Laws: the pieces joined are the decoded whole, cut before the
first stop string; no piece holds half a character.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Decode = Callable[[list[int]], str]

_HALF = "\ufffd"


class Detokenizer:
    """Decodes a window of tokens at a time: what is settled plus what is new."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._settled: list[int] = []
        self._new: list[int] = []

    def push(self, token: int) -> str:
        """The text this token completes."""
        self._new.append(token)
        text = self._fresh()
        if text.endswith(_HALF):
            return ""
        if text:
            self._settled, self._new = self._new, []
        return text

    def flush(self) -> str:
        """What is left at the end, half a character shown as U+FFFD."""
        text = self._fresh()
        self._settled, self._new = self._new, []
        return text

    def _fresh(self) -> str:
        """The new tokens' text in the company of those before, which may decide on a space."""
        before = self._decode(self._settled) if self._settled else ""
        return self._decode(self._settled + self._new)[len(before) :]


class StopStrings:
    """Holds back what might be the beginning of a stop string, until it is one or is not."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.hit = False

    def push(self, text: str) -> str:
        """What surely stands before any stop string."""
        if self.hit:
            return ""
        self._held += text
        places = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if places:
            self.hit, text, self._held = True, self._held[: min(places)], ""
            return text
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        text, self._held = self._held[:cut], self._held[cut:]
        return text

    def flush(self) -> str:
        """What was held back and turned out to be no stop string."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if stop.startswith(text[-size:])), 0)
