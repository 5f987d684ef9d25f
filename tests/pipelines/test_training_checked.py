"""A real run, and a real run that lies, held against what the guard handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from halocline_governance.guard import Guard
from halocline_governance.lineage.checks import Checked, check
from halocline_governance.lineage.checks_told import heard
from halocline_pipelines.recipes.pretrain import tiny
from halocline_pipelines.training import inputs
from halocline_pipelines.training.inputs import Opened, TrainRequest
from halocline_pipelines.training.run import Site, train
from halocline_registry.projection import Projection
from tests.pipelines.test_training import REQUEST, fill, site_in

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

Open = Callable[[Guard, TrainRequest], tuple[Opened, ...]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for both: MLflow takes seconds to make a store."""
    site, journal = site_in(tmp_path_factory.mktemp("home"))
    with journal:
        fill(site.lake)
        yield site


def checked(site: Site, run_id: str) -> Checked:
    return check(site.lineage, heard(site.folder.parent / "journal"), run_id)


def test_an_honest_run_agrees_with_the_journal_and_mlflow_with_it(site: Site) -> None:
    run = train(site, tiny(4), REQUEST)
    found = checked(site, run.run_id)

    assert (found.flags, found.unfinished, found.num_datasets) == ((), (), 2)
    assert Projection(site.tracking, site.lineage, site.lake).differences() == []


def test_another_fingerprint_goes_all_the_way_and_is_found(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest: Open = inputs.open_sources

    def lying(guard: Guard, request: TrainRequest) -> tuple[Opened, ...]:
        first, *others = honest(guard, request)
        return replace(first, ref=replace(first.ref, fingerprint="0" * 64)), *others

    monkeypatch.setattr(inputs, "open_sources", lying)
    run = train(site, tiny(4), REQUEST)
    flags = {(flag.about.partition(":")[0], flag.kind) for flag in checked(site, run.run_id).flags}

    assert flags == {("dataset", "rows"), ("run", "rows")}
