"""A pre-training run from governed rows to a labelled model folder.

A run is named by what goes into it, so asking for the same again goes on where a killed one
stopped, or gives what a finished one made. Its folder lies below that of its compartment, because
all in it carries the joined label. Knows nothing of promotion.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import rfc8785

from halocline_governance.errors import Refused
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind, timestamp
from halocline_pipelines.mixture import Mixture, MixtureSource, Sampler
from halocline_pipelines.training import inputs, model, packing, tokenizer
from halocline_pipelines.training.checkpoint import Progress
from halocline_pipelines.training.config import Pretrain
from halocline_pipelines.training.inputs import Admission, Opened, TrainRequest
from halocline_pipelines.training.loop import Loop, Stream
from halocline_pipelines.training.outcome import TrainedRun, read_outcome, write_outcome
from halocline_pipelines.training.packing import Key, Packed
from halocline_pipelines.training.tokenizer import Vocabulary
from halocline_registry.package import make_private, settle
from halocline_registry.projection import MIXTURE_TAG, Projection
from halocline_registry.tracking import Point, RunDescription, Tracking

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a run takes place; `folder` holds runs, a folder a compartment."""

    lake: Lake
    guard: Guard
    gates: Gates
    lineage: Lineage
    tracking: Tracking
    folder: Path


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that was admitted."""

    id: str
    site: Site
    recipe: Pretrain
    principal: Principal
    opened: tuple[Opened, ...]
    admission: Admission
    say: Say

    @property
    def folder(self) -> Path:
        return self.site.folder / self.admission.compartment / self.id

    def record(self, what: dict[str, Any]) -> None:
        subject, purpose = self.principal.subject, Purpose.TRAINING.value
        event = AuditEvent(Kind.TRAIN, subject, purpose, {"run_id": self.id, **what})
        self.site.gates.journal.append(event)


def train(
    site: Site, recipe: Pretrain, request: TrainRequest, say: Say = lambda _: None
) -> TrainedRun:
    """Train, or go on, or give what was trained; `say` hears of each evaluation.

    Raises:
        Denied: a source may not be read, or the sources may not be joined.
        Refused: no rows, or too few to hold any out.
    """
    opened = inputs.open_sources(site.guard, request)
    admission = inputs.admit(site.gates, request.principal, opened)
    name = _name(recipe, opened)
    run = _Run(name, site, recipe, request.principal, opened, admission, say)
    done = read_outcome(run.folder)
    return done if done is not None else _begin(run)


def _name(recipe: Pretrain, opened: tuple[Opened, ...]) -> str:
    """Of the recipe and the rows, not of who reads them."""
    made_of = {
        "recipe": recipe.as_json(),
        "sources": [[source.ref.dsv_id, source.source.weight] for source in opened],
    }
    return "r" + hashlib.sha256(rfc8785.dumps(made_of)).hexdigest()[:24]


def _begin(run: _Run) -> TrainedRun:
    run.record(
        {
            "inputs": [{"dsv_id": s.ref.dsv_id, **s.ref.as_json()} for s in run.opened],
            "label": run.admission.label.as_json(),
            "compartment": run.admission.compartment,
            "decision_id": run.admission.decision_id,
            "recipe": run.recipe.as_json(),
        }
    )
    make_private(run.folder)
    run.say("training the tokenizer and packing")
    documents = {source.name: inputs.read(run.site.guard, source) for source in run.opened}
    vocabulary = _vocabulary(run, documents)
    packed = _packed(run, vocabulary, documents)
    licences = {
        one for docs in documents.values() for doc in docs for one in doc.licence.split(" AND ")
    }
    return _carry_out(run, vocabulary, packed, tuple(sorted(licences)))


def _vocabulary(run: _Run, documents: dict[str, list[inputs.Document]]) -> Vocabulary:
    folder = run.folder / "tokenizer"
    if not folder.exists():
        texts = (doc.text for source in run.opened for doc in documents[source.name])
        draft = run.folder / ".tokenizer"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        tokenizer.fit(texts, run.recipe.vocab_size).save(draft, run.recipe.sequence_length)
        settle(draft, folder)
    return tokenizer.load(folder)


def _packed(
    run: _Run, vocabulary: Vocabulary, documents: dict[str, list[inputs.Document]]
) -> list[Packed]:
    """Pack what is not packed yet, then read it all back the way everybody has to."""
    site, admission, length = run.site, run.admission, run.recipe.sequence_length
    keys: list[Key] = []
    for source in run.opened:
        key = Key(source.ref.dsv_id, vocabulary.sha256, length)
        keys.append(key)
        if not packing.is_stored(site.lake, admission.compartment, key):
            rows = documents[source.name]
            coded = vocabulary.encode([doc.text for doc in rows])
            ids = {
                doc.row_uid: [*tokens, vocabulary.end]
                for doc, tokens in zip(rows, coded, strict=True)
            }
            packed = packing.pack(ids, length, vocabulary.pad)
            packing.store(site.lake, admission.compartment, key, packed, admission.label)
    table = f"{admission.compartment}:{packing.TABLE}"
    plan = site.guard.plan(run.principal, Purpose.TRAINING, table)
    return [packing.fetch(site.guard, plan, key) for key in keys]


def _mixture(run: _Run, packed: list[Packed]) -> Mixture:
    if not any(len(some.held_out) for some in packed):
        raise Refused("too few documents to hold one out for evaluation: add a second one")
    sources = [
        MixtureSource(source.name, source.ref.dsv_id, source.source.weight, some.num_training)
        for source, some in zip(run.opened, packed, strict=True)
    ]
    return Mixture(tuple(sources), run.recipe.seed, run.recipe.sequence_length)


def _carry_out(
    run: _Run, vocabulary: Vocabulary, packed: list[Packed], licences: tuple[str, ...]
) -> TrainedRun:
    mixture = _mixture(run, packed)
    run.record({"mixture_sha256": mixture.sha256, "mixture": mixture.as_json()})
    for source in run.opened:
        run.site.lineage.add_dataset(source.ref, inputs.label_of(source))
    weights = [(source.dsv_id, source.weight / mixture.cycle) for source in mixture.sources]
    run.site.lineage.add_mixture(mixture.sha256, mixture.canonical(), weights)
    stream = Stream(Sampler(mixture), [some.tokens for some in packed], _interleaved(packed))
    with _tracked(run, mixture) as mlflow_id:
        loop = Loop(run.recipe, vocabulary, stream, run.folder / "checkpoints")
        loop.run(lambda progress: _report(run, mlflow_id, progress))
        outcome = _finish(run, loop, stream, licences, mlflow_id)
        run.site.tracking.log_folder(mlflow_id, outcome.model_dir, "model")
    write_outcome(run.folder, outcome)
    return outcome


def _finish(
    run: _Run, loop: Loop, stream: Stream, licences: tuple[str, ...], mlflow_id: str
) -> TrainedRun:
    """Export, evaluate on everything held out, and tell lineage what was consumed."""
    progress, mixture = loop.progress, stream.sampler.mixture
    target, draft = run.folder / "model", run.folder / ".model"
    for folder in (target, draft):
        shutil.rmtree(folder, ignore_errors=True)
    draft.mkdir(mode=0o700)
    model.save(loop.model, loop.vocabulary, draft, mixture.sequence_length)
    settle(draft, target)
    held_out = model.evaluate(loop.model, stream.held_out, loop.vocabulary.pad)
    consumed = [
        (
            source.dsv_id,
            source.weight / mixture.cycle,
            source.num_sequences,
            stream.sampler.num_consumed(source.name, progress.next_sample),
        )
        for source in mixture.sources
    ]
    names = ("dsv_id", "weight", "num_sequences", "num_consumed")
    run.record({"consumed": [dict(zip(names, row, strict=True)) for row in consumed]})
    run.site.lineage.add_run(run.id, mixture.sha256, consumed)
    site = run.site
    Projection(site.tracking, site.lineage, site.lake).write(run.id, mlflow_id)
    return TrainedRun(
        run_id=run.id,
        mlflow_run_id=mlflow_id,
        label=run.admission.label,
        compartment=run.admission.compartment,
        inputs=tuple(source.ref for source in run.opened),
        licences=licences,
        mixture=mixture,
        model_dir=target,
        held_out_loss=held_out.loss,
        held_out_tokens=held_out.num_tokens,
        num_steps=progress.step,
        num_tokens=progress.next_sample * mixture.sequence_length,
        train_loss=progress.history[-1]["loss"],
        seconds=round(progress.elapsed_s, 1),
        samples=tuple((step, text) for step, _, text in progress.samples),
        finished=timestamp(),
    )


def _interleaved(packed: list[Packed]) -> packing.Tokens:
    """Held-out sequences of all sources in turn, so that the first few are of every source."""
    turns = zip_longest(*(list(some.held_out) for some in packed))
    return np.stack([row for row in chain.from_iterable(turns) if row is not None])


@contextmanager
def _tracked(run: _Run, mixture: Mixture) -> Generator[str]:
    """The run in MLflow, which ends as finished only when everything inside did."""
    recipe = run.recipe
    described = RunDescription(
        run_id=run.id,
        name=f"{recipe.name}-{run.id[:9]}",
        compartment=run.admission.compartment,
        label=run.admission.label,
        params={**_flat(recipe.as_json()), "recipe_sha256": recipe.sha256},
        tags={
            MIXTURE_TAG: mixture.sha256,
            "halocline.train_decision_id": run.admission.decision_id,
            "halocline.policy_revision": run.site.gates.revision,
        },
    )
    mlflow_id = run.site.tracking.open_run(described)
    status = "FAILED"
    try:
        yield mlflow_id
        status = "FINISHED"
    finally:
        run.site.tracking.end_run(mlflow_id, status)


def _report(run: _Run, mlflow_id: str, progress: Progress) -> None:
    """Metrics and samples of what was done so far. Text goes to its compartment only."""
    points = [
        Point(
            int(row["step"]),
            int(row["ts_ms"]),
            {name: value for name, value in row.items() if name not in ("step", "ts_ms")},
        )
        for row in progress.history
    ]
    run.site.tracking.log_points(mlflow_id, points)
    for step, number, text in progress.samples:
        if step == progress.step:
            run.site.tracking.log_text(mlflow_id, text, f"samples/step-{step:06d}-{number}.txt")
    last = progress.history[-1]
    run.say(
        f"step {progress.step}: loss {last['loss']:.2f}, held out {last['held_out_loss']:.2f},"
        f" {progress.elapsed_s:.0f} s"
    )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str | int | float]:
    flat: dict[str, str | int | float] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            flat[prefix + name] = value if isinstance(value, int | float) else json.dumps(value)
    return flat
