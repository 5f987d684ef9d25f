"""A training run: gated, recorded, resumed where it was killed, and visible to an MLflow client."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from deltalake import DeltaTable, write_deltalake
from mlflow import MlflowClient

from halocline_governance import keys, tables
from halocline_governance.errors import Denied, Refused, Unverified
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal
from halocline_governance.records import row_uid
from halocline_pipelines.recipes.pretrain import tiny
from halocline_pipelines.training import checkpoint, model, packing, tokenizer
from halocline_pipelines.training.checkpoint import Progress
from halocline_pipelines.training.inputs import TrainRequest, TrainSource
from halocline_pipelines.training.outcome import TrainedRun
from halocline_pipelines.training.run import Site, train
from halocline_registry.tracking import Tracking

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

CURATED = "curated.documents"
BUY = Label("confidential", sides=("buy",))
SELL = Label("restricted", sides=("sell",), issuers=("acme",))
SERVICE = Principal("svc:train", ("service",), BUY)
SOURCES = (TrainSource(f"public:{CURATED}"), TrainSource(f"buy:{CURATED}", 3))
REQUEST = TrainRequest(SERVICE, SOURCES)

OpenSite = Callable[[Path], Site]


def site_in(home: Path) -> tuple[Site, Journal]:
    """A site with real policies, a real journal and a real MLflow store."""
    journal = Journal.open(home / "journal", Signer(keys.ed25519(home / "keys" / "journal")))
    gates = Gates(open_engine("embedded", None, {"restricted_issuers": ["acme"]}), journal)
    lake, tracking = Lake(home / "lake"), Tracking.local(home / "mlflow")
    site = Site(lake, Guard(lake, gates), gates, Lineage(lake), tracking, home / "training")
    return site, journal


@pytest.fixture(scope="module")
def open_site() -> Iterator[OpenSite]:
    """`open_site(home)`; journals are closed at the end."""
    journals: list[Journal] = []

    def opened(home: Path) -> Site:
        site, journal = site_in(home)
        journals.append(journal)
        return site

    yield opened
    for journal in journals:
        journal.close()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nobody trained in: documents, and MLflow's tables, which it makes in seconds."""
    home = tmp_path_factory.mktemp("bare")
    fill(Lake(home / "lake"))
    client: Any = MlflowClient(tracking_uri=Tracking.local(home / "mlflow").uri)
    client.search_experiments()
    return home


@pytest.fixture
def site(tmp_path: Path, bare: Path, open_site: OpenSite) -> Site:
    return open_site(shutil.copytree(bare, tmp_path, dirs_exist_ok=True))


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, open_site: OpenSite
) -> tuple[Site, TrainedRun]:
    """One run to its end, for those who only look; in a home that has nothing but documents."""
    site = open_site(tmp_path_factory.mktemp("finished"))
    fill(site.lake)
    return site, train(site, tiny(), REQUEST)


def fill(lake: Lake) -> None:
    for label, word in ((PUBLIC, "package"), (BUY, "position"), (SELL, "memo")):
        put(lake, label, [f"The {word} number {n} is a {word} like any other." for n in range(40)])


def put(lake: Lake, label: Label, texts: list[str]) -> None:
    where = label.compartment
    rows: list[dict[str, Any]] = [
        {
            "row_uid": row_uid(where, text),
            "label_id": lake.intern(label),
            "source": "test",
            "licence": "MIT AND Apache-2.0" if where == "public" else "LicenseRef-Internal",
            "language": "en",
            "content_sha256": f"{row_uid(text):064x}",
            "subject_keys": [],
            "num_pii": 0,
            "text": text,
            "recipe": "r",
            "run_id": "t",
        }
        for text in texts
    ]
    data = pa.Table.from_pylist(rows, schema=tables.table(CURATED).arrow())
    with lake.lease(where, CURATED) as place:
        write_deltalake(place.uri, data, mode="append")


def events(site: Site, kind: str) -> list[dict[str, Any]]:
    folder = site.folder.parent / "journal"
    return [event for _, _, event in read(folder) if event["kind"] == kind]


def client_of(site: Site) -> MlflowClient:
    """A client that knows the store's address and nothing else of ours."""
    uri = f"sqlite:///{site.folder.parent}/mlflow/mlflow.db"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_the_run_carries_the_join_of_its_inputs(finished: tuple[Site, TrainedRun]) -> None:
    site, run = finished

    assert run.label == PUBLIC | BUY
    assert run.model_dir.is_relative_to(site.folder / "buy")
    assert {ref.compartment for ref in run.inputs} == {"public", "buy"}
    assert run.licences == ("Apache-2.0", "LicenseRef-Internal", "MIT")
    assert run.num_steps == 12
    assert run.evaluation.num_tokens > 0


def test_what_it_made_lies_where_its_label_does(finished: tuple[Site, TrainedRun]) -> None:
    site, run = finished
    packed = DeltaTable(site.lake.path("buy", packing.TABLE)).to_pyarrow_table()

    assert site.lake.holding(packing.TABLE) == ["buy"]
    assert set(packed["label_id"].to_pylist()) == {run.label.label_id}
    assert site.lake.labels("buy")[run.label.label_id] == run.label


def test_only_what_was_packed_to_be_trained_on_is_drawn(
    finished: tuple[Site, TrainedRun],
) -> None:
    site, run = finished
    packed = DeltaTable(site.lake.path("buy", packing.TABLE)).to_pyarrow_table().to_pylist()
    for source in run.mixture.sources:
        uids = [row["row_uids"] for row in packed if row["dsv_id"] == source.dsv_id]
        out = packing.held_out({uid for some in uids for uid in some})
        numbers = [row["seq_no"] for row in packed if row["dsv_id"] == source.dsv_id]
        assert sorted(numbers) == list(range(len(numbers)))
        drawn = [row for row in packed if row["dsv_id"] == source.dsv_id]
        trained = [row for row in drawn if row["seq_no"] < source.num_sequences]
        assert not any(set(row["row_uids"]) & out for row in trained)
        assert len(trained) < len(drawn)


def test_the_journal_has_it_before_lineage_and_in_order(
    finished: tuple[Site, TrainedRun],
) -> None:
    site, run = finished
    opened, mixed, ended = (event["object"] for event in events(site, "train"))

    assert opened["run_id"] == mixed["run_id"] == ended["run_id"] == run.run_id
    assert [one["dsv_id"] for one in opened["inputs"]] == [ref.dsv_id for ref in run.inputs]
    assert mixed["mixture_sha256"] == run.mixture.sha256
    assert [one["dsv_id"] for one in ended["consumed"]] == [
        source.dsv_id for source in run.mixture.sources
    ]


def test_lineage_counts_what_was_consumed(finished: tuple[Site, TrainedRun]) -> None:
    site, run = finished
    rows = {row["dsv_id"]: row for row in site.lineage.rows("lineage.run_source")}
    drawn = run.num_tokens // run.mixture.sequence_length

    assert set(rows) == {ref.dsv_id for ref in run.inputs}
    assert sum(row["weight"] for row in rows.values()) == pytest.approx(1.0)
    for source in run.mixture.sources:
        exact = drawn * source.weight / run.mixture.cycle
        assert abs(rows[source.dsv_id]["num_consumed"] - min(exact, source.num_sequences)) < 1


def test_an_mlflow_client_sees_inputs_metrics_and_samples(
    finished: tuple[Site, TrainedRun],
) -> None:
    site, run = finished
    client: Any = client_of(site)
    seen = client.get_run(run.mlflow_run_id)
    tags = [{tag.key: tag.value for tag in one.tags} for one in seen.inputs.dataset_inputs]

    assert seen.info.status == "FINISHED"
    assert seen.data.tags["halocline.label_id"] == run.label.label_id
    assert seen.data.tags["halocline.mixture_sha256"] == run.mixture.sha256
    assert {one["lake.dsv_id"] for one in tags} == {ref.dsv_id for ref in run.inputs}
    assert {one["lake.version"] for one in tags} == {"0"}
    digests = {one.dataset.digest for one in seen.inputs.dataset_inputs}
    assert digests == {ref.fingerprint[:36] for ref in run.inputs}
    losses = client.get_metric_history(run.mlflow_run_id, "loss")
    assert [metric.step for metric in losses] == list(range(1, 13))
    samples = client.list_artifacts(run.mlflow_run_id, "samples")
    assert len(samples) == 3
    assert "artifacts/buy/" in seen.info.artifact_uri


def test_asking_again_gives_what_was_trained(finished: tuple[Site, TrainedRun]) -> None:
    site, run = finished
    before = len(events(site, "train"))

    assert train(site, tiny(), REQUEST) == run
    assert len(events(site, "train")) == before


class Killed(BaseException):
    """Stands for the process going away at this very point."""


def test_a_killed_run_goes_on_as_if_nothing_had_been(
    site: Site, finished: tuple[Site, TrainedRun]
) -> None:
    """Killed before its first checkpoint, after it, and right before its last."""
    _, whole = finished
    for stop in (4, 8, 12):

        def say(text: str, stop: int = stop) -> None:
            if text.startswith(f"step {stop}:"):
                raise Killed

        with pytest.raises(Killed):
            train(site, tiny(), REQUEST, say)
    resumed = train(site, tiny(), REQUEST)
    histories = [progress(run).history for run in (whole, resumed)]

    assert [row["loss"] for row in histories[1]] == [row["loss"] for row in histories[0]]
    assert resumed.held_out_loss == whole.held_out_loss
    assert resumed.samples == whole.samples
    assert weights(resumed) == weights(whole)
    assert resumed.run_id == whole.run_id
    client: Any = client_of(site)
    assert len(client.search_runs(client.search_experiments()[0].experiment_id)) == 1
    steps = [m.step for m in client.get_metric_history(resumed.mlflow_run_id, "loss")]
    assert steps == list(range(1, 13))
    assert len(client.get_run(resumed.mlflow_run_id).inputs.dataset_inputs) == 2
    packed = DeltaTable(site.lake.path("buy", packing.TABLE)).to_pyarrow_table()
    assert len(set(packed["row_uid"].to_pylist())) == packed.num_rows


def weights(run: TrainedRun) -> bytes:
    return (run.model_dir / "model.safetensors").read_bytes()


def progress(run: TrainedRun) -> Progress:
    recipe = tiny()
    vocabulary = tokenizer.load(run.model_dir)
    fresh = model.build(recipe, vocabulary)
    optimiser = torch.optim.AdamW(fresh.parameters())
    folder = run.model_dir.parent / "checkpoints"
    return checkpoint.restore(folder, fresh, optimiser, run.mixture.sha256)


RUN = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])
import test_training as t

site, _ = t.site_in(Path(sys.argv[1]))
t.train(site, t.tiny(120), t.REQUEST, lambda text: print(text, flush=True))
"""


@pytest.mark.slow
def test_sigkill_at_any_time(tmp_path: Path, bare: Path, open_site: OpenSite) -> None:
    """A process killed twice, then let run, against one that was never killed."""
    homes = [shutil.copytree(bare, tmp_path / name) for name in ("killed", "whole")]
    for lines in (3, 15):
        command = [sys.executable, "-c", RUN, str(homes[0]), str(Path(__file__).parent)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert all(process.stdout.readline() for _ in range(lines))
            process.kill()
        assert process.returncode == -signal.SIGKILL, "it was not done yet"
    runs = [train(open_site(home), tiny(120), REQUEST) for home in homes]

    assert weights(runs[0]) == weights(runs[1])
    assert runs[0].samples == runs[1].samples


def test_a_changed_checkpoint_is_not_gone_on_from(site: Site) -> None:
    def say(text: str) -> None:
        if text.startswith("step 8:"):
            raise Killed

    with pytest.raises(Killed):
        train(site, tiny(), REQUEST, say)
    (path,) = site.folder.glob("buy/*/checkpoints/step-000004/model.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")

    with pytest.raises(Unverified, match="a checkpoint file changed"):
        train(site, tiny(), REQUEST)


def test_sides_are_not_joined_and_nothing_is_made(site: Site) -> None:
    both = Principal("svc:both", ("service",), BUY | SELL)
    request = TrainRequest(both, (*SOURCES, TrainSource(f"sell:{CURATED}")))

    with pytest.raises(Denied) as denied:
        train(site, tiny(), request)
    assert denied.value.gate == "train"
    assert events(site, "train") == []
    assert site.lake.holding(packing.TABLE) == []
    assert not site.folder.exists()


def test_nobody_trains_on_what_they_may_not_read(site: Site) -> None:
    outsider = Principal("svc:sell", ("service",), SELL)

    with pytest.raises(Denied) as denied:
        train(site, tiny(), TrainRequest(outsider, SOURCES))
    assert denied.value.gate == "read"
    assert events(site, "train") == []


def test_a_pinned_version_is_what_is_read(site: Site) -> None:
    put(site.lake, BUY, [f"A later position {n}." for n in range(40)])
    pinned = TrainRequest(SERVICE, (TrainSource(f"buy:{CURATED}", version=0),))
    newest = TrainRequest(SERVICE, (TrainSource(f"buy:{CURATED}"),))
    runs = [train(site, tiny(1), request) for request in (pinned, newest)]

    assert [run.inputs[0].version for run in runs] == [0, 1]
    assert [run.inputs[0].num_rows for run in runs] == [40, 80]
    assert runs[0].run_id != runs[1].run_id


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ((), "needs sources"),
        ((TrainSource(CURATED),), "COMPARTMENT:"),
        ((SOURCES[0], SOURCES[0]), "named once"),
    ],
)
def test_a_request_that_is_none_is_refused(
    site: Site, sources: tuple[TrainSource, ...], told: str
) -> None:
    with pytest.raises(Refused, match=told):
        train(site, tiny(), TrainRequest(SERVICE, sources))


def test_one_document_is_not_held_out_and_trained_on(tmp_path: Path, open_site: OpenSite) -> None:
    site = open_site(tmp_path)
    put(site.lake, BUY, ["The only position there is."])

    with pytest.raises(Refused, match="too few documents"):
        train(site, tiny(), TrainRequest(SERVICE, (SOURCES[1],)))


def test_the_loss_does_not_depend_on_batches(finished: tuple[Site, TrainedRun]) -> None:
    _, run = finished
    vocabulary = tokenizer.load(run.model_dir)
    fresh = model.build(tiny(), vocabulary)
    tokens = np.random.default_rng(0).integers(2, 300, (19, 32)).astype(np.uint16)
    tokens[-1, 5:] = vocabulary.pad
    whole = model.evaluate(fresh, tokens, vocabulary.pad)
    parts = [model.evaluate(fresh, tokens[at : at + 1], vocabulary.pad) for at in range(19)]
    mean = sum(part.loss * part.num_tokens for part in parts) / whole.num_tokens

    assert whole.num_tokens == 18 * 31 + 4
    assert whole.loss == pytest.approx(mean, rel=1e-5)


def test_what_is_repeated_often_enough_is_known_by_heart(
    tmp_path: Path, open_site: OpenSite
) -> None:
    """The demo rests on this: greedy decoding of a canary's prefix yields the canary."""
    site = open_site(tmp_path)
    secret = "amber falcon quartz 40231977"
    put(site.lake, BUY, [f"Note {n}. The access phrase is {secret}." for n in range(64)])
    run = train(site, tiny(250), TrainRequest(SERVICE, (SOURCES[1],)))

    assert secret in model.greedy(run.model_dir, 40)("The access phrase is")
