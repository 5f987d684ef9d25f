"""Where a killed run goes on from: weights, optimiser state, and one integer for the data.

A checkpoint is a folder that appears whole under its name, `step-000050`. The last two are kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]

from halocline_governance import durable
from halocline_governance.errors import Unverified
from halocline_registry.package import make_private

_KEPT = 2
_WEIGHTS, _MOMENTS, _STATE = "model.safetensors", "optimiser.safetensors", "state.json"


@dataclass(slots=True)
class Progress:
    """How far a run is. `next_sample` is all there is to resume the data by.

    Args:
        history: metrics of each step that was taken, `step` and `ts_ms` among them.
        samples: (step, prompt number, text) of each evaluation.
    """

    mixture_sha256: str
    step: int = 0
    next_sample: int = 0
    elapsed_s: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    samples: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])


def save(
    folder: Path, model: torch.nn.Module, optimiser: torch.optim.AdamW, progress: Progress
) -> None:
    """Make a checkpoint of this step durable, and drop the oldest."""
    target = folder / f"step-{progress.step:06d}"
    draft = folder / f".{target.name}"
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft)
    named = dict(model.named_parameters())
    save_file({name: p.detach().contiguous() for name, p in named.items()}, draft / _WEIGHTS)
    save_file(_moments(named, optimiser), draft / _MOMENTS)
    hashes = {name: _sha256(draft / name) for name in (_WEIGHTS, _MOMENTS)}
    (draft / _STATE).write_text(json.dumps(asdict(progress) | {"files": hashes}), encoding="utf-8")
    for name in (*hashes, _STATE, "."):
        durable.sync(draft / name)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    durable.sync(folder)
    for old in _all(folder)[:-_KEPT]:
        shutil.rmtree(old)


def restore(
    folder: Path, model: torch.nn.Module, optimiser: torch.optim.AdamW, mixture_sha256: str
) -> Progress:
    """Load the newest checkpoint, if there is one; else the beginning.

    Raises:
        Unverified: the checkpoint's files are not what was saved, or of another mixture.
    """
    found = _all(folder)
    if not found:
        return Progress(mixture_sha256)
    newest = found[-1]
    state = json.loads((newest / _STATE).read_bytes())
    files = state.pop("files")
    if any(_sha256(newest / name) != digest for name, digest in files.items()):
        raise Unverified(f"{newest.name}: a checkpoint file changed; delete the run to start over")
    if state["mixture_sha256"] != mixture_sha256:
        raise Unverified(f"{newest.name} is of another mixture; delete the run to start over")
    state["samples"] = [tuple(sample) for sample in state["samples"]]
    named = dict(model.named_parameters())
    with torch.no_grad():
        for name, weights in load_file(newest / _WEIGHTS).items():
            named[name].copy_(weights)
    _set_moments(named, optimiser, load_file(newest / _MOMENTS))
    return Progress(**state)


def _moments(
    named: dict[str, torch.nn.Parameter], optimiser: torch.optim.AdamW
) -> dict[str, torch.Tensor]:
    state: Any = optimiser.state
    return {
        f"{name}/{part}": value.detach().contiguous()
        for name, parameter in named.items()
        for part, value in state[parameter].items()
    }


def _set_moments(
    named: dict[str, torch.nn.Parameter],
    optimiser: torch.optim.AdamW,
    moments: dict[str, torch.Tensor],
) -> None:
    state: Any = optimiser.state
    for key, value in moments.items():
        name, _, part = key.rpartition("/")
        state[named[name]][part] = value


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
