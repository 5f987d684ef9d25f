"""regopy sees every question exactly, however it goes in, and keeps nothing of it."""

from __future__ import annotations

import copy
import json
import string
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.interpreter import Interpreter, needed

Question = dict[str, Any]

_ECHO = """package halocline.read

decision := {"allow": true, "reasons": [], "obligations": {"seen": input, "alike": _alike}}

_alike := [key |
	some key in object.keys(input.resource)
	input.resource[key] == input.context[key]
]
"""
_PLAIN = string.ascii_letters + string.digits + " !#$%&'()*+,-./:;<=>?@[]^_`{|}~\x7f"
_STRINGS = st.text(_PLAIN, max_size=12) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=12
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_STRINGS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def echo() -> Interpreter:
    return Interpreter(Bundle({"read/read.rego": _ECHO}, {}), "read")


def _seen(echo: Interpreter, asked: Question, text: str) -> Question:
    said: Any = echo.decide(asked, text)
    return said["obligations"]


@given(_VALUES, _STRINGS)
def test_what_goes_in_node_by_node_is_what_the_json_says(
    echo: Interpreter, value: object, key: str
) -> None:
    """The same value on either way is equal inside, and comes out as it went in."""
    asked: Question = {"resource": {key: value}, "context": {key: value}, "plain": True}
    text = json.dumps(asked, ensure_ascii=False)

    by_nodes = _seen(echo, asked, text)
    # A note that needs an escape sends the whole question in as JSON text.
    by_text = _seen(echo, {**asked, "note": "\n"}, json.dumps({**asked, "note": "\n"}))

    assert by_nodes["seen"] == asked
    assert by_nodes["alike"] == by_text["alike"] == [key]
    del by_text["seen"]["note"]
    assert by_text["seen"] == asked


@pytest.mark.parametrize(
    "name",
    ["buy\0", "\0", "b\0y", "é", "ⅰ", "a\u2028", '"', "\\", "\\u0062uy", "\\\\", "a\nb", "\x7f"],
)
def test_a_name_is_never_cut_or_unescaped(echo: Interpreter, name: str) -> None:
    asked: Question = {"resource": {"a": name, "b": "buy"}, "context": {"a": name, "b": name}}

    seen = _seen(echo, asked, json.dumps(asked, ensure_ascii=False))

    assert seen == {"seen": asked, "alike": ["a"]}


@pytest.mark.parametrize("long", ["a" * 100_000, "é" * 100_000])
def test_long_text_arrives_whole(echo: Interpreter, long: str) -> None:
    asked: Question = {"resource": {"a": long}, "context": {"a": long}}

    assert _seen(echo, asked, json.dumps(asked))["seen"] == asked


def test_numbers_arrive_exactly(echo: Interpreter) -> None:
    numbers = [0, -1, 2**31, -(2**31) - 1, 2**53, -(2**53), 1_700_000_000.123456, 0.1, 1e-9]
    asked: Question = {"resource": {"n": numbers}, "context": {"n": list(numbers)}}

    assert _seen(echo, asked, json.dumps(asked))["seen"] == asked


def test_a_gate_loads_what_it_imports_and_nothing_else(bundle: Bundle) -> None:
    loaded = set(needed(bundle.modules, "read"))

    assert {"read/read.rego", "proof/proof.rego", "label/label.rego"} <= loaded
    assert not loaded & {"serve/serve.rego", "train/train.rego", "licence/licence.rego"}


def test_nothing_is_kept_of_a_decision(bundle: Bundle, questions: dict[str, Question]) -> None:
    """Memory stays flat, pyarrow loaded too: both bring a C++ runtime."""
    assert pyarrow.__version__
    read = Interpreter(bundle, "read")
    asked = copy.deepcopy(questions["read"])
    text = json.dumps(asked)

    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    for _ in range(100):
        read.decide(asked, text)
    before = pages()
    for _ in range(600):
        read.decide(asked, text)

    assert (pages() - before) * 4096 < 4_000_000, "30 KB a decision are 18 MB"
