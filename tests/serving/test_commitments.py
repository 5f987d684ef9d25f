"""The journal can be held against a row and its texts, and without the row against nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from halocline_governance.detect import Verdict
from halocline_governance.records import differences
from halocline_serving.release import as_policy_sees
from tests.serving.conftest import World
from tests.serving.test_outputs import record

PROMPT = "Does Jane Doe of Initech earn 81,500?"
PIECES = ("She does. ", "She has since May. ", "Ask her.\n")
ADDRESS = "jane.doe@initech.example"
_HASH = re.compile(r"[0-9a-f]{64}")


def called(world: World, label: str = "public", *, stream: bool = False) -> str:
    client = world.client(**{"X-Halocline-Label": label})
    ask: Any = client.completions.create
    answer: Any = ask(model="scripted", prompt=PROMPT, stream=stream, temperature=0)
    if not stream:
        return answer.id
    return [chunk.id for chunk in answer][-1]


def guesses(text: str) -> set[bytes]:
    """All that a plain commitment to a text, or to a beginning of it, could look like. The hash
    of nothing is left out: it is the root of a log without records."""
    found = set[bytes]()
    for end in range(1, len(text) + 1):
        data = text[:end].encode()
        for hashed in (hashlib.sha256, hashlib.sha512, hashlib.blake2b, hashlib.md5):
            digest = hashed(data).digest()
            found |= {digest, digest.hex().encode(), base64.b64encode(digest)}
    return found


def test_no_hash_of_a_prompt_or_an_answer_is_in_the_journal(world: World) -> None:
    world.serve_scripted(*PIECES)
    called(world)
    called(world, stream=True)
    with pytest.raises(Exception, match="denied"):
        called(world, "restricted sides=sell")
    texts = [(row["prompt"], row["output"]) for row in world.rows()]
    assert texts.count((PROMPT, "".join(PIECES))) == 2

    journal = b"".join(f.read_bytes() for f in (world.home / "journal").rglob("*") if f.is_file())

    for text in (PROMPT, "".join(PIECES)):
        assert text.encode() not in journal
        assert not [guess for guess in guesses(text) if guess in journal]


def test_a_held_answer_leaves_no_hash_either(world: World) -> None:
    world.serve_scripted(f"Write to {ADDRESS}\n", "now.\n")
    called(world, stream=True)
    assert world.row()["outcome"] == "held"

    journal = b"".join(f.read_bytes() for f in (world.home / "journal").rglob("*") if f.is_file())

    assert ADDRESS.encode() not in journal
    assert not [guess for guess in guesses(f"Write to {ADDRESS}\nnow.\n") if guess in journal]


def test_two_calls_of_the_same_words_have_nothing_in_common(world: World) -> None:
    """So whoever knows one answer, its row and its key learns nothing of another."""
    world.serve_scripted(*PIECES)
    ids = [called(world), called(world)]
    events = world.events("generate", "decision")

    told = [_hashes(events, request_id) for request_id in ids]

    assert all(told)
    assert not told[0] & told[1]


def _hashes(events: list[dict[str, Any]], request_id: str) -> set[str]:
    (made,) = [e["object"] for e in events if e["object"].get("request_id") == request_id]
    asked = [e for e in events if e["object"].get("answer", {}).get("id")]
    (release,) = [e for e in asked if e["object"]["answer"]["id"] == made["release_decision_id"]]
    resource = release["object"]["input"]["resource"]
    assert {v["sha256"] for v in resource["verdicts"]} == {resource["sha256"]}
    assert resource["sha256"] == made["commitments"]["output"] == made["commitments"]["released"]
    return set(_HASH.findall(json.dumps([made["commitments"], resource])))


def test_every_change_of_a_row_is_found(world: World) -> None:
    world.serve_scripted(*PIECES)
    called(world)
    (told,) = world.events("generate")
    row = world.row()

    assert differences(row, told["object"]) == []
    for name, value in row.items():
        other = value + 1 if isinstance(value, int | float) else "f" * 64
        assert differences({**row, name: other}, told["object"]), name


def test_scores_are_told_in_hundredths_and_never_lower() -> None:
    def seen(score: float | None) -> Mapping[str, Any]:
        verdict = Verdict("toxicity@1", "a" * 64, "clean", {}, score)
        return as_policy_sees(verdict, lambda digest: digest)

    assert seen(None)["score"] is None
    for hundredth in range(101):
        assert seen(hundredth / 100)["score"] == hundredth / 100
    assert seen(0.500001)["score"] == 0.51


def test_a_commitment_needs_its_key() -> None:
    one = record(prompt_sha256="b" * 64)

    again = replace(one, commitment_key="d" * 64)

    assert one.commitment()["commitments"].keys() == {"prompt", "row"}
    pairs = one.commitment()["commitments"], again.commitment()["commitments"]
    assert all(pairs[0][name] != pairs[1][name] for name in pairs[0])
