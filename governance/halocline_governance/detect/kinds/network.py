"""IP and MAC addresses. A version, a heading number or a `::` path in code is neither."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.shape import Hit, Shape
from halocline_governance.detect.kinds.words import Words

_version_words = re.compile(
    r"(?:\bv(?:er(?:sion)?s?)?|\brel(?:ease)?|\bsections?|\bbuild|\bappendix|\bchapter|\bitem"
    r"|\bnote|\barticle|\bclause|\bpart|\bfirmware|\bpatch|\boid|\bdriver|[=<>~^]="
    r"|[~^])[ .:=]{0,2}\Z",
    re.IGNORECASE,
)
_version = re.compile(r"(?:\bv(?:er(?:sion)?s?)?|[=<>~^]=)[ .:=]{0,2}\Z", re.IGNORECASE)
_compared = re.compile(r"(?:ip|addr|address|src|dst|host|server|client) ?[=!]= ?\Z", re.IGNORECASE)
_titled = re.compile(r"[ \t]+[A-Za-z]")
_software = re.compile(r"(?:[\w+-]{2,}/|\d\.)\Z")
_heading = re.compile(r"(?:^|\n)[ \t#*>-]*\Z")
_words = Words(
    "ip",
    "ips",
    "ipv4",
    "ip addr*",
    "address",
    "host*",
    "server*",
    "dns",
    "subnet",
    "gateway",
    "ping",
    "port",
    "from",
    "client",
    "login",
    "logged",
    "remote",
    "network",
    "router",
    "vpn",
    "ssh",
)
_NOBODY = ("0.", "127.", "255.")


def _ipv4(match: re.Match[str]) -> float:
    octets = match["v"].split(".")
    if any(int(octet) > 255 or (octet[0] == "0" and octet != "0") for octet in octets):
        return 0.0
    if match["v"].startswith(_NOBODY):
        return 0.0
    left = match.string[max(0, match.start() - 24) : match.start()]
    text, end = match.string, match.end()
    bare = left.endswith(("-", "_")) or (
        text[end : end + 1] == "-" and text[end + 1 : end + 2].isalpha()
    )
    if not _wide(octets):
        named = _version_words.search(left) and not _compared.search(left)
        if bare or named or _software.search(left):
            return 0.0
    elif _version.search(left) and not _compared.search(left):
        return 0.0
    if _words.near(match, "v"):
        return 0.95
    small = all(int(octet) < 30 for octet in octets)
    if small and _heading.search(left) and _titled.match(text, end):
        return 0.0
    return 0.6 if small else 0.85


def _wide(octets: list[str]) -> bool:
    """Whether no version and no heading is numbered so."""
    return octets[:2] == ["192", "168"] or sum(int(octet) >= 100 for octet in octets) >= 2


IPV4 = Shape(
    "ip",
    re.compile(r"(?<![A-Za-z0-9.\xff])(?P<v>(?:\d{1,3}\.){3}\d{1,3})(?:/\d{1,2})?(?!\w|\.\w)"),
    _ipv4,
    (1, 2, 3),
)
_V6 = re.compile(
    r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?!\w|:[0-9A-Fa-f:]|\.\w)"
)
_MAC = re.compile(
    r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w]|[:-][0-9A-Fa-f]{2}(?!\w))"
)
_CISCO = re.compile(r"(?<![\w.-])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w]|\.\w)")
_head = re.compile(r"[0-9A-Fa-f:]{0,44}\Z")


_run = re.compile(r"(?:[:.]|[^\W_]){0,48}")


def _closed(text: str, start: int) -> int:
    """Where a sentence's colon behind the address ends it for the pattern."""
    run = _run.match(text, start)
    end = start if run is None else run.end()
    single = text[end - 1 : end] == ":" and text[end - 2 : end - 1] != ":"
    return end - 1 if single else len(text)


def _is_v6(value: str) -> bool:
    groups = [group for group in value.split(":") if group]
    if len(groups) < 3 and not value.lower().startswith(("::ffff:", "fe80::", "fc", "fd", "2")):
        return False
    if not any(char.isdigit() for char in value) or len(groups) < 2:
        return False
    if all(len(group) == 2 for group in groups) and "::" not in value:
        return False  # eight pairs are a key's fingerprint
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def coloned(text: str, at: int) -> Iterator[Hit]:
    """The IPv6 or MAC address around a place with colons, read from its start."""
    head = _head.search(text, max(0, at - 44), at)
    start = head.start() if head else at
    if text.startswith(":", start) and not text.startswith("::", start):
        start += 1
    if text[start - 1 : start].isalnum() or text[start - 1 : start] == "_":
        start = text.find(":", start, at + 1) + 1 or start
    match = _V6.match(text, start, _closed(text, start)) if text[start - 1 : start] != "." else None
    if match is not None and match.end() > at and _is_v6(match[0]):
        yield Hit(match.start(), match.end(), "ip", 0.9)
    yield from paired(text, start)


def paired(text: str, at: int) -> Iterator[Hit]:
    """A MAC address that starts here, in pairs."""
    before = text[at - 1 : at]
    if before.isalnum() or (before and before in "_:-" and text[at - 2 : at - 1].isalnum()):
        return
    match = _MAC.match(text, at)
    if match is not None and len({c for c in match[0].lower() if c.isalnum()}) >= 2:
        yield Hit(match.start(), match.end(), "mac", 0.9)


_mac_words = Words("mac", "mac addr*", "hwaddr", "ethernet", "bssid", "wlan", "physical addr*")


def cisco(text: str, at: int) -> Iterator[Hit]:
    """A MAC address in three groups of four."""
    match = _CISCO.match(text, at)
    if match is not None and (any(c.isalpha() for c in match[0]) or _mac_words.near(match)):
        yield Hit(match.start(), match.end(), "mac", 0.8)


_UNBROKEN = re.compile(
    r"(?<![^\W_])mac(?:[ _-]?addr(?:ess)?)?[\"']? {0,2}[:=] {0,2}[\"']?"
    r"(?P<v>(?=[0-9A-F]{0,11}\d)[0-9A-F]{12})(?!\w)",
    re.IGNORECASE,
)


def unbroken(text: str, at: int) -> Iterator[Hit]:
    """A MAC address without signs, behind its name and a colon or an equals sign."""
    match = _UNBROKEN.match(text, at)
    if match is not None:
        yield Hit(*match.span("v"), "mac", 0.8)


_DEFANGED = re.compile(
    r"(?<![\w.])\d{1,3}(?:(?:[\[({<](?:\.|dot)[\])}>]|\.)\d{1,3}){3}(?!\w|\.\d)",
    re.IGNORECASE,
)


def defanged(text: str, at: int) -> Iterator[Hit]:
    """An IPv4 address written as in `10[.]0[.]0[.]1`, so that nobody follows it by accident."""
    for match in _DEFANGED.finditer(text, max(0, at - 24), at + 32):
        octets = re.findall(r"\d+", match[0])
        if match.start() <= at < match.end() and all(int(octet) < 256 for octet in octets):
            yield Hit(match.start(), match.end(), "ip", 0.9)
