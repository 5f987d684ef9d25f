"""What the way through both gates costs when the model costs nothing: calls per second, latency.

Everything but the engine is real: HTTP, tokens, the embedded policy engine, checks, fsynced journal
and spool. The client is bare httpx in the same process, so the server has less than the machine.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.detect import Detector
from halocline_governance.detect.canary import CanaryDetector, mint
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.segregation import SegregationDetector
from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.gates import Gates
from halocline_governance.identity import Issuer, Verifier
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Lake
from halocline_governance.policy import open_engine
from halocline_governance.refs import ModelRef
from halocline_serving.app import create_app
from halocline_serving.engine import GenerationRequest, Message, Token
from halocline_serving.outputs import Outputs
from halocline_serving.runtime import Runtime, ServedModel
from halocline_serving.server import running

ANSWER = "The committee kept its rate and said that it would wait for more data on wages."
REF = ModelRef("free", 1, "a" * 64, PUBLIC)
CALLS = {1: 200, 8: 400, 32: 800}


class FreeGeneration:
    """The same sentence, at no cost."""

    def __init__(self) -> None:
        self._left = [Token(0, f"{word} ", -1.0, 1.0) for word in reversed(ANSWER.split())]

    def __iter__(self) -> Iterator[Token]:
        return self

    def __next__(self) -> Token:
        if not self._left:
            raise StopIteration
        return self._left.pop()

    def cancel(self) -> None:
        self._left = []


class FreeEngine:
    """An engine without a model."""

    ref, context_length, is_alive, num_waiting = REF, 4096, True, 0

    def render(self, messages: Sequence[Message]) -> str:
        return messages[-1].content

    def encode(self, prompt: str, *, rendered: bool) -> tuple[int, ...]:
        return tuple(prompt.encode())

    def can_accept(self) -> bool:
        return True

    def generate(self, request: GenerationRequest) -> FreeGeneration:
        return FreeGeneration()

    def close(self) -> None:
        pass


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url, token = _service(Path(folder), stack)
        results = [_measured(url, token, at_once, num) for at_once, num in CALLS.items()]
    for result in results:
        print(json.dumps(result), file=sys.stderr)
    json.dump({"engine": "none", "policy": "embedded", "results": results}, sys.stdout)


def _service(home: Path, stack: ExitStack) -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    journal = stack.enter_context(Journal.open(home / "journal", Signer(key)))
    policy = open_engine("embedded", None, {"restricted_issuers": []})
    stack.callback(policy.close)
    secret = b"k" * 32
    barrier, canaries = (
        SegregationDetector((), secret),
        CanaryDetector.of(mint(1, 8, "buy"), secret),
    )

    def checks(label: Label) -> list[Detector]:
        return [
            canaries,
            PiiDetector(),
            SecretDetector(),
            barrier.for_label(label),
            ToxicityDetector(),
        ]

    runtime = Runtime(
        models={"free": ServedModel(FreeEngine(), REF, "champion")},
        gates=Gates(policy, journal),
        outputs=stack.enter_context(Outputs(Lake(home / "lake"), journal)),
        detectors=checks,
        verify=Verifier(key.public_key()).verify,
    )
    url = stack.enter_context(running(create_app(runtime), port=0))
    return url, Issuer(key).issue("bench", ["application"], PUBLIC)


def _measured(url: str, token: str, at_once: int, num: int) -> dict[str, float]:
    with httpx.Client(
        base_url=url, trust_env=False, timeout=60, headers={"authorization": f"Bearer {token}"}
    ) as client:

        def call(_: int) -> float:
            started = time.perf_counter()
            body = {"model": "free", "prompt": "What now?"}
            client.post("/v1/completions", json=body).raise_for_status()
            return (time.perf_counter() - started) * 1e3

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(call, range(at_once * 2)))
            started = time.perf_counter()
            times = sorted(pool.map(call, range(num)))
            seconds = time.perf_counter() - started
    return {
        "at_once": at_once,
        "calls": num,
        "calls_per_s": round(num / seconds, 1),
        "p50_ms": round(statistics.median(times), 2),
        "p99_ms": round(times[int(len(times) * 0.99) - 1], 2),
    }


if __name__ == "__main__":
    main()
