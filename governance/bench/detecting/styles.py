"""Regular expressions in the style of the published curation tools, written after what they say.

"style of" and no more: no code of theirs. datatrove's PII formatter knows e-mail addresses and
public IPv4, dolma's tagger e-mail, US telephone numbers and IPv4, data-juicer's mappers e-mail, IP
and links. dolma's e-mail asks for white space behind the address, as the published one does.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence

from bench.detecting.gold import Mark
from bench.detecting.readers import Marks, Reader

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"

_DATATROVE = {
    "email": re.compile(rf"\b{_ATOM}(?:\.{_ATOM})*@{_HOST}"),
    "ip": re.compile(_IPV4),
}
_DOLMA = {
    "email": re.compile(r"[.\s@,?!;:)(]*([^\s@]+@[^\s@,?!;:)(]+?)[.\s@,?!;:)(]?[\s\n\r]"),
    "phone": re.compile(r"\s+(\(?\d{3}\)?[-. ]*\d{3}[-. ]?\d{4})"),
    "ip": re.compile(rf"({_IPV4})"),
}
_JUICER = {
    "email": re.compile(r"[A-Za-z0-9.\-+_]+@[a-z0-9.\-+_]+\.[a-z]+"),
    "ip": re.compile(
        rf"(?:{_IPV4}|(?:[\da-fA-F]{{1,4}}:){{7}}[\da-fA-F]{{1,4}}|"
        r"(?:[\da-fA-F]{1,4}:){1,6}(?::[\da-fA-F]{1,4}){1,6})"
    ),
    "url": re.compile(r"(?i)\b(?:https?|ftp)://[^\s<>\"']+|\bwww\d{0,3}\.[^\s<>\"']+"),
}


def styles() -> list[Reader]:
    """The three, each with the kinds it knows."""
    return [
        _reader("style of datatrove", _DATATROVE, _is_public),
        _reader("style of dolma", _DOLMA, lambda kind, value: True),
        _reader("style of data-juicer", _JUICER, lambda kind, value: True),
    ]


def _is_public(kind: str, value: str) -> bool:
    try:
        return kind != "ip" or ipaddress.ip_address(value).is_global
    except ValueError:
        return False


def _reader(
    name: str, patterns: dict[str, re.Pattern[str]], holds: Callable[[str, str], bool]
) -> Reader:
    def marks(text: str) -> Iterator[Mark]:
        for kind, pattern in patterns.items():
            for match in pattern.finditer(text):
                group = 1 if pattern.groups else 0
                if holds(kind, match[group]):
                    yield Mark(match.start(group), match.end(group), kind)

    def read(texts: Sequence[str]) -> Marks:
        return [list(marks(text)) for text in texts]

    return Reader(name, read, frozenset(patterns))
