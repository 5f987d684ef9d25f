"""What is erased from a compartment in a bucket is in none of its objects."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.finding import OUTPUTS, RAW
from halocline_governance.lake.s3 import S3Client
from tests.governance.erasure_world import CLEO, OMAR, World, key, word
from tests.system.object_storage.conftest import Server, Servers

pytestmark = pytest.mark.system


def objects(server: Server) -> Iterator[tuple[str, bytes]]:
    """Every object's bytes, and of Parquet what it says when it is read."""
    client = S3Client("buy", server.user("buy").place)
    for name in [name for name, _ in client.etags("")]:
        held = client.get(name)
        assert held is not None
        yield name, held.content
        if name.endswith(".parquet") and "_delta_log" not in name:
            read: Any = pq.ParquetFile(io.BytesIO(held.content))
            yield name, json.dumps(read.read().to_pylist(), default=repr).encode()


def test_no_object_has_what_was_erased(
    servers: Servers, tmp_path: Path, rng: random.Random
) -> None:
    server = servers.fresh()  # in the shared one, other tests' tables stand where its own belong
    world = World(tmp_path, rng, elsewhere=server.lake(tmp_path / "home", "buy"))
    world.fill(12)
    asked = [
        Order("e-0000000001", What.SUBJECT, (key(3), key(4)), "request 118", CLEO.subject),
        Order("e-0000000002", What.OUTPUT, ("req-010001",), "request 118", CLEO.subject),
    ]
    with world.open_journal() as journal:
        room = world.room(journal)
        for order in asked:
            room.request(CLEO, order)
            room.approve(OMAR, order.id)
            assert room.run(CLEO, order.id)["state"] == "done"

    stays = {row["row_uid"] for row in world.wanted("buy", RAW, asked[0])}
    gone = {row["row_uid"] for row in world.made[("buy", RAW)]} - stays
    assert gone
    assert stays
    assert {row["row_uid"] for row in world.rows("buy", RAW)} == stays
    assert len(world.rows("buy", OUTPUTS)) == 11
    texts = [f"{word(uid)} {kind}".encode() for uid in gone for kind in ("raw", "curated")]
    texts += [f"{word(10_001)} {kind}".encode() for kind in ("asked", "answered")]
    told = list(objects(server))
    assert told
    assert not [name for name, data in told for text in texts if text in data]
    kept = f"{word(min(stays))} raw".encode()
    assert [name for name, data in told if kept in data]
