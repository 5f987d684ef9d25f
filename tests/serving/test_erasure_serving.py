"""An answer is erased while the service that gave it runs."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.errors import Refused
from halocline_governance.journal import Journal
from halocline_governance.label import PUBLIC
from halocline_governance.lake import Lake
from halocline_governance.records import InferenceRecord
from halocline_serving.outputs import Outputs
from tests.governance.erasure_world import CLEO, OMAR, World, everything
from tests.serving.test_outputs import record, rows


def answered(outputs: Outputs, prompt: str) -> InferenceRecord:
    admission = outputs.admit(record(prompt=prompt), PUBLIC)
    done = replace(admission.record, outcome="released", output=f"{prompt} indeed")
    outputs.finish(admission, done)
    return done


def order(*request_ids: str) -> Order:
    return Order("e-0123456789", What.OUTPUT, request_ids, "request 118", CLEO.subject)


def holding(lake: Lake, text: str) -> list[Path]:
    return [file for file, data in everything(lake.root) if text.encode() in data]


def erase(world: World, journal: Journal, asked: Order, wait_s: float = 30.0) -> None:
    room = world.room(journal, wait_s=wait_s)
    if asked.id not in {one.order.id for one in room.all()}:
        room.request(CLEO, asked)
        room.approve(OMAR, asked.id)
    room.run(CLEO, asked.id)


def test_an_answer_of_a_running_service_is_erased_everywhere(
    tmp_path: Path, rng: random.Random
) -> None:
    world = World(tmp_path, rng)
    with world.open_journal() as journal, Outputs(world.lake, journal, every_s=0.05) as outputs:
        first, gone, last = (answered(outputs, f"prompt-{name}") for name in ("a", "b", "c"))
        assert holding(world.lake, "prompt-b")

        erase(world, journal, order(gone.request_id))

        assert not holding(world.lake, "prompt-b")
        after = answered(outputs, "prompt-d")
        outputs.flush()
        told = [row["request_id"] for row in rows(world.lake)]
        assert sorted(told) == sorted(one.request_id for one in (first, last, after))
    assert not holding(world.lake, "prompt-b")


def test_an_open_call_keeps_the_order_open(tmp_path: Path, rng: random.Random) -> None:
    world = World(tmp_path, rng)
    with world.open_journal() as journal, Outputs(world.lake, journal, every_s=0.05) as outputs:
        gone = answered(outputs, "prompt-b")
        open_call = outputs.admit(record(), PUBLIC)
        with pytest.raises(Refused, match="open calls"):
            erase(world, journal, order(gone.request_id), wait_s=0.5)

        outputs.finish(open_call, replace(open_call.record, outcome="released"))
        erase(world, journal, order(gone.request_id))

        assert not holding(world.lake, "prompt-b")
    assert [row["request_id"] for row in rows(world.lake)] == [open_call.record.request_id]


def test_no_text_is_in_the_delta_log(tmp_path: Path, rng: random.Random) -> None:
    world = World(tmp_path, rng)
    with world.open_journal() as journal, Outputs(world.lake, journal) as outputs:
        done = answered(outputs, "prompt-b")
    log = world.lake.path("public", "serving.outputs") / "_delta_log"
    told = b"".join(file.read_bytes() for file in log.iterdir())

    assert b"prompt-b" not in told
    assert done.commitment_key.encode() not in told
    assert done.request_id.encode() in told
