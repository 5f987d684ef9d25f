"""All that decides, as one value: the Rego modules, their data, the firm's overlay.

`revision` is a hash of exactly that, so two engines of one revision decide alike. Refuses what
must not be loaded: a gate without a policy, and built-ins that reach out of the question.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import rfc8785
import yaml

from halocline_governance.errors import Refused
from halocline_governance.gates import Gate

POLICIES = Path(__file__).parent.parent / "policies"

# What both engines have, and what depends on the question alone. A built-in that an engine lacks
# would be silently undefined there, and http.send, opa.runtime or time would reach out.
BUILTINS = frozenset(
    "array.concat concat count floor is_array is_number is_object is_set is_string lower max"
    " object.keys regex.match set sort split startswith sum trim trim_left trim_space".split()
)

_PACKAGE = re.compile(r"^package halocline\.([a-z_]+)$", re.MULTILINE)
_IMPORT = re.compile(r"^import data\.halocline\.([a-z_]+)$", re.MULTILINE)
_DEFINED = re.compile(r"^(?:default )?([a-z_][a-z0-9_]*)\(", re.MULTILINE)
_CALLED = re.compile(r"(?<![\w.])([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*)\(")
_EVERY = re.compile(r"\bevery\b[^{}]*\{")
_NOT_IN_EVERY = re.compile(r"\bnot\b|\bevery\b|\bsome\b|\|")
_VARIABLE = re.compile(r"\s*[a-z_][a-z0-9_]*\s*\Z")
_TEXT = re.compile(r"`[^`]*`|\"(?:[^\"\\\n]|\\.)*\"|#[^\n]*")
_ISSUER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


@dataclass(frozen=True)
class Bundle:
    """Rego sources by path, and the document mounted at `data`."""

    modules: Mapping[str, str]
    data: Mapping[str, Any]

    @cached_property
    def revision(self) -> str:
        """`sha256:` over the canonical content."""
        whole = {"modules": dict(self.modules), "data": dict(self.data)}
        return "sha256:" + hashlib.sha256(rfc8785.dumps(whole)).hexdigest()


def collect(firm: Mapping[str, Any], policies: Path = POLICIES) -> Bundle:
    """Read and check everything that decides.

    Args:
        firm: the firm's own facts, mounted at `data.firm`; `restricted_issuers` must be there.
        policies: the folder of policies, `<name>/<name>.rego` and `<name>/data.yaml`.

    Raises:
        Refused: a policy is missing, malformed, or uses what it must not.
    """
    modules = {
        str(path.relative_to(policies)): path.read_text(encoding="utf-8")
        for path in sorted(policies.glob("*/*.rego"))
        if not path.name.endswith("_test.rego")
    }
    for gate in Gate:
        if f"{gate.value}/{gate.value}.rego" not in modules:
            raise Refused(f"{policies}: no policy for the {gate.value} gate; restore it")
    for path, source in modules.items():
        _check_module(path, source)
    data = {path.parent.name: _read_data(path) for path in sorted(policies.glob("*/data.yaml"))}
    if "firm" in data:
        raise Refused(f"{policies}: `firm` is the overlay's place; rename the policy")
    bundle = Bundle(modules, {**data, "firm": _checked_firm(firm)})
    _ = bundle.revision
    return bundle


def write(bundle: Bundle, folder: Path, extra: Mapping[str, str] | None = None) -> None:
    """Lay the bundle out as OPA loads it; the manifest carries the revision."""
    for path, source in {**bundle.modules, **(extra or {})}.items():
        target = folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_text(source, encoding="utf-8")
    (folder / "data.json").write_text(json.dumps(bundle.data), encoding="utf-8")
    manifest = {"revision": bundle.revision, "roots": [""]}
    (folder / ".manifest").write_text(json.dumps(manifest), encoding="utf-8")


def _check_module(path: str, source: str) -> None:
    """The package is the folder's, and every call is to a rule or to an allowed built-in."""
    code = _TEXT.sub(" ", source)
    package = _PACKAGE.findall(code)
    if package != [path.split("/")[0]]:
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
    """Refuse what rego-cpp 1.5.2 takes and answers wrongly, each a way to be allowed what OPA
    denies: inside `every`, a `not` is true and an inner loop sees no outer variable; and a
    comprehension whose head is not a variable may come out empty."""
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


def _read_data(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        rfc8785.dumps(data)
    except (yaml.YAMLError, rfc8785.CanonicalizationError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: not plain YAML ({type(error).__name__}); correct it") from None
    if not isinstance(data, dict):
        raise Refused(f"{path}: must be a mapping of settings")
    return cast("dict[str, Any]", data)


def _checked_firm(firm: Mapping[str, Any]) -> dict[str, Any]:
    listed = cast("object", firm.get("restricted_issuers"))
    if not isinstance(listed, list | tuple):
        raise Refused("the firm's data needs restricted_issuers, a list of ids; it may be empty")
    ids = list(cast("list[object]", listed))
    if not all(isinstance(one, str) and _ISSUER.match(one) for one in ids):
        raise Refused(f"restricted_issuers: an id must match {_ISSUER.pattern[:-2]}")
    whole = {**firm, "restricted_issuers": sorted(set(cast("list[str]", ids)))}
    try:
        rfc8785.dumps(whole)
    except rfc8785.CanonicalizationError as error:
        raise Refused(f"the firm's data is not JSON ({type(error).__name__})") from None
    return whole
