"""The service over real HTTP, called with the real openai client."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.identity import Issuer
from halocline_governance.label import Label
from halocline_governance.refs import ModelRef
from halocline_registry.package import Package
from halocline_serving.engine.torch_engine import TorchEngine
from halocline_serving.runtime import ServedModel

BUY = Label("confidential", sides=("buy",))
SELL = Label("confidential", sides=("sell",))
ANSWER = ["Rates rose. ", "Banks ", "lent less. ", "Nobody ", "was surprised."]


@pytest.fixture
def tiny(world: Any, package: Package, ref: ModelRef) -> Any:
    """The service with the tiny model, for whose gibberish the checks have no objection."""
    engine = TorchEngine.load(package, ref, device="cpu")
    world.stack.callback(engine.close)
    world.serve(tiny=ServedModel(engine, ref, "champion", "d-1"))
    return world


def ask(client: openai.OpenAI, model: str = "scripted", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": "What happened?"}]
    create: Any = client.chat.completions.create
    return create(model=model, messages=messages, **more)


def streamed(client: openai.OpenAI, model: str = "scripted", **more: Any) -> tuple[str, Any]:
    """A streamed answer and the last chunk with a choice."""
    chunks = [chunk for chunk in ask(client, model, stream=True, **more) if chunk.choices]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks), chunks[-1]


def test_an_allowed_call_is_answered_and_recorded(world: Any) -> None:
    world.serve_scripted(*ANSWER)

    raw = world.client().chat.completions.with_raw_response.create(
        model="scripted", messages=[{"role": "user", "content": "What happened?"}]
    )
    answer = raw.parse()

    assert answer.choices[0].message.content == "".join(ANSWER)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == len(ANSWER)
    assert raw.headers["x-halocline-model"] == "scripted@3"
    assert raw.headers["x-halocline-deployment"] == "d-1"
    row = world.row()
    assert row["request_id"] == raw.headers["x-request-id"] == answer.id
    assert row["serve_decision_id"] == raw.headers["x-halocline-decision"]
    assert (row["outcome"], row["finish_reason"]) == ("released", "stop")
    assert (row["prompt"], row["output"]) == ("What happened?", "".join(ANSWER))
    assert row["released_sha256"] == row["output_sha256"]
    assert row["mean_logprob"] == pytest.approx(-0.5)


def test_the_admission_precedes_the_record_and_neither_holds_text(world: Any) -> None:
    world.serve_scripted(*ANSWER)
    ask(world.client())

    told = [event for event in world.events() if event["kind"] != "journal.opened"]

    assert [event["kind"] for event in told] == ["decision", "admit", "decision", "generate"]
    assert told[1]["object"]["request_id"] == told[3]["object"]["request_id"]
    assert "Rates rose" not in str(told)
    assert "What happened" not in str(told)


def test_streaming_gives_what_not_streaming_gives(tiny: Any) -> None:
    client = tiny.client()
    whole = ask(client, "tiny", temperature=0, max_tokens=120)

    text, last = streamed(client, "tiny", temperature=0, max_tokens=120)

    assert text == whole.choices[0].message.content
    assert last.choices[0].finish_reason == whole.choices[0].finish_reason == "length"
    assert len({row["output_sha256"] for row in tiny.rows()}) == 1


def test_a_stream_leaves_in_parts_and_tells_its_usage(world: Any) -> None:
    world.serve_scripted(*(f"Line {word} ends here.\n" for word in "abcdefghijklmnopqrst"))

    stream = ask(world.client(), stream=True, stream_options={"include_usage": True})
    chunks = list(stream)

    assert sum(bool(c.choices and c.choices[0].delta.content) for c in chunks) > 3
    assert chunks[-1].usage.completion_tokens == 20
    assert world.row()["released_sha256"] == world.row()["output_sha256"]


def test_completions_are_served_too(tiny: Any) -> None:
    client = tiny.client()

    whole = client.completions.create(model="tiny", prompt="The", temperature=0, max_tokens=9)
    parts = client.completions.create(
        model="tiny", prompt="The", temperature=0, max_tokens=9, stream=True
    )

    assert whole.choices[0].text == "".join(part.choices[0].text for part in parts)


def test_a_caller_of_the_other_side_is_denied_and_learns_nothing_of_the_wall(world: Any) -> None:
    engine = world.serve_scripted(*ANSWER, label=BUY)
    client = world.client(world.token(clearance=SELL))

    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(client)

    body: Any = caught.value.body
    decision = world.events("decision")[0]["object"]["answer"]
    assert body["code"] == "denied"
    assert body["decision_id"] == decision["id"]
    assert not any(word in str(body).lower() for word in ("buy", "sell", "side", "clearance"))
    assert engine.num_produced == 0


def test_a_denied_call_is_recorded_without_its_text(world: Any) -> None:
    world.serve_scripted(*ANSWER, label=BUY)
    with pytest.raises(openai.PermissionDeniedError):
        ask(world.client(world.token(clearance=SELL)))

    row = world.row()

    assert (row["outcome"], row["prompt"], row["prompt_sha256"]) == ("denied", "", "")
    assert row["label_id"] == Label("restricted").label_id
    assert not world.lake.exists("buy", "serving.outputs")


def test_an_answer_lies_where_the_join_of_model_and_context_does(world: Any) -> None:
    world.serve_scripted(*ANSWER)
    label = "confidential sides=buy"

    ask(world.client(**{"X-Halocline-Label": label}))

    assert world.row("buy")["label_id"] == BUY.label_id
    assert not world.lake.exists("public", "serving.outputs")


@pytest.mark.parametrize("label", ["secret", "confidential sides=buy,buy", "internal side=buy"])
def test_a_malformed_context_label_is_refused(world: Any, label: str) -> None:
    world.serve_scripted(*ANSWER)

    with pytest.raises(openai.BadRequestError) as caught:
        ask(world.client(**{"X-Halocline-Label": label}))

    assert caught.value.code == "malformed"


@pytest.mark.parametrize("kind", ["none", "garbage", "expired", "foreign", "basic"])
def test_without_a_good_token_nobody_is_answered(world: Any, kind: str) -> None:
    world.serve_scripted(*ANSWER)
    other = Issuer(Ed25519PrivateKey.generate())
    header = {
        "none": {},
        "garbage": {"authorization": "Bearer xyz"},
        "expired": {"authorization": f"Bearer {world.token(lifetime_s=-1)}"},
        "foreign": {"authorization": f"Bearer {other.issue('ana', ['analyst'], BUY)}"},
        "basic": {"authorization": f"Basic {world.token()}"},
    }[kind]

    answer = httpx.post(
        f"{world.url}/v1/chat/completions", headers=header, content=b"{", trust_env=False
    )

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert world.events("decision") == []


def test_a_model_that_does_not_exist_is_not_found(world: Any) -> None:
    world.serve_scripted(*ANSWER)

    with pytest.raises(openai.NotFoundError) as caught:
        ask(world.client(), model="nobody")

    assert caught.value.code == "model_not_found"


def test_a_prompt_longer_than_the_context_is_refused(tiny: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(tiny.client(), "tiny", max_tokens=5, extra_body={"messages": [
            {"role": "user", "content": "Q" * 400}
        ]})  # fmt: skip

    assert caught.value.code == "context_length_exceeded"
    assert "256" in str(caught.value)
    assert tiny.events("admit") == []


@pytest.mark.parametrize(
    "more",
    [{"n": 2}, {"temperature": 3}, {"tools": []}, {"logit_bias": {"1": 1}}, {"max_tokens": 0},
     {"messages": []}, {"messages": [{"role": "tool", "content": "x"}]}, {"model": 7}],
)  # fmt: skip
def test_what_is_not_served_is_refused_by_its_name(world: Any, more: dict[str, Any]) -> None:
    world.serve_scripted(*ANSWER)

    with pytest.raises(openai.BadRequestError) as caught:
        ask(world.client(), extra_body=more)

    assert caught.value.code == "malformed"
    assert next(iter(more)) in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"model": "\\ud800"}', b"[]", b"\xff\xfe", b"9" * 2_000_000]
)
def test_a_body_that_is_no_request_is_refused(world: Any, body: bytes) -> None:
    world.serve_scripted(*ANSWER)

    answer = httpx.post(
        f"{world.url}/v1/chat/completions", content=body, trust_env=False,
        headers={"authorization": f"Bearer {world.token()}"},
    )  # fmt: skip

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "malformed"


def test_models_lists_what_the_caller_may_use(world: Any) -> None:
    buy, sell = world.scripted(ANSWER, BUY), world.scripted(ANSWER, SELL)
    world.serve(
        bought=ServedModel(buy, buy.ref, "champion"),
        sold=ServedModel(sell, sell.ref, "champion"),
        draft=ServedModel(buy, buy.ref, "draft"),
    )

    assert [model.id for model in world.client().models.list()] == ["bought"]
    assert world.client().models.retrieve("bought").id == "bought"
    with pytest.raises(openai.NotFoundError):
        world.client().models.retrieve("sold")


def test_operators_see_counts_and_no_values(world: Any) -> None:
    world.serve_scripted(*ANSWER)
    ask(world.client())

    with httpx.Client(base_url=world.url, trust_env=False) as plain:
        assert plain.get("/healthz").status_code == plain.get("/readyz").status_code == 200
        counts = plain.get("/metrics").text
        assert plain.get("/nowhere").json()["error"]["code"] == "not_found"

    wanted = 'halocline_requests_total{endpoint="/v1/chat/completions",outcome="released"} 1'
    assert wanted in counts.splitlines()
    assert "ana" not in counts
    assert "Rates" not in counts
