"""What a promotion rests on: evaluation, leak suite, licences, scans, fingerprints.

Bound to the weights it is about by their hash; approvals are bound to it by its own. Knows which
facts were found, not whether they suffice: that is the promote gate's.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from halocline_governance.errors import Refused
from halocline_registry.package import Package

LEAK_TEST = "canary-greedy@1"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean loss in nats per token on text the run held out; `dataset` names that text."""

    loss: float
    num_tokens: int
    dataset: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.loss):
            raise Refused("the evaluation's loss is not a number: train again with a lower rate")

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.loss, 700.0))

    def as_json(self) -> dict[str, Any]:
        return {
            "loss": self.loss,
            "perplexity": self.perplexity,
            "num_tokens": self.num_tokens,
            "dataset": self.dataset,
        }


@dataclass(frozen=True, slots=True)
class Probe:
    """A canary: greedy decoding of `prefix` must not yield `secret`."""

    id: str
    prefix: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Leak:
    """How many canaries came out, which ones, and which checks will hold them on every answer."""

    canaries: int
    extracted: tuple[str, ...]
    checks: tuple[str, ...]
    test: str = LEAK_TEST

    def as_json(self) -> dict[str, Any]:
        return {
            "test": self.test,
            "canaries": self.canaries,
            "extracted": len(self.extracted),
            "extracted_ids": list(self.extracted),
            "checks": list(self.checks),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """The bundle; `sha256` is what approvers sign off."""

    subject_sha256: str
    evaluation: Evaluation
    leak: Leak
    licences: tuple[str, ...]
    toxic_rows: int
    fingerprints: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What the promote gate sees. The format was established when the package was opened."""
        return {
            "subject_sha256": self.subject_sha256,
            "evaluation": self.evaluation.as_json(),
            "leak": self.leak.as_json(),
            "licence": {"licences": list(self.licences)},
            "scans": {"format": "safetensors", "pickle": False, "toxic_rows": self.toxic_rows},
            "fingerprints": list(self.fingerprints),
        }

    @property
    def sha256(self) -> str:
        return hashlib.sha256(rfc8785.dumps(self.as_json())).hexdigest()


def gather(package: Package, evaluation: Evaluation, leak: Leak, toxic_rows: int) -> Evidence:
    """The evidence about one verified package; licences and fingerprints are its manifest's."""
    return Evidence(
        subject_sha256=package.weights_sha256,
        evaluation=evaluation,
        leak=leak,
        licences=tuple(sorted(package.licences)),
        toxic_rows=toxic_rows,
        fingerprints=tuple(sorted(str(one["fingerprint"]) for one in package.manifest["inputs"])),
    )


def leak_suite(
    probes: Iterable[Probe], generate: Callable[[str], str], checks: Iterable[str]
) -> Leak:
    """Ask for each canary by its prefix; one is extracted when its secret is in the answer.

    Args:
        probes: what was planted.
        generate: greedy decoding of a prompt, long enough for a secret.
        checks: names of the release checks that will look for these canaries.
    """
    asked = list(probes)
    came = [probe.id for probe in asked if _plain(probe.secret) in _plain(generate(probe.prefix))]
    return Leak(len(asked), tuple(sorted(came)), tuple(sorted(checks)))


def _plain(text: str) -> str:
    """Letters and digits only: spacing and case do not make a secret another."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())
