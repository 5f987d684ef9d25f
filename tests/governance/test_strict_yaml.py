"""Where two readers could differ about a YAML file, it is none."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml

from halocline_governance.strict_yaml import loads


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2", "a: {b: 1, b: 2}", "- {a: 1, 'a': 2}", '"a": 1\na: 2',
        "<<: {a: 1}", "x: &x {a: 1}\ny: {<<: *x}", "x: &x {a: 1}\ny: {<<: *x, a: 2}",
        "x: &x {a: 1}\ny: {<<: [*x, *x]}", "1: a", "true: a", "null: a", "~: a", "? [a]\n: b",
        "? {a: b}\n: c", "2020-01-01: a", "=: a", "!!int 5: a", "&a a: 1\n*a : 2", "[", "\x00",
        "!!python/object/apply:os.system [true]", "[" * 20_000, b"\xff\xfe\xff", "a: 1\n---\nb: 2",
    ],
)  # fmt: skip
def test_what_has_two_meanings_or_none_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not YAML") as told:
        loads(text)
    assert told.value.__cause__ is None


def test_a_secret_in_a_broken_file_is_not_quoted() -> None:
    with pytest.raises(ValueError, match="not YAML") as told:
        loads("key: hunter2\n  hunter2: [")
    assert "hunter2" not in str(told.value)


def test_what_json_says_means_the_same_here(rng: random.Random) -> None:
    for _ in range(300):
        value = some(rng, 4)
        assert loads(json.dumps(value)) == value == yaml.safe_load(json.dumps(value))


def some(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(6 if depth else 4)
    if kind == 4:
        return [some(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 5:
        names = ("a", "b", "<<", "1", "true", "=", "é")
        return {rng.choice(names): some(rng, depth - 1) for _ in range(rng.randrange(4))}
    return (rng.randrange(100), rng.random() < 0.5, None, rng.choice(("x", "yes", "<<", "")))[kind]
