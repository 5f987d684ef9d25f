"""All that decides, as one value: the Rego modules, their data, the firm's overlay.

`revision` is a hash of exactly that, so two engines of one revision decide alike. Knows no engine.
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
from halocline_governance.policy.lint import check

POLICIES = Path(__file__).parent.parent / "policies"

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
        check(path, source)
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
