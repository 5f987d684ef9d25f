"""What Rego policies may say: the part of the language that both engines read alike.

A built-in that an engine lacks is silently undefined there, and some of what rego-cpp 1.5.2 takes,
it answers wrongly. Both would let it allow what OPA denies, so neither is loaded. This is the check
at load time, which needs no OPA; `syntax` makes the same one on OPA's own reading of a policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from halocline_governance.errors import Refused

# Pure functions of the question that both engines have: nothing that reads clocks, networks
# (`http.send`), environments (`opa.runtime`) or chance, and nothing that prints.
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
        *("sort", "split", "startswith", "substring", "sum", "trim", "trim_left", "trim_space"),
    }
)


# What a finding may be about, and what to do instead.
RULES = {
    "text": "write plain text: no control characters, no carriage return",
    "parse": "OPA cannot parse it",
    "package": "the package must be halocline.<folder>",
    "import": "import nothing but data.halocline.<policy>, by its own name, and rego.v1",
    "builtin": "call rules, imported policies and these only: " + ", ".join(sorted(BUILTINS)),
    "shadow": "do not name a rule like a built-in",
    "template": "write no template strings: what is called within is easily overlooked",
    "with": "replace data, input or functions in tests only",
    "default-allow": "a default must never be true",
    "default-deny": 'a decision must be `default decision := {"allow": false, ...}`',
    "metadata": "write METADATA: a title of the package; title and entrypoint of the decision",
    "every": "move `not` and inner loops out of `every`, into a rule",
    "comprehension": "a comprehension must collect a variable",
}

_ANY_IMPORT = re.compile(r"(?<![\w.])import\b[^\n]*")
_IMPORT = re.compile(r"import data\.halocline\.([a-z_]+)\Z|import rego\.v1\Z")
_DEFINED = re.compile(r"^(?:default )?([a-zA-Z_]\w*)\(", re.MULTILINE)
_RULE = re.compile(r"^(?:default )?([a-zA-Z_]\w*)\b", re.MULTILINE)
# Also what is no plain name: `a["b"](`, `a["b"].c(`, `a .b(`.
_CALLED = re.compile(r"(?<![\w.])((?:[\])]?\s*\.)?[a-zA-Z_]\w*(?:\.\w+)*|\]|\))\(")
_WITH = re.compile(r"(?<![\w.])with\b")
_DEFAULT_TRUE = re.compile(r"^default\b[^\n]*?=\s*true\b", re.MULTILINE)
_DECISION = re.compile(r"^(?:default )?decision\b", re.MULTILINE)
_DEFAULT_DENY = re.compile(r"^default decision := \{\s*\"allow\": false,", re.MULTILINE)
_BLOCK = re.compile(r"^# METADATA\n((?:#[^\n]*\n)+)(package|default decision)\b", re.MULTILINE)
_EVERY = re.compile(r"\bevery\b[^{}]*\{")
_NOT_IN_EVERY = re.compile(r"\bnot\b|\bevery\b|\bsome\b|\|")
_VARIABLE = re.compile(r"\s*[a-zA-Z_]\w*\s*\Z")
_TEXT = re.compile(r"`[^`]*`|\"(?:[^\"\\\n]|\\.)*\"|#[^\n]*")
# Those of OPA's built-ins that a rule could be named like.
ONE_WORD = BUILTINS | frozenset(
    {
        *("abs", "all", "any", "assign", "ceil", "div", "endswith", "eq", "equal", "gt", "gte"),
        *("indexof", "intersection", "lt", "lte", "min", "minus", "mul", "neq", "or", "plus"),
        *("print", "product", "rem", "replace", "round", "set_diff", "sprintf", "substring"),
        *("trace", "trim_right", "trim_prefix", "trim_suffix", "type_name", "union", "upper"),
        *("walk", "and", "is_boolean", "is_null", "to_number", "re_match", "format_int"),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that no policy may say. `rule` is one of `RULES`."""

    path: str
    line: int
    rule: str
    what: str = ""

    def __str__(self) -> str:
        what = f" {self.what}:" if self.what else ""
        return f"{self.path}:{self.line}: [{self.rule}]{what} {RULES[self.rule]}"


def check(path: str, source: str) -> None:
    """The package is the folder's, every call is to a rule or an allowed built-in, the decision is
    a denial unless something is proven, and nothing is written in a way that one engine misreads.

    Raises:
        Refused: says what to write instead.
    """
    for finding in findings(path, source):
        raise Refused(str(finding))


def findings(path: str, source: str) -> Iterator[Finding]:
    """All that `check` objects to in a policy, `path` being `<name>/<name>.rego`."""
    yield from text_findings(path, source)
    # What is blanked keeps its length, so that places in the code are places in the source.
    code = _TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    for rule, at, what in (*_words(path, code), *_decisions(path, source, code), *_dialect(code)):
        yield Finding(path, code.count("\n", 0, at) + 1, rule, what)


def text_findings(path: str, source: str) -> Iterator[Finding]:
    """Characters that could hide code from one reader and not from another."""
    for number, line in enumerate(source.split("\n"), 1):
        if not line.replace("\t", " ").isprintable():
            yield Finding(path, number, "text")


def _words(path: str, code: str) -> Iterator[tuple[str, int, str]]:
    package = [line.rstrip() for line in re.findall(r"^[ \t]*package\b[^\n]*", code, re.MULTILINE)]
    if package != [f"package halocline.{path.split('/')[0]}"]:
        yield "package", 0, ""
    imports = [
        (line.start(), _IMPORT.match(line[0].rstrip())) for line in _ANY_IMPORT.finditer(code)
    ]
    yield from (("import", at, "") for at, found in imports if found is None)
    imported = {found[1] for _, found in imports if found is not None}
    defined = set(_DEFINED.findall(code))
    for rule in _RULE.finditer(code):
        if rule[1] in ONE_WORD:
            yield "shadow", rule.start(), rule[1]
    for call in _CALLED.finditer(code):
        name = call[1]
        is_theirs = name.partition(".")[0] in imported and "." in name
        if name not in BUILTINS and name not in defined and not is_theirs:
            yield "builtin", call.start(), name
    yield from (("template", found.start(), "") for found in re.finditer(r"\$", code))
    yield from (("with", found.start(), "") for found in _WITH.finditer(code))


def _decisions(path: str, source: str, code: str) -> Iterator[tuple[str, int, str]]:
    for found in _DEFAULT_TRUE.finditer(code):
        yield "default-allow", found.start(), ""
    described = {found[2]: found[1] for found in _BLOCK.finditer(source)}
    if "# title: " not in described.get("package", ""):
        yield "metadata", 0, "package"
    decision = _DECISION.search(code)
    if decision is None:
        return
    if not _DEFAULT_DENY.search(source) or code.count("\ndefault decision") != 1:
        yield "default-deny", decision.start(), ""
    block = described.get("default decision", "")
    if "# title: " not in block or "# entrypoint: true\n" not in block:
        yield "metadata", decision.start(), "decision"


def _dialect(code: str) -> Iterator[tuple[str, int, str]]:
    """What rego-cpp 1.5.2 takes and answers wrongly.

    Inside `every`, a `not` is true and an inner loop sees no outer variable; a comprehension whose
    head is not a variable may come out empty.
    """
    for start in _EVERY.finditer(code):
        body = code[start.end() : _closing(code, start.end())]
        if _NOT_IN_EVERY.search(body):
            yield "every", start.start(), ""
    for bar in re.finditer(r"\|", code):
        head = code[_opening(code, bar.start()) : bar.start()]
        if head and not _VARIABLE.match(head):
            yield "comprehension", bar.start(), " ".join(head.split())


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
