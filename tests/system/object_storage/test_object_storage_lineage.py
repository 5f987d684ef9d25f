"""Lineage of rows that lie in a bucket: the same answers, and a gap without the credential."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deltalake import write_deltalake

from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage, fingerprint
from halocline_governance.refs import DatasetRef, ModelRef
from tests.governance.lineage_world import CURATED, arrow, full

if TYPE_CHECKING:
    from tests.system.object_storage.conftest import Servers

pytestmark = pytest.mark.system

BUY = Label("internal", ("buy",))


def write(lake: Lake, *uids: int) -> None:
    label_id, sha = lake.intern(BUY), "a" * 64
    rows = [
        full(CURATED, row_uid=uid, label_id=label_id, source="web", content_sha256=sha)
        for uid in uids
    ]
    with lake.lease("buy", CURATED) as place:
        options = dict(place.storage_options)
        write_deltalake(place.uri, arrow(CURATED, rows), mode="append", storage_options=options)


def test_rows_in_a_bucket_are_followed(servers: Servers, tmp_path: Path) -> None:
    server = servers.fresh()
    lake = server.lake(tmp_path / "home", "buy")
    write(lake, 1, 2)
    write(lake, 3)
    with lake.lease("buy", CURATED) as place:
        place.delta().delete("row_uid = 1")
    lineage = Lineage(lake)
    whole = fingerprint.of((uid, "a" * 64) for uid in (1, 2, 3))
    ref = DatasetRef(CURATED, "buy", 1, (BUY.label_id,), 3, whole, "d")
    dsv_id = lineage.add_dataset(ref, BUY)
    lineage.add_mixture("mix", "{}", [(dsv_id, 1.0)])
    lineage.add_run("run", "mix", [(dsv_id, 1.0, 4, 4)])
    lineage.add_model(ModelRef("house", 1, "w", BUY), "run")

    assert sorted(lineage.dataset_rows(dsv_id)) == [1, 2, 3]
    assert lineage.fingerprint_of("buy", CURATED, 1) == (3, whole)
    assert list(lineage.reached(f"row:buy:{CURATED}/1", "model")) == ["house/1"]
    assert lineage.impact("source:web").rows == {f"buy:{CURATED}": (2, 3)}
    write(lake, 4)
    assert lineage.impact("source:web").rows == {f"buy:{CURATED}": (3, 4)}
    assert list((tmp_path / "home/state/lineage").glob("rows-buy.sqlite"))
    other = Lineage(server.lake(tmp_path / "other"), folder=tmp_path / "index")
    told = other.trace(f"row:buy:{CURATED}/1")
    assert told.of("model") == []
    assert told.gaps == ["buy: cannot be read from here"]
