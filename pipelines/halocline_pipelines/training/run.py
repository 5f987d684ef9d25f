"""A training run: governed rows in, a labelled model out, and a record of what made it.

Reads through the guard at pinned versions, asks the train gate for the join, writes the journal
before the first step, and tells lineage and MLflow. Knows nothing of promotion.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.errors import Refused
from halocline_governance.gates import Gate
from halocline_governance.label import Label, join
from halocline_governance.lineage import Lineage
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.refs import DatasetRef
from halocline_pipelines.job import Job
from halocline_pipelines.mixture.mixture import Mixture, MixtureSource, integer_weights
from halocline_pipelines.mixture.sampler import Sampler
from halocline_pipelines.recipes.pretrain import Recipe
from halocline_pipelines.training import packing, tokenizer
from halocline_pipelines.training.loop import Loop, Trained
from halocline_pipelines.training.packing import Packed
from halocline_registry.tracking import Input, Point, RunDescription, Tracking

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM

TABLE = "curated.documents"


@dataclass(frozen=True, slots=True)
class Read:
    """One source as the guard gave it: which rows, under which labels, at which version."""

    name: str
    ref: DatasetRef
    path: Path
    label: Label
    labels: Mapping[str, Label]
    licences: tuple[str, ...]
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A finished run. `model_dir` holds safetensors, config and tokenizer."""

    run_id: str
    mlflow_run: str
    model_dir: Path
    label: Label
    mixture: Mixture
    refs: tuple[DatasetRef, ...]
    licences: tuple[str, ...]
    loss: float
    num_tokens: int
    steps: int


def train(
    job: Job,
    recipe: Recipe,
    tracking: Tracking,
    lineage: Lineage,
    out_dir: Path,
    versions: Mapping[str, int] | None = None,
) -> TrainedRun:
    """Train a recipe to the end; a repeated call with the same run id goes on where it stopped.

    Args:
        job: who trains, under which run id.
        recipe: what the run does.
        tracking: where MLflow is.
        lineage: told what was read and consumed.
        out_dir: the run's folder is made in it.
        versions: pinned table version by compartment; the newest otherwise.

    Raises:
        Denied: a source may not be read, or the sources may not be joined.
        Refused: a source without rows.
    """
    folder = out_dir / job.run_id
    reads = [_read(job, name, _pinned(folder, name, versions)) for name in sorted(recipe.shares)]
    label = _joined(job, reads)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pins = {read.name: read.ref.version for read in reads}
    (folder / "pins.json").write_text(json.dumps(pins), encoding="utf-8")
    job.progress("training the tokenizer and packing")
    words = tokenizer.train(
        (text for read in reads for _, text in read.rows), recipe.shape.vocab_size
    )
    digest = tokenizer.save(words, folder, recipe.shape.context_length)
    sources, held_out = _pack(job, recipe, reads, words, digest, label)
    mixture = _mixture(recipe, reads, sources)
    _tell_lineage(job, lineage, reads, mixture, 0)
    shape = replace(recipe.shape, vocab_size=words.get_vocab_size())
    weights = {source.name: source.weight for source in mixture.sources}
    run = tracking.open_run(
        RunDescription(
            run_id=job.run_id,
            name=recipe.name,
            compartment=label.compartment,
            label=label,
            params={**asdict(shape), **asdict(recipe.schedule), "mixture": mixture.sha256},
            tags={"halocline.mixture": mixture.sha256},
            inputs=tuple(Input(read.ref, read.path, weights[read.name]) for read in reads),
        )
    )
    log = _Log(job, tracking, run)
    loop = Loop(
        folder,
        shape,
        recipe.schedule,
        Sampler(mixture),
        sources,
        held_out,
        log=log,
        sample=lambda step, model: _sample(tracking, run, step, model, words, recipe),
    )
    trained = loop.run()
    _tell_lineage(job, lineage, reads, mixture, trained.num_sequences)
    log.flush()
    model_dir = _finish(trained, folder)
    tracking.log_folder(run, model_dir, "model")
    tracking.end_run(run)
    return TrainedRun(
        run_id=job.run_id,
        mlflow_run=run,
        model_dir=model_dir,
        label=label,
        mixture=mixture,
        refs=tuple(read.ref for read in reads),
        licences=tuple(sorted({licence for read in reads for licence in read.licences})),
        loss=trained.loss,
        num_tokens=trained.num_tokens,
        steps=trained.steps,
    )


def _pinned(folder: Path, name: str, versions: Mapping[str, int] | None) -> int | None:
    """A run that goes on reads what it read before, whatever was written since."""
    pins = folder / "pins.json"
    if pins.exists():
        return json.loads(pins.read_bytes()).get(name)
    return versions.get(name) if versions else None


def _read(job: Job, compartment: str, version: int | None) -> Read:
    job.progress(f"reading {compartment}:{TABLE}")
    columns = ["row_uid", "label_id", "licence", "content_sha256", "text"]
    plan = job.guard.plan(
        job.principal, Purpose.TRAINING, f"{compartment}:{TABLE}", columns, version
    )
    (ref,) = job.guard.refs(plan)
    rows = job.guard.table(plan).sort_by("row_uid")
    if not rows.num_rows:
        raise Refused(f"{compartment}:{TABLE} has no rows to train on: curate it first")
    (grant,) = plan.grants
    labels = {label_id: grant.labels[label_id] for label_id in ref.label_ids}
    pairs = zip(rows["row_uid"].to_pylist(), rows["text"].to_pylist(), strict=True)
    return Read(
        name=compartment,
        ref=ref,
        path=grant.path,
        label=join(labels.values()),
        labels=labels,
        licences=tuple(sorted(set(rows["licence"].to_pylist()))),
        rows=tuple(pairs),
    )


def _joined(job: Job, reads: list[Read]) -> Label:
    """Ask the train gate, then put the run on record; returns the label of all it makes."""
    label = join(read.label for read in reads)
    decision = job.gates.require(
        Gate.TRAIN,
        job.principal,
        Purpose.TRAINING,
        {
            "inputs": [
                {
                    "table": read.ref.table,
                    "compartment": read.ref.compartment,
                    "version": read.ref.version,
                    "labels": {id_: label.as_json() for id_, label in read.labels.items()},
                }
                for read in reads
            ],
            "label": label.as_json(),
            "base_model": None,
            "compartment": _place(label),
        },
    )
    job.gates.journal.append(
        AuditEvent(
            Kind.TRAIN,
            job.principal.subject,
            Purpose.TRAINING.value,
            {
                "run_id": job.run_id,
                "inputs": [{"dsv_id": r.ref.dsv_id, **r.ref.as_json()} for r in reads],
                "label": label.as_json(),
                "decision_id": decision.id,
            },
        )
    )
    return label


def _place(label: Label) -> str:
    """Where the run's output would lie; a label that lies nowhere is the gate's to refuse."""
    if len(label.sides) > 1 or len(label.tenants) > 1:
        return "public"
    return label.compartment


def _pack(
    job: Job, recipe: Recipe, reads: list[Read], words: Tokenizer, digest: str, label: Label
) -> tuple[list[Packed], np.ndarray[tuple[int, int], np.dtype[np.uint16]]]:
    """Packed sources without their held-out sequences, and the held-out ones of all."""
    label_id = job.lake.intern(label)
    kept: list[Packed] = []
    held: list[np.ndarray[tuple[int, int], np.dtype[np.uint16]]] = []
    for read in reads:
        packed = packing.pack(read.ref.dsv_id, read.rows, words, recipe.shape.context_length)
        packing.write(job.lake, label.compartment, label_id, packed, digest)
        every = np.arange(packed.num_sequences) % recipe.held_out_every == recipe.held_out_every - 1
        held.append(packed.tokens[every])
        kept.append(replace(packed, tokens=packed.tokens[~every]))
    return kept, np.concatenate(held)


def _mixture(recipe: Recipe, reads: list[Read], sources: list[Packed]) -> Mixture:
    """Sorted by name, as `reads` and `sources` are."""
    weights = integer_weights(dict(recipe.shares))
    return Mixture(
        tuple(
            MixtureSource(read.name, read.ref.dsv_id, weights[read.name], packed.num_sequences)
            for read, packed in zip(reads, sources, strict=True)
        ),
        seed=recipe.seed,
        sequence_length=recipe.shape.context_length,
    )


def _weight(mixture: Mixture, name: str) -> float:
    (weight,) = (source.weight for source in mixture.sources if source.name == name)
    return weight / mixture.cycle


def _tell_lineage(
    job: Job, lineage: Lineage, reads: list[Read], mixture: Mixture, num_drawn: int
) -> None:
    """Before the first step what is read; after the last how much of it was consumed."""
    shares = [(read.ref.dsv_id, _weight(mixture, read.name)) for read in reads]
    if not num_drawn:
        for read in reads:
            lineage.add_dataset(read.ref, read.label)
        lineage.add_mixture(mixture.sha256, mixture.canonical(), shares)
        return
    sampler = Sampler(mixture)
    lineage.add_run(
        job.run_id,
        mixture.sha256,
        [
            (
                s.dsv_id,
                s.weight / mixture.cycle,
                s.num_sequences,
                sampler.num_consumed(s.name, num_drawn),
            )
            for s in mixture.sources
        ],
    )


class _Log:
    """Collects figures and hands them on in batches: one call per step costs more than the step."""

    def __init__(self, job: Job, tracking: Tracking, run: str) -> None:
        self._job, self._tracking, self._run = job, tracking, run
        self._points: list[Point] = []

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        self._points.append(Point(step, int(time.time() * 1000), figures))
        if "held_out_loss" in figures:
            self._job.progress(f"step {step}: held-out loss {figures['held_out_loss']:.2f}")
            self.flush()

    def flush(self) -> None:
        self._tracking.log_points(self._run, self._points)
        self._points = []


def _sample(
    tracking: Tracking,
    run: str,
    step: int,
    model: LlamaForCausalLM,
    words: Tokenizer,
    recipe: Recipe,
) -> None:
    tracking.log_text(
        run,
        continuation(model, words, recipe.prompt, recipe.sample_tokens),
        f"samples/{step:06d}.txt",
    )


def continuation(model: LlamaForCausalLM, words: Tokenizer, prompt: str, num_tokens: int) -> str:
    """Greedy decoding: the prompt and what the model says next."""
    import torch

    ids = torch.tensor([words.encode(prompt).ids])
    was_training = model.training
    model.eval()
    with torch.no_grad():
        out = model.generate(  # pyright: ignore[reportCallIssue]
            ids, max_new_tokens=num_tokens, do_sample=False, attention_mask=torch.ones_like(ids)
        )
    model.train(was_training)
    return words.decode(out[0].tolist(), skip_special_tokens=True)


def _finish(trained: Trained, folder: Path) -> Path:
    """The model's files in a folder of their own, without optimizer and state."""
    import shutil

    model_dir = folder / "model"
    draft = folder / "model.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        shutil.copyfile(trained.folder / "checkpoint" / name, draft / name)
    for name in (tokenizer.FILE, "tokenizer_config.json"):
        shutil.copyfile(folder / name, draft / name)
    shutil.rmtree(model_dir, ignore_errors=True)
    draft.rename(model_dir)
    return model_dir
