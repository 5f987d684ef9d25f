"""The Rego twin of labels says what label.py says, on regopy and on OPA, for labels and junk."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from regopy import Interpreter

from halocline_governance.errors import MalformedLabel, NoCompartment
from halocline_governance.label import AXES, SENSITIVITIES, Label, join, parse
from halocline_governance.policy.bundle import POLICIES

_TODAY = ["i2", "i3"]
_PROBE = """package probe

import data.halocline.label

well_formed contains i if {
	some i, pair in input.pairs
	label.well_formed(pair.a)
}

below contains i if {
	some i, pair in input.pairs
	label.well_formed(pair.a)
	label.well_formed(pair.b)
	label.below(pair.a, pair.b)
}

accessible contains i if {
	some i, pair in input.pairs
	label.accessible(pair.a, pair.b, input.today)
}

within_clearance contains i if {
	some i, pair in input.pairs
	label.well_formed(pair.b)
	label.within_clearance(pair.a, pair.b, input.today)
}

joins[i] := joined if {
	some i, pair in input.pairs
	joined := label.join([pair.a, pair.b])
}

compartments[i] := compartment if {
	some i, pair in input.pairs
	label.well_formed(pair.a)
	compartment := label.compartment(pair.a)
}
"""
_RULES = ("well_formed", "below", "accessible", "within_clearance", "joins", "compartments")
_JUNK: tuple[object, ...] = (
    *(None, True, 0, -1, 1.5, "", "public", "Public", "buy", "b\0y", "b\n", "é", "-buy", "x" * 33),
    *("y" * 65, [], {}, ["buy"], ["buy", "buy"], ["sell", "buy"], [None], [["buy"]], ["", "a"]),
    *({"0": "buy"}, ["system"], ["x"], ["a.b"], ["A"], ["a_b"], ["9a"], "confidential"),
)


_SPELLED = (
    "",
    "-c",
    ".d",
    "9",
    "_b",
    "a",
    "a_b",
    "b,_c",
    "b-c",
    "c d",
    "é",
    "x",
    "x" * 64,
    "y" * 65,
)


def _label(rng: random.Random) -> dict[str, Any]:
    names = {"sides": "s", "tenants": "t", "ndas": "n", "issuers": "i"}
    axes = {
        axis: sorted(f"{letter}{k}" for k in range(4) if rng.random() < rng.choice((0.1, 0.5)))
        for axis, letter in names.items()
    }
    return {"sensitivity": rng.choice(SENSITIVITIES), **axes}


def _damaged(rng: random.Random, label: dict[str, Any]) -> Any:
    key = rng.choice(("sensitivity", *AXES, "note"))
    if rng.random() < 0.1:
        return rng.choice(_JUNK)
    if rng.random() < 0.2:
        return {name: value for name, value in label.items() if name != key}
    if rng.random() < 0.3 and key in AXES:
        return {**label, key: sorted(rng.sample(_SPELLED, rng.randint(1, 4)))}
    if rng.random() < 0.4 and isinstance(label.get(key), list):
        return {**label, key: [*label[key], rng.choice(_JUNK)]}
    return {**label, key: rng.choice(_JUNK)}


def _pairs(rng: random.Random, count: int) -> list[dict[str, Any]]:
    def one() -> Any:
        label = _label(rng)
        return _damaged(rng, label) if rng.random() < 0.4 else label

    # Two labels drawn apart hardly ever lie one below the other.
    firsts = [one() for _ in range(count)]
    return [{"a": a, "b": a if rng.random() < 0.1 else one()} for a in firsts]


def _understood(obj: Any) -> Label | None:
    """What policies take for a label: canonical JSON of one, nothing left out or reordered."""
    try:
        label = parse(obj)
    except MalformedLabel:
        return None
    return label if label.as_json() == obj else None


def _expected(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    said = _nothing_said()
    for i, pair in enumerate(pairs):
        a, b = _understood(pair["a"]), _understood(pair["b"])
        if a is None:
            continue
        said["well_formed"].append(i)
        with suppress(NoCompartment):
            said["compartments"][str(i)] = a.compartment
        if b is None:
            continue
        said["joins"][str(i)] = join([a, b]).as_json()
        today = Label(a.sensitivity, a.sides, a.tenants, a.ndas, _listed(a.issuers))
        said["below"] += [i] if a <= b else []
        said["accessible"] += [i] if today <= b else []
    said["within_clearance"] = said["accessible"]
    return said


def _nothing_said() -> dict[str, Any]:
    said: dict[str, Any] = {}
    for rule in _RULES:
        said[rule] = {} if rule in ("joins", "compartments") else []
    return said


def _listed(issuers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in issuers if name in _TODAY)


def _on_regopy(asked: str) -> dict[str, Any]:
    rego = Interpreter()
    rego.add_module("label.rego", (POLICIES / "label/label.rego").read_text())
    rego.add_module("probe.rego", _PROBE)
    built = rego.build(None, [f"probe/{rule}" for rule in _RULES])
    rego.set_input_term(asked)
    return {rule: rego.query_bundle_entrypoint(built, f"probe/{rule}")[0][0] for rule in _RULES}


def _on_opa(opa: Path, folder: Path, asked: str) -> dict[str, Any]:
    (folder / "probe.rego").write_text(_PROBE)
    command = [opa, "eval", "--stdin-input", "--format", "raw", "data.probe"]
    files = [f"--data={POLICIES / 'label/label.rego'}", f"--data={folder / 'probe.rego'}"]
    done = subprocess.run(
        [*command, *files], input=asked, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """Sets in one order and keys as text, as each engine writes them differently."""
    plain: dict[str, Any] = {}
    for rule in _RULES:
        value: Any = said[rule]
        if rule in ("joins", "compartments"):
            plain[rule] = {str(key): item for key, item in value.items()}
        else:
            plain[rule] = sorted(value)
    return plain


@pytest.mark.timeout(3600)
def test_the_rego_twin_agrees(
    rng: random.Random, scale: Callable[[int, int], int], opa: Path, tmp_path: Path
) -> None:
    expected: dict[str, Any] = {}
    for _ in range(scale(2, 200)):
        pairs = _pairs(rng, 500)
        asked = json.dumps({"pairs": pairs, "today": _TODAY}, ensure_ascii=False)

        expected = _expected(pairs)

        assert _plain(_on_regopy(asked)) == _plain(expected)
        assert _plain(_on_opa(opa, tmp_path, asked)) == _plain(expected)
    assert all(expected.values()), "the generator must reach every rule"


@pytest.mark.parametrize("axis", AXES)
def test_a_name_is_spelled_alike(axis: str, opa: Path, tmp_path: Path) -> None:
    """Every character at the start and inside of a name, and every length around the limits."""
    characters = [chr(code) for code in range(0x250)]
    names = [
        *characters,
        *(f"a{c}" for c in characters),
        *("a" * n for n in range(1, 70)),
        "1a",
        "١",
    ]
    pairs = [{"a": Label("public").as_json() | {axis: [name]}, "b": None} for name in names]
    asked = json.dumps({"pairs": pairs, "today": _TODAY}, ensure_ascii=False)
    expected = [i for i, pair in enumerate(pairs) if _understood(pair["a"]) is not None]

    assert sorted(_on_regopy(asked)["well_formed"]) == expected
    assert sorted(_on_opa(opa, tmp_path, asked)["well_formed"]) == expected
