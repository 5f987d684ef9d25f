"""What Rego policies may say: the part of the language that both engines read alike.

A built-in that an engine lacks is silently undefined there, and some of what rego-cpp 1.5.2 takes,
it answers wrongly. Both would let it allow what OPA denies, so neither is loaded.
"""

from __future__ import annotations

import re

from halocline_governance.errors import Refused

# Pure functions of the question that both engines have: nothing that reads clocks, networks
# (`http.send`), environments (`opa.runtime`) or chance.
BUILTINS = frozenset(
    {
        *("array.concat", "concat", "count", "floor", "is_array", "is_number", "is_object"),
        *(
            "is_set",
            "is_string",
            "lower",
            "max",
            "object.keys",
            "object.union",
            "regex.match",
            "set",
        ),
        *("sort", "split", "startswith", "sum", "trim", "trim_left", "trim_space"),
    }
)

_PACKAGE = re.compile(r"^package ([a-z_.]+)$", re.MULTILINE)
_IMPORT = re.compile(r"^import data\.halocline\.([a-z_]+)$", re.MULTILINE)
_DEFINED = re.compile(r"^(?:default )?([a-z_][a-z0-9_]*)\(", re.MULTILINE)
_CALLED = re.compile(r"(?<![\w.])([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*)\(")
_EVERY = re.compile(r"\bevery\b[^{}]*\{")
_NOT_IN_EVERY = re.compile(r"\bnot\b|\bevery\b|\bsome\b|\|")
_VARIABLE = re.compile(r"\s*[a-z_][a-z0-9_]*\s*\Z")
_TEXT = re.compile(r"`[^`]*`|\"(?:[^\"\\\n]|\\.)*\"|#[^\n]*")


def check(path: str, source: str) -> None:
    """The package is the folder's, every call is to a rule or an allowed built-in, and nothing is
    written in a way that one engine misreads.

    Raises:
        Refused: says what to write instead.
    """
    code = _TEXT.sub(" ", source)
    package = _PACKAGE.findall(code)
    if package != [f"halocline.{path.split('/')[0]}"]:
        raise Refused(f"{path}: the package must be halocline.{path.split('/')[0]}")
    imported = tuple(f"{name}." for name in _IMPORT.findall(code))
    _check_dialect(path, code)
    known = BUILTINS | set(_DEFINED.findall(code))
    for call in _CALLED.findall(code):
        if call not in known and not call.startswith(imported or ("\0",)):
            raise Refused(
                f"{path}: {call}() is not a built-in that policies may use; those are: "
                + ", ".join(sorted(BUILTINS))
            )


def _check_dialect(path: str, code: str) -> None:
    """Refuse what rego-cpp 1.5.2 takes and answers wrongly.

    Inside `every`, a `not` is true and an inner loop sees no outer variable; a comprehension whose
    head is not a variable may come out empty.
    """
    for start in _EVERY.finditer(code):
        body = code[start.end() : _closing(code, start.end())]
        if _NOT_IN_EVERY.search(body):
            raise Refused(f"{path}: move `not` and inner loops out of `every`, into a rule")
    for bar in re.finditer(r"\|", code):
        head = code[_opening(code, bar.start()) : bar.start()]
        if head and not _VARIABLE.match(head):
            raise Refused(f"{path}: a comprehension must collect a variable, not {head.strip()}")


def _closing(code: str, at: int) -> int:
    """Where the brace that is open before `at` closes."""
    depth = 1
    while depth and at < len(code):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        at += 1
    return at


def _opening(code: str, at: int) -> int:
    """Behind the innermost bracket that is open before `at`; `at` itself when none is."""
    depth = 0
    for place in range(at - 1, -1, -1):
        depth += {"]": 1, "}": 1, ")": 1, "[": -1, "{": -1, "(": -1}.get(code[place], 0)
        if depth < 0:
            return place + 1
    return at
