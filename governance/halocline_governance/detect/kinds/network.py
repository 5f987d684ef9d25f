"""IP and MAC addresses. A version, a heading number or a `::` path in code is neither."""

from __future__ import annotations

import ipaddress
import re

from halocline_governance.detect.kinds.shape import Family, Shape, context

_version_words = re.compile(
    r"(?:\bv(?:er(?:sion)?s?)?|\brel(?:ease)?|\bsections?|§|\bbuild|\bappendix|\bchapter|\bitem"
    r"|\bnote|\barticle|[=<>~^]=?|@)[ .:]{0,2}\Z",
    re.IGNORECASE,
)
_heading = re.compile(r"(?:^|\n)[ \t#*>-]*\Z")
_ip_words = context(
    r"ips?|ipv4|ip[ -]?addr\w{0,6}|address|host\w{0,5}|servers?|dns|subnet|gateway|ping|port"
)
_NOBODY = ("0.", "127.", "255.")


def _ipv4(match: re.Match[str]) -> float:
    octets = match[0].split(".")
    if any(int(octet) > 255 or (octet[0] == "0" and octet != "0") for octet in octets):
        return 0.0
    if match[0].startswith(_NOBODY):
        return 0.0
    left = match.string[max(0, match.start() - 24) : match.start()]
    if _version_words.search(left):
        return 0.0
    if _ip_words(match):
        return 0.95
    small = all(int(octet) < 30 for octet in octets)
    following = match.string[match.end() : match.end() + 2]
    if small and _heading.search(left) and following[:1] in (" ", "\t"):
        return 0.0
    return 0.6 if small else 0.85


def _ipv6(match: re.Match[str]) -> float:
    value = match[0]
    groups = [group for group in value.split(":") if group]
    if len(groups) < 3 and not value.lower().startswith(("fe80::", "fc", "fd", "2")):
        return 0.0
    if not any(char.isdigit() for char in value) or len(groups) < 2:
        return 0.0
    if all(len(group) == 2 for group in groups) and "::" not in value:
        return 0.0  # eight pairs are a key's fingerprint
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return 0.0
    return 0.0 if address.is_loopback or address.is_unspecified else 0.9


def _mac(match: re.Match[str]) -> float:
    value = {char for char in match[0].lower() if char.isalnum()}
    return 0.0 if len(value) < 2 else 0.9


IPV4 = Family(
    re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"),
    (
        Shape(
            "ip",
            re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w|-\w)"),
            _ipv4,
        ),
    ),
)
COLONS = Family(
    re.compile(r"[0-9A-Fa-f:](?<![\w:.].)(?=[0-9A-Fa-f]{0,4}[:-][0-9A-Fa-f:])"),
    (
        Shape(
            "ip",
            re.compile(
                r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![\w:]|\.\w)"
            ),
            _ipv6,
        ),
        Shape(
            "mac",
            re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w]|[:-]\w)"),
            _mac,
        ),
    ),
)
CISCO = Family(
    re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}"),
    (
        Shape(
            "mac",
            re.compile(r"(?<![\w.-])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w]|\.\w)"),
            lambda match: 0.8 if any(c.isalpha() for c in match[0]) else 0.0,
        ),
    ),
)
