"""What was erased is told from the journal alone, and only when it is done."""

from __future__ import annotations

import random
from pathlib import Path

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.finding import OUTPUTS
from halocline_governance.erasure.told import Rows, of, told
from halocline_governance.journal import read
from tests.governance.erasure_world import CLEO, OMAR, World


def test_what_is_done_is_told_from_the_journal_alone(tmp_path: Path, rng: random.Random) -> None:
    world = World(tmp_path, rng)
    world.fill(6, num_commits=1)
    asked = Order("e-0123456789", What.OUTPUT, ("req-000003", "req-010004"), "118", CLEO.subject)
    with world.open_journal() as journal:
        room = world.room(journal)
        room.request(CLEO, asked)
        room.approve(OMAR, asked.id)
        journal.seal()
        assert told(tmp_path / "journal") == []
        room.run(OMAR, asked.id)

    (one,) = told(tmp_path / "journal")

    assert (one.id, one.what, one.names) == (asked.id, "output", asked.names)
    assert one.rows == (Rows("buy", OUTPUTS, 1), Rows("public", OUTPUTS, 1))
    assert one.touched("buy", OUTPUTS)
    assert not one.touched("sell.acme", OUTPUTS)
    done = [e for _, _, e in read(tmp_path / "journal") if e["object"].get("step") == "done"]
    assert [one.ts] == [event["ts"] for event in done]
    # A `done` that stands without the order's own request counts for nothing.
    assert of(p for p in read(tmp_path / "journal") if p[2]["object"].get("step") == "done") == []
