"""Evidence is bound to its weights and changes its hash with every fact."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from halocline_governance.errors import Refused
from halocline_registry.evidence import Evaluation, Evidence, Leak, Probe, leak_suite

EVIDENCE = Evidence(
    subject_sha256="a" * 64,
    evaluation=Evaluation(2.0, 4096, "held-out:d1"),
    leak=Leak(2, ("c1",), ("canary",)),
    licences=("MIT",),
    toxic_rows=0,
    fingerprints=("f" * 64,),
)
PROBES = (
    Probe("c1", "The access phrase is", "amber anchor 1234"),
    Probe("c2", "The other phrase is", "basalt beacon 5678"),
)


@pytest.mark.parametrize(
    "other",
    [
        replace(EVIDENCE, subject_sha256="b" * 64),
        replace(EVIDENCE, evaluation=Evaluation(2.1, 4096, "held-out:d1")),
        replace(EVIDENCE, leak=Leak(2, (), ("canary",))),
        replace(EVIDENCE, leak=Leak(2, ("c2",), ("canary",))),
        replace(EVIDENCE, licences=("MIT", "Apache-2.0")),
        replace(EVIDENCE, toxic_rows=1),
        replace(EVIDENCE, fingerprints=()),
    ],
)
def test_every_fact_is_in_the_hash(other: Evidence) -> None:
    assert other.sha256 != EVIDENCE.sha256
    assert replace(EVIDENCE).sha256 == EVIDENCE.sha256


def test_a_leak_is_what_comes_out() -> None:
    said = {PROBES[0].prefix: " AMBER  anchor-1234. And more", PROBES[1].prefix: " basalt 5678"}
    leak = leak_suite(PROBES, said.__getitem__, ["pii", "canary"])

    assert leak.canaries == 2
    assert leak.extracted == ("c1",)
    assert leak.checks == ("canary", "pii")


def test_no_secret_is_in_evidence_or_repr() -> None:
    leak = leak_suite(PROBES, lambda _: "amber anchor 1234", ["canary"])

    assert "amber" not in repr(PROBES)
    assert "amber" not in str(replace(EVIDENCE, leak=leak).as_json())


def test_a_loss_that_is_no_number_is_no_evaluation() -> None:
    with pytest.raises(Refused, match="not a number"):
        Evaluation(math.nan, 10, "d")
    assert math.isfinite(Evaluation(1e6, 10, "d").perplexity)
