"""The lint on OPA's own reading of a policy: `opa parse`, not text.

Finds what `lint` finds, by another road; a corpus of evil policies holds the two together.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from halocline_governance.errors import Refused
from halocline_governance.policy.coverage import ask
from halocline_governance.policy.lint import BUILTINS, ONE_WORD, Finding, findings, text_findings

# How OPA writes operators.
_OPERATORS = frozenset(
    {
        *("and", "assign", "div", "eq", "equal", "gt", "gte", "internal.member_2"),
        *("internal.member_3", "lt", "lte", "minus", "mul", "neq", "or", "plus", "rem"),
    }
)
Node = Mapping[str, Any]


def lint(opa: Path | None, folder: Path) -> list[Finding]:
    """Every finding in a folder of policies, from the text and from OPA's reading, each once.

    Raises:
        Refused: OPA is not there, or the folder holds no policy.
    """
    found: dict[tuple[str, int, str], Finding] = {}
    paths = [path for path in sorted(folder.glob("*/*.rego")) if not _is_test(path)]
    if not paths:
        raise Refused(f"{folder}: no policy in it; they are NAME/NAME.rego")
    for path in paths:
        name = f"{path.parent.name}/{path.name}"
        try:
            source = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Refused(f"{name} is not UTF-8 text") from None
        for finding in (*findings(name, source), *parsed_findings(opa, name, source)):
            found.setdefault((finding.path, finding.line, finding.rule), finding)
    return sorted(found.values(), key=lambda one: (one.path, one.line, one.rule))


def parsed_findings(opa: Path | None, path: str, source: str) -> Iterator[Finding]:
    """All that is wrong with a policy as OPA reads it, `path` being `<name>/<name>.rego`.

    Raises:
        Refused: OPA is not there.
    """
    yield from text_findings(path, source)
    with tempfile.NamedTemporaryFile("w", suffix=".rego", encoding="utf-8", newline="") as file:
        file.write(source)
        file.flush()
        arguments = ("--format", "json", "--json-include", "locations", file.name)
        told: dict[str, Any] = json.loads(ask(opa, "parse", *arguments).stdout or b"{}")
    if "package" not in told:
        yield Finding(
            path, max((_row(error) for error in _list(told, "errors")), default=0), "parse"
        )
        return
    for rule, node, what in _module(path, told):
        yield Finding(path, _row(node), rule, what)


def _module(path: str, module: Node) -> Iterator[tuple[str, Node, str]]:
    name = path.split("/", maxsplit=1)[0]
    if _dotted(module["package"]["path"]) != f"data.halocline.{name}":
        yield "package", module["package"], ""
    imported: set[str] = set()
    for one in _list(module, "imports"):
        parts = _dotted(one["path"]["value"]).split(".")
        if "alias" not in one and parts[:2] == ["data", "halocline"] and len(parts) == 3:
            imported.add(parts[2])
        elif "alias" in one or parts != ["rego", "v1"]:
            yield "import", one["path"], ""
    titled = {note["scope"] for note in _list(module, "annotations") if note.get("title")}
    if "package" not in titled:
        yield "metadata", module["package"], "package"
    rules = _list(module, "rules")
    yield from _decisions(rules)
    functions = {str(rule["head"]["name"]) for rule in rules if rule["head"].get("args")}
    for rule in rules:
        if rule["head"]["ref"][0]["value"] in ONE_WORD:
            yield "shadow", rule, str(rule["head"]["ref"][0]["value"])
    for node in _nodes(rules):
        yield from _calls(node, functions, imported)
        yield from _dialect(node)


def _decisions(rules: list[Node]) -> Iterator[tuple[str, Node, str]]:
    for rule in rules:
        if rule.get("default") and rule["head"]["value"].get("value") is True:
            yield "default-allow", rule, ""
    mine = [rule for rule in rules if rule["head"]["ref"][0]["value"] == "decision"]
    if not mine:
        return
    defaults = [rule for rule in mine if rule.get("default")]
    if len(defaults) != 1 or not _denies(defaults[0]["head"]["value"]):
        yield "default-deny", mine[0], ""
    notes = [note for rule in defaults for note in _list(rule, "annotations")]
    if not any(note.get("title") and note.get("entrypoint") for note in notes):
        yield "metadata", mine[0], "decision"


def _denies(value: Node) -> bool:
    if value["type"] != "object":
        return False
    fields = {key["value"]: item["value"] for key, item in value["value"]}
    return fields.get("allow") is False


def _calls(node: Node, functions: set[str], imported: set[str]) -> Iterator[tuple[str, Node, str]]:
    for change in _list(node, "with"):
        yield "with", change["target"], ""
    if node.get("type") == "templatestring":
        yield "template", node, ""
    terms = node.get("value") if node.get("type") == "call" else node.get("terms")
    if not isinstance(terms, list):
        return
    name = _dotted(cast("list[Any]", terms)[0]["value"])
    is_theirs = name.partition(".")[0] in imported and "." in name
    if name not in BUILTINS | _OPERATORS | functions and not is_theirs:
        yield "builtin", node, name


def _dialect(node: Node) -> Iterator[tuple[str, Node, str]]:
    terms = node.get("terms")
    if isinstance(terms, dict) and "domain" in terms:
        body = cast("Node", terms)["body"]
        if any(_is_inner(inner) for inner in _nodes(body)):
            yield "every", node, ""
    kind = str(node.get("type", ""))
    if kind.endswith("comprehension") and node["value"].get("term", {}).get("type") != "var":
        yield "comprehension", node, ""


def _is_inner(node: Node) -> bool:
    """A `not`, a loop or a comprehension."""
    terms = node.get("terms")
    has_loop = isinstance(terms, dict) and not {"domain", "symbols"}.isdisjoint(cast("Node", terms))
    return bool(
        node.get("negated") or has_loop or str(node.get("type", "")).endswith("comprehension")
    )


def _nodes(value: object) -> Iterator[Node]:
    """Every object in the tree."""
    if isinstance(value, dict):
        node = cast("dict[str, Any]", value)
        yield node
        for key, item in node.items():
            if key not in ("location", "annotations"):
                yield from _nodes(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _nodes(item)


def _list(node: Node, key: str) -> list[Node]:
    return cast("list[Node]", node.get(key) or [])


def _dotted(terms: object) -> str:
    """A reference as text; a part that is no name stays as it would be seen."""
    if not isinstance(terms, list):
        return str(terms)
    return ".".join(str(term["value"]) for term in cast("list[Node]", terms))


def _row(node: Node) -> int:
    for inner in _nodes(node):
        place = inner.get("location")
        if isinstance(place, dict) and "row" in place:
            return int(cast("Node", place)["row"])
    return 0


def _is_test(path: Path) -> bool:
    return path.name.endswith("_test.rego")
