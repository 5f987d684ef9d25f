"""E-mail addresses, also spelt out: `jane [at] example [dot] com`, `jane at example dot com`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.shape import Hit

_local = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_quoted = re.compile(r'"[^"\s@\x01]{1,40}"\Z')
_domain = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w-])"
    r"|\[\d{1,3}(?:\.\d{1,3}){3}\]"
)
_SUFFIXES = (
    "png jpg jpeg gif svg webp ico css js ts json html htm xml yaml yml toml py rb go rs php"
    " txt md pdf zip gz tar whl"
)
_FILES = frozenset(_SUFFIXES.split())
_REMOTE = frozenset(("git", "hg", "svn"))
_TRIM = "!#$%&'*+/=?^`{|}~-."


def written(text: str, at: int) -> Iterator[Hit]:
    """Read to both sides of the @. `git@host:path` is a remote, `icon@2x.png` a file."""
    domain = _domain.match(text, at + 1, at + 256)
    local = _local.search(text, max(0, at - 64), at)
    if domain is None or local is None:
        if _dotted.search(text, at, at + 80):
            yield from spelt(text, at)
        return
    name = local[0].rpartition("=")[2].lstrip(_TRIM)
    tld = domain[0].rpartition(".")[2].lower()
    if not name or name.endswith(".") or ".." in name or tld in _FILES:
        return
    if name.lower() in _REMOTE and text[domain.end() : domain.end() + 1] in (":", "/"):
        return
    yield Hit(at - len(name), domain.end(), "email", 0.98)


_dotted = re.compile(r"[ \t_](?:dot|punkt|punto|point)[ \t_]|[\[({<]| \.", re.IGNORECASE)
_NAME = r"[^\W_][\w+-]{0,40}"
_DOT = (
    r"(?:[ \t]?[\[({<][ \t]?(?:dot|punto|punkt|point|ponto|kropka|\.)[ \t]?[\])}>][ \t]?"
    r"|[ \t_]+(?:dot|punto|punkt|point)[ \t_]+|\.)"
)
_AT = (
    r"(?:[ \t]?[\[({<][ \t]?(?:at|arroba|chiocciola|a|@)[ \t]?[\])}>][ \t]?|[ \t]+(?:at|arroba"
    r"|chiocciola|arobase)[ \t]+"
    r"|[ \t]?[_-]at[_-][ \t]?|[ \t]?@[ \t]?)"
)
_SPELT = re.compile(
    rf"(?<![\w.@])(?P<local>{_NAME}(?:{_DOT}{_NAME}){{0,3}}?)(?P<at>{_AT})"
    rf"(?P<host>[^\W_][\w-]{{0,62}}(?:{_DOT}[^\W_][\w-]{{0,62}}){{0,3}}?)(?P<dot>{_DOT}"
    rf"|[ \t]?\.[ \t]?)"
    r"(?P<tld>[a-z]{2,12})(?![\w-]|@|\.\w)",
    re.IGNORECASE,
)
_LAST = re.compile(rf"{_DOT}(?P<tld>[a-z]{{2,12}})(?![\w-])", re.IGNORECASE)
_DOMAINS = (
    "com org net edu gov mil int info biz io co ai app dev me tv us uk de fr es it nl pl eu at ch"
    " be se no dk fi pt ie in au ca nz"
    " sg jp cn kr br mx ar za ru cz gr hu ro tr example test invalid"
    " email online site tech cloud name pro mobi xyz"
)
_TLDS = frozenset(_DOMAINS.split())
_mail_word = re.compile(
    r"(?:e-?mail|mail)(?:\s+(?:address|me|us|is|him|her|them|at|to|id|addr)){0,3}\s*[:=]?\s*\Z",
    re.IGNORECASE,
)
_COMMON_WORDS = (
    "me us him her them you it out one here there and or is are was were be up down held met meet"
    " look looking based available live working work works worked speak speaking arrive stay"
)
_NOBODY = frozenset(_COMMON_WORDS.split())


def spelt(text: str, at: int) -> Iterator[Hit]:
    """Around a place with `at` or `dot` spelt out, on its line."""
    low = text.rfind("\n", max(0, at - 90), at) + 1 or max(0, at - 90)
    for match in _SPELT.finditer(text, low, min(len(text), at + 110)):
        if match.start() > at:
            break
        end = match.end()
        tld = match["tld"].lower()
        while (more := _LAST.match(text, end)) and more["tld"].lower() in _TLDS:
            end, tld = more.end(), more["tld"].lower()
        if end > at and tld in _TLDS and _spelt_out(match):
            yield Hit(match.start(), end, "email", 0.85)


_at_host = re.compile(r"[ \t](?:at|arroba|chiocciola|arobase)[ \t][\w.-]{0,60}\Z", re.IGNORECASE)


def hosted(text: str, at: int) -> Iterator[Hit]:
    """At the end of a host's name that stands behind a spelt `at`."""
    if _at_host.search(text, max(0, at - 72), at):
        yield from spelt(text, at)


def _spelt_out(match: re.Match[str]) -> bool:
    """Whether both signs are unmistakable, or one is and the other has a word for mail before."""
    if match["local"].lower() in _NOBODY:
        return False
    sign, dot = match["at"].strip(), match["dot"].strip()
    if sign == "@":
        return dot != "." or match["at"] == " @ " or match["dot"] != "."
    if sign[0] in "[({<_-" or dot != ".":
        return True
    if match["dot"] != ".":
        return False
    if re.search(r"[\d._+-]", match["local"]):
        return True
    return bool(_mail_word.search(match.string, max(0, match.start() - 32), match.start()))
