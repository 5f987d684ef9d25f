"""A new policy as a quartet that denies everything: what its author starts from."""

from __future__ import annotations

import re
from pathlib import Path

from halocline_governance.errors import Refused

_NAME = re.compile(r"[a-z][a-z_]{1,30}[a-z]\Z")
_KEYWORDS = frozenset(
    [
        "as",
        "contains",
        "default",
        "else",
        "every",
        "false",
        "if",
        "import",
        "in",
        "input",
        "data",
        "not",
        "null",
        "package",
        "some",
        "true",
        "with",
    ]
)
_TAKEN = frozenset({"system", "firm", "data", "input", "rego", "test"})

_POLICY = """\
# METADATA
# title: NAME gate
# description: What may the caller do? Say it in one sentence.
package halocline.NAME

import data.halocline.proof

needs := {
	"well_formed": "the input is malformed: say what it must have",
	"role": "no role of the caller may do this for this purpose",
	"reviewed": "nobody has said yet what proves this",
}

# METADATA
# title: Decision of the NAME gate
# description: Obliges to nothing.
# entrypoint: true
default decision := {"allow": false, "reasons": ["nothing could be proven"], "obligations": {}}

decision := proof.allowed({}) if _missing == set()

decision := proof.denied(needs, _missing) if _missing != set()

_missing := object.keys(needs) - proven

proven contains "well_formed" if proof.asked

proven contains "role" if proof.role(data.NAME.roles)

# Denies until somebody writes down what proves it; then this setting goes.
proven contains "reviewed" if data.NAME.reviewed == true
"""

_TEST = """\
package halocline.NAME_test

import data.halocline.NAME

_label := {"sensitivity": "internal", "sides": [], "tenants": [], "ndas": [], "issuers": []}

_input := {
	"principal": {"subject": "bea", "roles": ["analyst"], "clearance": _label},
	"purpose": "analysis",
	"resource": {},
	"context": {"now": 1700000000},
}

_decision(question) := decision if {
	decision := NAME.decision with input as question
		with data.firm as {"restricted_issuers": []}
}

_told(question) := _decision(question).reasons if not _decision(question).allow

test_denies_everything_by_default if {
	_told(_input) == [NAME.needs.role, NAME.needs.reviewed]
}

test_malformed if {
	every question in [{}, null, object.remove(_input, ["principal"])] {
		_told(question) == [NAME.needs.well_formed]
	}
}

test_denies_when_nothing_can_be_told if {
	not NAME.decision.allow with NAME.needs as null
}

test_each_fact_is_needed if {
	_told(_input) == [NAME.needs.reviewed] with data.NAME.roles as {"analysis": ["analyst"]}
	_told(_input) == [NAME.needs.role] with data.NAME.reviewed as true
}

test_allows_what_is_proven if {
	_decision(_input).allow with data.NAME.roles as {"analysis": ["analyst"]}
		with data.NAME.reviewed as true
}
"""

_DATA = """\
# Which roles may do this, by purpose. Nobody yet.
roles: {}
# Has somebody written down what proves it?
reviewed: false
"""

_PAGE = """\
# NAME gate

*What may the caller do?* Say who asks.

Entry point `data.halocline.NAME.decision`, package `halocline.NAME`.

## Input

Beside `principal`, `purpose` and `context.now` (seconds since the epoch), which every gate gets:

| `resource` | |
| --- | --- |

## What is proven

All of it, or the answer is no. A denial gives the sentence of each fact that is missing; a
malformed input gets the first alone.

| fact | proven when | reason of the denial |
| --- | --- | --- |
| `well_formed` | every part has its shape | the input is malformed: say what it must have |
| `role` | a role of the caller may | no role of the caller may do this for this purpose |
| `reviewed` | somebody has said what proves this | nobody has said yet what proves this |

## Obligations

None.

## Configuration

`NAME/data.yaml`

| key | |
| --- | --- |
| `data.NAME.roles` | Roles that may do this, by purpose. |
| `data.NAME.reviewed` | Whether somebody has said what proves this. |
"""


def create(name: str, folder: Path) -> list[Path]:
    """Write the quartet of a policy into a folder; nothing that is there is overwritten.

    Raises:
        Refused: a name that is none, or files that are there already.
    """
    if not _NAME.match(name) or name in _TAKEN | _KEYWORDS or name.endswith("_test"):
        raise Refused(f"{name}: a policy's name is lower-case letters and _, and not reserved")
    contents = {
        folder / name / f"{name}.rego": _POLICY,
        folder / name / f"{name}_test.rego": _TEST,
        folder / name / "data.yaml": _DATA,
        folder / name / f"{name}.md": _PAGE,
    }
    for path in contents:
        if path.exists():
            raise Refused(f"{path} is there already; choose another name or folder")
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("NAME", name), encoding="utf-8")
    return list(contents)


def next_steps(name: str, folder: Path) -> list[str]:
    """What its author does now."""
    return [
        f"write in {folder}/{name}/{name}.rego what proves each fact; keep lists in data.yaml",
        f"halocline policy lint {folder} && halocline policy test {folder}",
        f"halocline policy coverage {folder}",
        "move it into the policies and its page to docs/policies/, add vectors, make check",
        "halocline policy diff current POLICIES --fail-on-allow shows what it would change",
    ]
