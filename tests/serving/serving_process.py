"""A server in a process of its own, which a test can kill: HOME PACKAGE. Prints its URL.

Everything is real; the engine only waits a little before each token, so that there is a middle.
"""

from __future__ import annotations

import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from halocline_governance import keys
from halocline_governance.detect import Detector
from halocline_governance.detect.canary import CanaryDetector
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.segregation import SegregationDetector
from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.gates import Gates
from halocline_governance.identity import Verifier
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy import open_engine
from halocline_governance.refs import ModelRef
from halocline_registry.package import open_known
from halocline_serving.app import create_app
from halocline_serving.engine import Generation, GenerationRequest, Token
from halocline_serving.engine.torch_engine import TorchEngine
from halocline_serving.outputs import Outputs
from halocline_serving.runtime import Runtime, ServedModel
from halocline_serving.server import running


class Slow(TorchEngine):
    def generate(self, request: GenerationRequest) -> SlowGeneration:  # pyright: ignore[reportIncompatibleMethodOverride]
        return SlowGeneration(super().generate(request))


class SlowGeneration:
    """The tokens of the tiny model, late, and with words for its gibberish."""

    def __init__(self, inner: Generation) -> None:
        self._inner = inner

    def __iter__(self) -> SlowGeneration:
        return self

    def __next__(self) -> Token:
        time.sleep(0.02)
        return replace(next(self._inner), text="One more line of a long answer.\n")

    def cancel(self) -> None:
        self._inner.cancel()


def detectors(_: Label) -> list[Detector]:
    canary, segregation = CanaryDetector.of([], b"k" * 32), SegregationDetector((), b"k" * 32)
    return [canary, PiiDetector(), SecretDetector(), segregation, ToxicityDetector()]


def main(home: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    package = open_known(folder, digest)
    ref = ModelRef("tiny", 1, package.weights_sha256, package.label)
    key = keys.ed25519(home / "keys" / "identity.key")
    journal = Journal.open(home / "journal", Signer(keys.ed25519(home / "keys" / "journal.key")))
    # So seldom that only a restart moves what was recorded.
    outputs = Outputs(Lake(home / "lake"), journal, every_s=3600)
    runtime = Runtime(
        models={"tiny": ServedModel(Slow.load(package, ref, device="cpu"), ref, "champion")},
        gates=Gates(open_engine("embedded", None, {"restricted_issuers": []}), journal),
        outputs=outputs,
        detectors=detectors,
        verify=Verifier(key.public_key()).verify,
    )
    with running(create_app(runtime), port=0) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        time.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
