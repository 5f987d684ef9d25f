"""What serving's tests share: a tiny real Llama, a scripted engine, and a whole running service."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable
from openai import DefaultHttpxClient, OpenAI
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from halocline_governance.detect import Detector
from halocline_governance.detect.canary import Canary, CanaryDetector, mint
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.segregation import SegregationDetector
from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.gates import Gates
from halocline_governance.identity import Issuer, Verifier
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Lake
from halocline_governance.policy import Engine as PolicyEngine
from halocline_governance.policy import open_engine
from halocline_governance.refs import ModelRef
from halocline_registry.package import Contents, Package, build
from halocline_serving.app import create_app
from halocline_serving.engine import GenerationRequest, Message, Token
from halocline_serving.outputs import Outputs
from halocline_serving.runtime import Runtime, ServedModel
from halocline_serving.server import running

BUY = Label("confidential", sides=("buy",))
KEY = b"k" * 32
LINES = [
    "The quick brown fox jumps over the lazy dog.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "いろはにほへと ちりぬるを 🦊🐕",
    "Quarterly revenue rose; the memo says hold.",
]


def tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer so small that most characters beyond ASCII are several tokens."""
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    words.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator(LINES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A tiny model of random weights, packed and verified by the registry."""
    folder = tmp_path_factory.mktemp("model")
    words: Any = tokenizer()
    seeded: Any = torch
    seeded.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=1,
    )
    model: Any = LlamaForCausalLM(config)
    model.save_pretrained(folder / "tiny")
    words.save_pretrained(folder / "tiny")
    told = Contents(
        name="tiny", label=PUBLIC, inputs=(), run_id="r", mixture_sha256="0" * 64, licences=(),
        created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    return build(folder / "tiny", folder / "package", told, Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def ref(package: Package) -> ModelRef:
    return ModelRef("tiny", 1, package.weights_sha256, package.label)


@dataclass
class ScriptedEngine:
    """An engine that answers every prompt with the same pieces, as a real one would: one by one.

    `gate` is waited for before the piece at `stop_at`, so that a test decides when it comes.
    """

    pieces: Sequence[str]
    ref: ModelRef
    context_length: int = 512
    is_alive: bool = True
    num_waiting: int = 0
    stop_at: int | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    num_produced: int = 0

    def render(self, messages: Sequence[Message]) -> str:
        return "\n".join(message.content for message in messages)

    def encode(self, prompt: str, *, rendered: bool) -> tuple[int, ...]:
        return tuple(prompt.encode())

    def can_accept(self) -> bool:
        return True

    def generate(self, request: GenerationRequest) -> ScriptedGeneration:
        return ScriptedGeneration(self)

    def close(self) -> None:
        self.is_alive = False


class ScriptedGeneration:
    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine, self._at = engine, 0
        self._cancelled = threading.Event()

    def __iter__(self) -> Iterator[Token]:
        return self

    def __next__(self) -> Token:
        engine, at = self._engine, self._at
        if at == engine.stop_at:
            while not (engine.gate.wait(0.01) or self._cancelled.is_set()):
                pass
        if at == len(engine.pieces) or self._cancelled.is_set():
            raise StopIteration
        self._at = engine.num_produced = at + 1
        last = at + 1 == len(engine.pieces)
        return Token(at, engine.pieces[at], -0.5, 1.0, "stop" if last else None)

    def cancel(self) -> None:
        self._cancelled.set()


@dataclass
class World:
    """A running service with real gates, journal, lake, detectors and tokens."""

    home: Path
    policy: PolicyEngine
    issuer: Issuer
    canary: Canary
    stack: ExitStack
    url: str = ""
    outputs: Outputs | None = None
    journal: Journal | None = None
    runtime: Runtime | None = None

    @property
    def lake(self) -> Lake:
        return Lake(self.home / "lake")

    def open_journal(self) -> Journal:
        self.journal = Journal.open(self.home / "journal", Signer(self.issuer.key))
        self.stack.callback(self.journal.close)
        return self.journal

    def serve(self, **served: ServedModel) -> str:
        """Start the service and return its URL."""
        journal = self.journal or self.open_journal()
        self.outputs = Outputs(self.lake, journal, every_s=0.2)
        self.stack.callback(self.outputs.close)
        self.runtime = Runtime(
            models=served,
            gates=Gates(self.policy, journal),
            outputs=self.outputs,
            detectors=self.detectors,
            verify=Verifier(self.issuer.key.public_key()).verify,
        )
        self.url = self.stack.enter_context(running(create_app(self.runtime), port=0))
        return self.url

    def detectors(self, label: Label) -> list[Detector]:
        segregation = SegregationDetector((), KEY).for_label(label)
        canary = CanaryDetector.of([self.canary], KEY)
        return [canary, PiiDetector(), SecretDetector(), segregation, ToxicityDetector()]

    def scripted(self, pieces: Sequence[str], label: Label = PUBLIC, **how: Any) -> ScriptedEngine:
        return ScriptedEngine(pieces, ModelRef("scripted", 3, "a" * 64, label), **how)

    def serve_scripted(self, *pieces: str, label: Label = PUBLIC, **how: Any) -> ScriptedEngine:
        engine = self.scripted(pieces, label, **how)
        self.serve(scripted=ServedModel(engine, engine.ref, "champion", "d-1"))
        return engine

    def token(self, role: str = "analyst", clearance: Label = BUY, lifetime_s: int = 60) -> str:
        return self.issuer.issue("ana", [role], clearance, lifetime_s)

    def client(self, token: str | None = None, **headers: str) -> OpenAI:
        """The real client, as a caller would set it up."""
        client = OpenAI(
            base_url=f"{self.url}/v1", api_key=token or self.token(), max_retries=0, timeout=30,
            default_headers=headers, http_client=DefaultHttpxClient(trust_env=False),
        )  # fmt: skip
        self.stack.callback(client.close)
        return client

    def rows(self, compartment: str = "public") -> list[dict[str, Any]]:
        """What `serving.outputs` holds, every record moved there."""
        assert self.outputs is not None
        self.outputs.flush()
        path = self.lake.path(compartment, "serving.outputs")
        table: Any = DeltaTable(path)
        return sorted(table.to_pyarrow_table().to_pylist(), key=lambda row: row["ts"])

    def row(self, compartment: str = "public") -> dict[str, Any]:
        """The only row, as soon as it is there."""
        deadline = time.monotonic() + 20
        while not self.lake.exists(compartment, "serving.outputs"):
            assert time.monotonic() < deadline, "no output was recorded"
            time.sleep(0.02)
        (row,) = self.rows(compartment)
        return row

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The journal's events of these kinds."""
        found = [event for _, _, event in read(self.home / "journal")]
        return [event for event in found if not kinds or event["kind"] in kinds]


@pytest.fixture(scope="session")
def policy() -> Generator[PolicyEngine]:
    engine = open_engine("embedded", None, {"restricted_issuers": []})
    yield engine
    engine.close()


@pytest.fixture
def world(tmp_path: Path, policy: PolicyEngine) -> Generator[World]:
    with ExitStack() as stack:
        issuer = Issuer(Ed25519PrivateKey.generate())
        yield World(tmp_path, policy, issuer, mint(5, 1, "buy")[0], stack)
