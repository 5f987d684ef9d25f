"""All that decides, as one value: the Rego modules, their data, the firm's overlay.

`revision` is a hash of exactly that, so two engines of one revision decide alike. Knows no engine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import rfc8785

from halocline_governance import strict_yaml
from halocline_governance.errors import Refused
from halocline_governance.gates import Gate
from halocline_governance.policy.firm import facts_of
from halocline_governance.policy.lint import check

POLICIES = Path(__file__).parent.parent / "policies"

AUTHZ_PATH = "system/authz.rego"
# Who may ask an OPA server that loads a bundle, and what. The hash of the bearer token is the
# server's own label `access`; a server without one answers nobody.
AUTHZ = """package system.authz

default allow := false

allow if {
	_known
	input.method == "POST"
	input.path[0] == "v1"
	input.path[1] == "data"
	input.path[2] == "halocline"
	input.path[4] == "decision"
	count(input.path) == 5
}

allow if {
	_known
	input.method == "GET"
	input.path == ["health"]
}

_known if crypto.sha256(input.identity) == opa.runtime().config.labels.access
"""


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
    data = {path.parent.name: _read_data(path) for path in sorted(policies.glob("*/data.yaml"))}
    if "firm" in data:
        raise Refused(f"{policies}: `firm` is the overlay's place; rename the policy")
    return checked(modules, {**data, "firm": facts_of(firm)}, str(policies))


def checked(modules: Mapping[str, str], data: Mapping[str, Any], origin: str) -> Bundle:
    """These policies and data as a bundle, fit to be loaded.

    Raises:
        Refused: a gate has no policy, a policy uses what it must not, or the firm's facts are
            malformed.
    """
    for gate in Gate:
        if f"{gate.value}/{gate.value}.rego" not in modules:
            raise Refused(f"{origin}: no policy for the {gate.value} gate; restore it")
    for path, source in modules.items():
        check(path, source)
    firm = cast("object", data.get("firm"))
    if not isinstance(firm, Mapping) or facts_of(cast("Mapping[str, Any]", firm)) != firm:
        raise Refused(f"{origin}: the firm's facts are not as `halocline policy build` writes them")
    bundle = Bundle(modules, data)
    try:
        _ = bundle.revision
    except rfc8785.CanonicalizationError as error:
        raise Refused(f"{origin}: the data is not JSON ({type(error).__name__})") from None
    return bundle


def layout(bundle: Bundle, epoch: int) -> dict[str, bytes]:
    """The bundle as files that OPA loads, by name; the manifest carries revision and epoch."""
    manifest = {"revision": bundle.revision, "roots": [""], "metadata": {"epoch": epoch}}
    modules = {name: source.encode() for name, source in bundle.modules.items()}
    return {
        **modules,
        AUTHZ_PATH: AUTHZ.encode(),
        "data.json": json.dumps(bundle.data, ensure_ascii=False).encode(),
        ".manifest": json.dumps(manifest).encode(),
    }


def _read_data(path: Path) -> dict[str, Any]:
    try:
        data: Any = strict_yaml.loads(path.read_bytes())
        rfc8785.dumps(data)
    except (ValueError, rfc8785.CanonicalizationError) as error:
        raise Refused(f"{path}: not plain YAML ({type(error).__name__}); correct it") from None
    if not isinstance(data, dict):
        raise Refused(f"{path}: must be a mapping of settings")
    return cast("dict[str, Any]", data)
