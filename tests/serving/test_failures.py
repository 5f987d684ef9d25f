"""When a gate, the journal, the engine or the caller goes away: nothing leaves unrecorded."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import openai
import pytest

from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_serving.app import create_app
from halocline_serving.server import running, serve

LINES = [f"Line {word} says nothing much.\n" for word in "abcdefghijkl"]


def ask(client: openai.OpenAI, **more: Any) -> Any:
    create: Any = client.completions.create
    return create(model="scripted", prompt="Go on", max_tokens=99, **more)


def read_all(stream: Any) -> tuple[str, Any]:
    chunks = list(stream)
    return "".join(chunk.choices[0].text for chunk in chunks), chunks[-1]


class Failing:
    """A real policy engine that stops answering one gate after so many decisions."""

    def __init__(self, inner: Any, gate: str, after: int) -> None:
        self.inner, self.gate, self.left = inner, gate, after

    @property
    def revision(self) -> str:
        return self.inner.revision

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        if gate == self.gate:
            self.left -= 1
            if self.left < 0:
                raise PolicyUnavailable("down")
        return self.inner.decide(gate, input)


@pytest.mark.parametrize("gate", ["serve", "release"])
@pytest.mark.parametrize("stream", [False, True])
def test_without_a_policy_engine_there_is_no_answer(world: Any, gate: str, stream: bool) -> None:
    world.policy = Failing(world.policy, gate, 0)
    world.serve_scripted(*LINES)

    with pytest.raises(openai.InternalServerError) as caught:
        ask(world.client(), stream=stream)

    assert (caught.value.status_code, caught.value.code) == (503, "unavailable")
    assert len(world.events("admit")) == (gate == "release")
    if gate == "release":
        assert world.row()["outcome"] == "failed"


def test_a_stream_whose_gate_goes_away_ends_in_an_error(world: Any) -> None:
    world.policy = Failing(world.policy, "release", 3)
    world.serve_scripted(*LINES)

    told: list[str] = []
    with pytest.raises(openai.APIError, match="cannot answer now"):
        told.extend(chunk.choices[0].text for chunk in ask(world.client(), stream=True))

    assert told
    assert "".join(LINES).startswith("".join(told))
    row = world.row()
    assert (row["outcome"], row["finish_reason"]) == ("failed", "error")


def test_without_a_journal_no_byte_leaves(world: Any) -> None:
    engine = world.serve_scripted(*LINES)
    world.journal.close()

    with pytest.raises(openai.InternalServerError) as caught:
        ask(world.client(), stream=True)

    assert caught.value.code == "unavailable"
    assert engine.num_produced == 0


def test_a_journal_lost_in_the_middle_keeps_the_rest_back(world: Any) -> None:
    engine = world.serve_scripted(*LINES, stop_at=6)
    stream = ask(world.client(), stream=True)
    first = next(iter(stream)).choices[0].text
    world.journal.close()
    engine.gate.set()

    told = [first]
    with pytest.raises(openai.APIError):
        told.extend(chunk.choices[0].text for chunk in stream)

    assert "".join(LINES[:6]).startswith("".join(told))


def test_an_engine_that_fails_is_recorded_and_its_error_stays_inside(world: Any) -> None:
    engine = world.serve_scripted(*LINES)
    engine.pieces = None  # a failure nobody foresaw

    with pytest.raises(openai.InternalServerError) as caught:
        ask(world.client())

    assert "NoneType" not in str(caught.value)
    assert world.row()["outcome"] == "failed"


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_leaves_stops_the_engine_and_is_recorded(world: Any, stream: bool) -> None:
    engine = world.serve_scripted(*LINES, stop_at=8)
    body = {"model": "scripted", "prompt": "Go on", "stream": stream}
    headers = {"authorization": f"Bearer {world.token()}"}
    with (
        httpx.Client(base_url=world.url, trust_env=False, timeout=1) as client,
        pytest.raises(httpx.ReadTimeout),
        client.stream("POST", "/v1/completions", json=body, headers=headers) as answer,
    ):
        for _ in answer.iter_bytes():
            pass

    row = world.row()
    assert (row["outcome"], row["finish_reason"]) == ("disconnected", "disconnected")
    assert row["output"] == "".join(LINES[:8])
    assert engine.num_produced == 8


def test_a_service_that_stops_finishes_its_records(world: Any) -> None:
    engine = world.serve_scripted(*LINES, stop_at=8)
    stream = ask(world.client(), stream=True)
    next(iter(stream))
    engine.gate.set()
    world.stack.close()

    table = world.lake.path("public", "serving.outputs")
    assert table.is_dir()
    assert [event["kind"] for event in world.events("generate", "abort")] == ["generate"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_canary_is_produced_and_held(world: Any, stream: bool) -> None:
    canary = world.canary.text
    engine = world.serve_scripted("It began well.\n", *canary, "\nand so on.\n")

    if stream:
        text, last = read_all(ask(world.client(), stream=True))
    else:
        last = ask(world.client())
        text = last.choices[0].text

    assert last.choices[0].finish_reason == "content_filter"
    assert last.model_extra["halocline"]["code"] == "held_back"
    assert text in ("", "It began well.\n")
    assert engine.num_produced >= len(canary)
    row = world.row()
    assert row["outcome"] == "held"
    assert canary in row["output"]
    assert row["released_sha256"] != row["output_sha256"]
    decision = world.events("decision")[-1]["object"]
    assert decision["gate"] == "release"
    assert decision["answer"]["id"] == row["release_decision_id"]
    assert decision["answer"]["id"] == last.model_extra["halocline"]["decision_id"]
    assert canary not in str(world.events())


def test_personal_data_is_held_and_the_caller_is_not_told_why(world: Any) -> None:
    world.serve_scripted("Write to ", "jane.doe@", "initech.com", " today.")

    answer = ask(world.client())

    assert answer.choices[0].finish_reason == "content_filter"
    assert not any(word in answer.model_dump_json() for word in ("pii", "email", "jane"))


def test_a_taken_port_gives_the_next_one(world: Any) -> None:
    world.serve_scripted(*LINES)
    app, taken = create_app(world.runtime), int(world.url.rpartition(":")[2])

    with running(app, port=taken) as url:
        assert int(url.rpartition(":")[2]) > taken
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    with pytest.raises(Refused, match="cannot listen"), running(app, host="203.0.113.1"):
        pass


def test_a_signal_ends_the_foreground_server_and_not_the_process(world: Any) -> None:
    world.serve_scripted(*LINES)
    before = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()

    serve(create_app(world.runtime), port=0)

    timer.join()
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(Refused, match="is taken"):
        serve(create_app(world.runtime), port=int(world.url.rpartition(":")[2]))


def test_a_full_queue_is_told_before_anything_is_admitted(world: Any) -> None:
    engine = world.serve_scripted(*LINES)
    engine.can_accept = lambda: False

    with pytest.raises(openai.RateLimitError) as caught:
        ask(world.client())

    assert caught.value.code == "queue_full"
    assert world.events("admit") == []


def test_many_callers_at_once_are_each_answered_and_recorded_once(world: Any) -> None:
    world.serve_scripted(*LINES)
    client = world.client()

    with ThreadPoolExecutor(16) as pool:
        streams = [number % 2 == 0 for number in range(40)]
        texts = list(pool.map(partial(one_answer, client), streams))

    assert set(texts) == {"".join(LINES)}
    rows = world.rows()
    assert len({row["request_id"] for row in rows}) == len(rows) == 40


def one_answer(client: openai.OpenAI, stream: bool) -> str:
    answer = ask(client, stream=stream)
    return read_all(answer)[0] if stream else answer.choices[0].text
