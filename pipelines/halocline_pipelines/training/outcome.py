"""What a finished run made, and the file that says so: `run.json`, written last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance import durable
from halocline_governance.label import Label, parse
from halocline_governance.refs import DatasetRef
from halocline_pipelines.mixture import Mixture, MixtureSource
from halocline_registry.evidence import Evaluation
from halocline_registry.package import Contents

FILE = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRun:
    """A finished run. `samples` are governed text like the model itself: not in the repr.

    Args:
        num_tokens: trained on, repeats counted.
        held_out_loss: nats per token over everything held out.
        seconds: of stepping, over all attempts.
    """

    run_id: str
    mlflow_run_id: str
    label: Label
    compartment: str
    inputs: tuple[DatasetRef, ...]
    licences: tuple[str, ...]
    mixture: Mixture
    model_dir: Path
    held_out_loss: float
    held_out_tokens: int
    num_steps: int
    num_tokens: int
    train_loss: float
    seconds: float
    samples: tuple[tuple[int, str], ...]
    finished: str

    def __repr__(self) -> str:
        return f"TrainedRun({self.run_id}, {self.num_steps} steps, {self.held_out_loss:.3f} nats)"

    @property
    def evaluation(self) -> Evaluation:
        """As promotion's evidence holds it."""
        dataset = "held-out:" + ",".join(ref.dsv_id for ref in self.inputs)
        return Evaluation(self.held_out_loss, self.held_out_tokens, dataset)

    def contents(self, name: str) -> Contents:
        """What the manifest of a package of this model says."""
        return Contents(
            name=name,
            label=self.label,
            inputs=tuple(ref.as_json() for ref in self.inputs),
            run_id=self.run_id,
            mixture_sha256=self.mixture.sha256,
            licences=self.licences,
            created=self.finished,
        )


def write_outcome(folder: Path, run: TrainedRun) -> None:
    """From here on the run is finished."""
    fields = {name: getattr(run, name) for name in _PLAIN}
    fields["label"] = run.label.as_json()
    fields["inputs"] = [ref.as_json() for ref in run.inputs]
    fields["mixture"] = run.mixture.as_json()
    fields["model_dir"] = run.model_dir.name
    durable.write(folder / FILE, json.dumps(fields, indent=1))


def read_outcome(folder: Path) -> TrainedRun | None:
    """The finished run in this folder, if it is one."""
    path = folder / FILE
    if not path.exists():
        return None
    fields: dict[str, Any] = json.loads(path.read_bytes())
    mixture = fields.pop("mixture")
    return TrainedRun(
        **{name: fields[name] for name in _PLAIN if name not in ("samples", "licences")},
        samples=tuple((step, text) for step, text in fields["samples"]),
        licences=tuple(fields["licences"]),
        label=parse(fields["label"]),
        inputs=tuple(
            DatasetRef(**(ref | {"label_ids": tuple(ref["label_ids"])})) for ref in fields["inputs"]
        ),
        mixture=Mixture(
            tuple(MixtureSource(**source) for source in mixture["sources"]),
            mixture["seed"],
            mixture["sequence_length"],
        ),
        model_dir=folder / fields["model_dir"],
    )


_PLAIN = (
    "run_id", "mlflow_run_id", "compartment", "licences", "held_out_loss", "held_out_tokens",
    "num_steps", "num_tokens", "train_loss", "seconds", "samples", "finished",
)  # fmt: skip
