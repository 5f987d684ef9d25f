"""A registry with everything real around it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mlflow import MlflowClient
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

from halocline_governance.gates import Engine, Gates
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal
from halocline_governance.refs import DatasetRef, ModelRef
from halocline_registry.evidence import Evaluation, Evidence, Leak, gather
from halocline_registry.ledger import Ledger
from halocline_registry.package import Contents, Package, build
from halocline_registry.promotion import Registry
from halocline_registry.tracking import Tracking

BUY = Label("confidential", sides=("buy",))
KEY = Ed25519PrivateKey.generate()
MIA = Principal("mia", ("ml-engineer",), BUY)
OMAR = Principal("omar", ("approver",), BUY)
PIA = Principal("pia", ("approver",), BUY)
REF = DatasetRef("curated.documents", "buy", 0, (BUY.label_id,), 9, "f" * 64, "decision")
ALIAS = "champion"


@dataclass(frozen=True)
class Place:
    """A registry with everything real around it, and what a test changes behind its back."""

    home: Path
    registry: Registry
    tracking: Tracking
    lineage: Lineage
    gates: Gates

    @property
    def client(self) -> Any:
        """A plain MLflow client."""
        uri = f"sqlite:///{self.home}/mlflow/mlflow.db"
        return MlflowClient(tracking_uri=uri, registry_uri=uri)

    def package(self, number: int = 0) -> Package:
        folder = self.home / f"model-{number}"
        folder.mkdir(exist_ok=True)
        save_file({"w": np.full(4, number, dtype=np.float32)}, folder / "model.safetensors")
        (folder / "config.json").write_text("{}")
        contents = Contents(
            name="house",
            label=BUY,
            inputs=(REF.as_json(),),
            run_id="r1",
            mixture_sha256="m1",
            licences=("MIT",),
            created="2026-01-01T00:00:00.000000Z",
        )
        return build(folder, self.home / f"package-{number}", contents, KEY)

    def approved(self, number: int = 0) -> tuple[ModelRef, str]:
        """A registered model, and a request for its alias that two others approved."""
        package = self.package(number)
        model = self.registry.register(package, MIA)
        evidence = evidence_of(package)
        request = self.registry.request(MIA, model, ALIAS, evidence)
        for who in (OMAR, PIA):
            self.registry.approve(who, request, evidence.sha256)
        return model, request

    def steps(self) -> list[str]:
        return [row["step"] for row in self.registry.ledger_rows()]

    def told(self, kind: str) -> list[dict[str, Any]]:
        events = (event for _, _, event in read(self.home / "journal"))
        return [event["object"] for event in events if event["kind"] == kind]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = open_engine("embedded", None, {"restricted_issuers": []})
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow takes seconds to make a store; copies of one will do."""
    folder = tmp_path_factory.mktemp("mlflow")
    Tracking.local(folder).aliases("house")
    return folder


@pytest.fixture
def place(tmp_path: Path, engine: Engine, empty_store: Path) -> Iterator[Place]:
    shutil.copytree(empty_store, tmp_path / "mlflow")
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        gates, lineage = Gates(engine, journal), Lineage(Lake(tmp_path / "lake"))
        lineage.add_dataset(REF, BUY)
        lineage.add_mixture("m1", "{}", [(REF.dsv_id, 1.0)])
        lineage.add_run("r1", "m1", [(REF.dsv_id, 1.0, 9, 9)])
        ledger, tracking = Ledger(tmp_path / "ledger.sqlite"), Tracking.local(tmp_path / "mlflow")
        registry = Registry(ledger, tracking, gates, tmp_path / "models", lineage)
        yield Place(tmp_path, registry, tracking, lineage, gates)
        ledger.close()


def evidence_of(package: Package) -> Evidence:
    return gather(package, Evaluation(2.0, 4096, "held-out"), Leak(2, ("c1",), ("canary",)), 0)
