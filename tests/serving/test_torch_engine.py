"""The torch engine against transformers' own greedy search, in batches that change under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from halocline_governance.errors import Unverified
from halocline_governance.label import PUBLIC, Label
from halocline_governance.refs import ModelRef
from halocline_registry.package import Package
from halocline_serving.engine import GenerationRequest, Message, Token
from halocline_serving.engine.batch import Batch, Row
from halocline_serving.engine.torch_engine import Limits, TorchEngine
from halocline_serving.errors import GenerationFailed, QueueFull

PROMPTS = ["The quick", "Zwölf Boxkämpfer jagen", "いろは", "Q", "the memo says " * 8]


@pytest.fixture(scope="module")
def engine(package: Package, ref: ModelRef) -> Iterator[TorchEngine]:
    engine = TorchEngine.load(package, ref, Limits(max_active=4, max_waiting=8), device="cpu")
    yield engine
    engine.close()


def asked(engine: TorchEngine, prompt: str, num: int = 24, **changes: Any) -> GenerationRequest:
    ids = engine.encode(prompt, rendered=False)
    plain = GenerationRequest(prompt_ids=ids, label=PUBLIC, max_tokens=num)
    return replace(plain, **changes)


def expected(package: Package, prompt: str, num: int) -> str:
    """What transformers generates on its own."""
    tokenizers: Any = AutoTokenizer
    models: Any = AutoModelForCausalLM
    tokenizer, model = (kind.from_pretrained(package.path) for kind in (tokenizers, models))
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=num,
        do_sample=False,
        pad_token_id=1,
    )
    return tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def text_of(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def test_a_changing_batch_equals_greedy_search_alone(engine: TorchEngine, package: Package) -> None:
    lengths = [5, 40, 17, 60, 33]
    labels = [PUBLIC, PUBLIC, Label("internal", sides=("buy",)), PUBLIC, PUBLIC]

    running = [
        engine.generate(asked(engine, prompt, num, label=label))
        for prompt, num, label in zip(PROMPTS, lengths, labels, strict=True)
    ]
    answers = [list(generation) for generation in running]

    for prompt, num, answer in zip(PROMPTS, lengths, answers, strict=True):
        assert text_of(answer) == expected(package, prompt, num)
        assert [token.finish for token in answer[:-1]] == [None] * (len(answer) - 1)
        assert answer[-1].finish in ("stop", "length")
        assert all(token.logprob <= 0 <= token.entropy for token in answer)


def test_a_seed_repeats_a_sampled_answer_whatever_else_runs(engine: TorchEngine) -> None:
    hot: dict[str, Any] = {"temperature": 0.9, "top_p": 0.9, "num": 30}
    first = text_of(list(engine.generate(asked(engine, "The", seed=-3, **hot))))

    others = [engine.generate(asked(engine, "Q", seed=n, **hot)) for n in range(3)]
    second = text_of(list(engine.generate(asked(engine, "The", seed=-3, **hot))))

    assert first == second
    assert len({text_of(list(other)) for other in others}) == 3


def test_an_answer_stops_before_a_stop_string(engine: TorchEngine) -> None:
    whole = text_of(list(engine.generate(asked(engine, "The quick", 40))))
    stop = whole[9:12]

    tokens = list(engine.generate(asked(engine, "The quick", 40, stop=(stop,))))

    assert text_of(tokens) == whole[: whole.find(stop)]
    assert tokens[-1].finish == "stop"


def test_an_answer_ends_where_the_context_does(engine: TorchEngine) -> None:
    ids = tuple([5] * (engine.context_length - 3))

    tokens = list(engine.generate(GenerationRequest(prompt_ids=ids, label=PUBLIC, max_tokens=99)))

    assert 1 <= len(tokens) <= 3


def test_a_cancelled_generation_ends_and_makes_room(engine: TorchEngine) -> None:
    generation = engine.generate(asked(engine, "The", 200))
    next(generation)
    generation.cancel()

    assert list(generation) == []
    assert text_of(list(engine.generate(asked(engine, "The", 5))))


def test_a_full_queue_refuses(package: Package, ref: ModelRef) -> None:
    engine = TorchEngine.load(package, ref, Limits(max_active=1, max_waiting=1), device="cpu")
    running = engine.generate(asked(engine, "The", 200))
    next(running)
    waiting = engine.generate(asked(engine, "The", 2))

    assert not engine.can_accept()
    with pytest.raises(QueueFull):
        engine.generate(asked(engine, "The", 2))

    running.cancel()
    assert len(list(waiting)) == 2
    engine.close()


def test_a_closed_engine_fails_what_is_under_way(package: Package, ref: ModelRef) -> None:
    engine = TorchEngine.load(package, ref, device="cpu")
    running = engine.generate(asked(engine, "The", 240))
    next(running)
    engine.close()

    assert not engine.is_alive
    with pytest.raises(GenerationFailed):
        list(running)
    with pytest.raises(GenerationFailed):
        engine.generate(asked(engine, "The"))


def test_without_a_template_a_chat_is_its_contents_a_line_each(engine: TorchEngine) -> None:
    chat = [Message("system", "Be brief."), Message("user", "The quick")]

    assert engine.render(chat) == "Be brief.\nThe quick"


def test_a_package_that_is_not_the_registered_one_is_not_loaded(package: Package) -> None:
    with pytest.raises(Unverified):
        TorchEngine.load(package, ModelRef("tiny", 1, "0" * 64, PUBLIC), device="cpu")


def test_two_labels_never_share_a_batch(engine: TorchEngine, package: Package) -> None:
    models: Any = AutoModelForCausalLM
    batch = Batch(models.from_pretrained(package.path), PUBLIC)

    with pytest.raises(ValueError, match="one label"):
        batch.join(Row(asked(engine, "Q", label=Label("internal"))))
