"""The torch engine: one thread that steps every active sequence, batched by label.

Runs a Llama-architecture model from a verified package folder on CUDA or CPU. A new request's
prompt runs alone between two steps; nothing computed for one label is used for another.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Self

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as hub

from halocline_governance.errors import Unverified
from halocline_governance.label import Label
from halocline_governance.refs import ModelRef
from halocline_registry.package import Package
from halocline_serving.engine.batch import Batch, Row, Step
from halocline_serving.engine.contract import GenerationRequest, Message, Token
from halocline_serving.engine.text import Detokenizer, StopStrings
from halocline_serving.errors import GenerationFailed, QueueFull

# Their types are only partly known.
_MODELS: Any = AutoModelForCausalLM
_TOKENIZERS: Any = PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one engine takes on."""

    max_active: int = 16
    max_waiting: int = 64


@dataclass(slots=True)
class _Sequence:
    """One generation: its row, the text it becomes, and the way to whoever reads it."""

    row: Row
    text: Detokenizer
    stops: StopStrings
    outbox: SimpleQueue[Token | GenerationFailed | None] = field(
        default_factory=SimpleQueue[Token | GenerationFailed | None]
    )
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: bool = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Token:
        if self.cancelled.is_set():
            raise StopIteration
        item = self.outbox.get()
        if item is None or self.cancelled.is_set():
            raise StopIteration
        if isinstance(item, GenerationFailed):
            raise item
        return item

    def cancel(self) -> None:
        """Stop soon. Wakes the reader."""
        self.cancelled.set()
        self.outbox.put(None)


class TorchEngine:
    """Use `load`; close when done.

    Args:
        model: in evaluation mode, on its device.
        tokenizer: with or without a chat template.
        ref: what is served; its label is for the gates, not for the engine.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        ref: ModelRef,
        limits: Limits | None = None,
    ) -> None:
        self._model: Any = model.eval()
        self._tokenizer: Any = tokenizer
        self._words: Tokenizer = tokenizer.backend_tokenizer
        self._words.no_truncation()
        self._words.no_padding()
        self._ref = ref
        self._limits = limits or Limits()
        self._eos = _end_tokens(self._model, tokenizer)
        self._waiting: deque[_Sequence] = deque()
        self._batches: dict[Label, Batch] = {}
        self._active: dict[int, _Sequence] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @classmethod
    def load(
        cls,
        package: Package,
        ref: ModelRef,
        limits: Limits | None = None,
        device: str | None = None,
    ) -> TorchEngine:
        """From a package that the registry has verified. Nothing is downloaded.

        Raises:
            Unverified: the package is not what `ref` names.
        """
        if (package.weights_sha256, package.label) != (ref.weights_sha256, ref.label):
            raise Unverified(f"the package is not {ref.name} version {ref.version}: load another")
        where = device or ("cuda" if torch.cuda.is_available() else "cpu")
        with _without_progress():
            model: Any = _MODELS.from_pretrained(
                package.path,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.bfloat16 if where.startswith("cuda") else torch.float32,
            )
        tokenizer: Any = _TOKENIZERS.from_pretrained(package.path, local_files_only=True)
        return cls(model.to(where), tokenizer, ref, limits)

    @property
    def ref(self) -> ModelRef:
        return self._ref

    @property
    def context_length(self) -> int:
        return int(self._model.config.max_position_embeddings)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive() and not self._closed

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    def render(self, messages: Sequence[Message]) -> str:
        """By the tokenizer's chat template; without one, the contents, one a line, and no more."""
        if not self._tokenizer.chat_template:
            return "\n".join(message.content for message in messages)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )

    def encode(self, prompt: str, *, rendered: bool) -> tuple[int, ...]:
        special = not (rendered and self._tokenizer.chat_template)
        return tuple(self._words.encode(prompt, add_special_tokens=special).ids)

    def can_accept(self) -> bool:
        return len(self._waiting) < self._limits.max_waiting

    def generate(self, request: GenerationRequest) -> _Sequence:
        sequence = _Sequence(Row(request), Detokenizer(self._decode), StopStrings(request.stop))
        with self._changed:
            if not self.is_alive:
                raise GenerationFailed("the engine has stopped")
            if not self.can_accept():
                raise QueueFull("too many requests wait; try again in a moment")
            self._waiting.append(sequence)
            self._changed.notify()
        return sequence

    def close(self) -> None:
        """Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _decode(self, ids: list[int]) -> str:
        return self._words.decode(ids, skip_special_tokens=True)

    def _run(self) -> None:
        try:
            with torch.inference_mode():
                while self._wait():
                    self._admit()
                    for batch in list(self._batches.values()):
                        self._advance(batch)
        finally:
            self._abandon()

    def _wait(self) -> bool:
        """Sleep until there is work; False when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting or self._active)
            return not self._closed

    def _admit(self) -> None:
        """Take waiting sequences in, one prompt after the other."""
        while len(self._active) < self._limits.max_active:
            with self._changed:
                if not self._waiting:
                    return
                sequence = self._waiting.popleft()
            if sequence.cancelled.is_set():
                continue
            label = sequence.row.request.label
            batch = self._batches.setdefault(label, Batch(self._model, label))
            self._active[id(sequence.row)] = sequence
            try:
                self._deliver(sequence, batch.join(sequence.row))
            except (RuntimeError, ValueError, IndexError) as error:
                self._fail([sequence.row], error)
            self._prune(batch)

    def _advance(self, batch: Batch) -> None:
        try:
            for row, step in zip(batch.rows, batch.step(), strict=True):
                self._deliver(self._active[id(row)], step)
        except (RuntimeError, ValueError, IndexError) as error:
            self._fail(batch.rows, error)
        self._prune(batch)

    def _deliver(self, sequence: _Sequence, step: Step) -> None:
        """Hand one step on, and say whether it is the last."""
        if step.token < 0:
            self._fail([sequence.row], RuntimeError("no token may be drawn"))
            return
        row, request = sequence.row, sequence.row.request
        row.drawn.append(step.token)
        ended = step.token in self._eos
        text = "" if ended else sequence.stops.push(sequence.text.push(step.token))
        full = len(row.drawn) >= request.max_tokens or (
            len(request.prompt_ids) + len(row.drawn) >= self.context_length
        )
        finish = "stop" if ended or sequence.stops.hit else "length" if full else None
        if finish and not sequence.stops.hit:
            text += sequence.stops.push(sequence.text.flush())
            finish = "stop" if sequence.stops.hit else finish
            text += sequence.stops.flush()
        sequence.finished = finish is not None
        sequence.outbox.put(Token(step.token, text, step.logprob, step.entropy, finish))
        if finish:
            sequence.outbox.put(None)

    def _prune(self, batch: Batch) -> None:
        """Let finished and cancelled sequences go, with their keys and values."""
        going = [row for row in batch.rows if self._is_over(row)]
        if going:
            gone = {id(row) for row in going}
            batch.keep([at for at, row in enumerate(batch.rows) if id(row) not in gone])
            for key in gone:
                self._active.pop(key, None)
        if not batch.rows:
            self._batches.pop(batch.label, None)

    def _is_over(self, row: Row) -> bool:
        sequence = self._active.get(id(row))
        return sequence is None or sequence.finished or sequence.cancelled.is_set()

    def _fail(self, rows: Sequence[Row], error: Exception) -> None:
        """Tell readers that their generation failed, by the error's kind and no value of it."""
        for row in rows:
            sequence = self._active.pop(id(row), None)
            if sequence is not None:
                sequence.outbox.put(GenerationFailed(f"the engine failed: {type(error).__name__}"))

    def _abandon(self) -> None:
        with self._changed:
            self._closed = True
            left = [*self._active.values(), *self._waiting]
            self._waiting.clear()
            self._active.clear()
        for sequence in left:
            sequence.outbox.put(GenerationFailed("the engine has stopped"))


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends an answer, as the model's and the tokenizer's files say."""
    named = [model.config.eos_token_id, tokenizer.eos_token_id]
    if model.generation_config is not None:
        named.append(model.generation_config.eos_token_id)
    ids: set[int] = set()
    for value in named:
        ids.update(value if isinstance(value, list) else [] if value is None else [value])  # pyright: ignore[reportUnknownArgumentType]
    return frozenset(ids)


@contextmanager
def _without_progress() -> Generator[None]:
    """Loading shows a bar by itself; a service's log has no use for it."""
    shown = hub.is_progress_bar_enabled()
    hub.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            hub.enable_progress_bar()
