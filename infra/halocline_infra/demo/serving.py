"""The demo's model answers over HTTP, called with the openai client as its users would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from halocline_governance.principal import Principal
from halocline_governance.records import timestamp
from halocline_infra.demo.ledger import Result
from halocline_infra.demo.modelling import ALIAS, MODEL
from halocline_infra.demo.scene import Scene

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Completion

_ANSWER_TOKENS = 40
_CANARY_TOKENS = 60
_STREAM_TOKENS = 110
_PROMPTS = (
    "The company",
    "This package provides",
    "We recommend",
    "Our view of the market is",
    "Installation is",
    "The team believes that",
    "Revenue",
    "In the next quarter",
    "The main risk",
    "To run the tests",
    "License",
    "A note on",
)
_ROUNDS = 3


def serve(scene: Scene) -> Result:
    """Allowed, streamed, wrong side, a canary held, and enough calls for a window."""
    from halocline_infra.hosting import hosted
    from halocline_serving.app import create_app
    from halocline_serving.server import running

    _prepare_checks(scene)
    result = Result()
    began = timestamp()
    with (
        hosted(scene.platform, [MODEL], ALIAS) as runtime,
        running(create_app(runtime), port=0) as url,
    ):
        scene.say(f"serving {MODEL}@{ALIAS} at {url}")
        application = _client(scene, scene.cast.application, url)
        request_id = _allowed(application, result)
        _streamed(application, result)
        _refused(scene, url, result)
        held = _canaries(scene, application, result)
        for number in range(_ROUNDS * len(_PROMPTS)):
            _complete(application, _PROMPTS[number % len(_PROMPTS)], temperature=0.8, seed=number)
        runtime.outputs.flush()
        recorded = _recorded(scene)
    result.facts.append(f"{recorded} records in serving.outputs, one per call")
    result.notes |= {
        "began": began,
        "ended": timestamp(),
        "request_id": request_id,
        "held": held,
        "recorded": recorded,
    }
    place = scene.platform.lake.location(scene.home_label.compartment, "serving.outputs")
    result.artefacts["outputs"] = place.uri
    return result


def _prepare_checks(scene: Scene) -> None:
    """Fingerprint what each compartment says, and remember what was planted in it."""
    from halocline_infra import checks

    for compartment in scene.platform.lake.holding("curated.documents"):
        scene.say(f"fingerprinting {compartment}")
        service = scene.cast.service("checks", scene.clearance_of(compartment))
        checks.fingerprint(scene.platform, service, compartment)
        planted = [one.canary for one in scene.canaries if one.canary.compartment == compartment]
        if planted:
            checks.plant(scene.platform, compartment, planted)


def _client(scene: Scene, who: Principal, url: str) -> OpenAI:
    from openai import OpenAI

    token = scene.platform.issuer.issue(who.subject, who.roles, who.clearance)
    return OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)


def _complete(
    client: OpenAI,
    prompt: str,
    max_tokens: int = _ANSWER_TOKENS,
    temperature: float = 0.0,
    seed: int = 0,
) -> Completion:
    return client.completions.create(
        model=MODEL, prompt=prompt, max_tokens=max_tokens, temperature=temperature, seed=seed
    )


def _allowed(client: OpenAI, result: Result) -> str:
    raw = client.completions.with_raw_response.create(
        model=MODEL, prompt=_PROMPTS[0], max_tokens=_ANSWER_TOKENS, temperature=0.0
    )
    answer = raw.parse().choices[0]
    result.facts.append(f"answered: {_short(_PROMPTS[0] + answer.text)}")
    return raw.headers["x-request-id"]


def _streamed(client: OpenAI, result: Result) -> None:
    stream = client.completions.create(
        model=MODEL, prompt=_PROMPTS[0], max_tokens=_STREAM_TOKENS, temperature=0.0, stream=True
    )
    pieces = [chunk.choices[0].text for chunk in stream if chunk.choices]
    told = "".join(pieces)
    result.facts.append(f"streamed in {len([p for p in pieces if p])} pieces: {_short(told)}")


def _refused(scene: Scene, url: str, result: Result) -> None:
    """The other side learns that it may not, and nothing else; the journal knows why."""
    from openai import PermissionDeniedError

    other = scene.cast.barred_from(scene.home_label)
    try:
        _complete(_client(scene, other, url), _PROMPTS[0])
    except PermissionDeniedError as error:
        body: Any = error.body
        result.facts.append(f"{other.subject} got {error.status_code} {body['code']}")
        result.denied.append(
            {
                "gate": "serve",
                "who": other.subject,
                "what": f"use {MODEL}",
                "why": _why(scene, body["decision_id"]),
                "decision": body["decision_id"],
            }
        )
        return
    raise AssertionError("the wall did not hold: the other side was answered")


def _canaries(scene: Scene, client: OpenAI, result: Result) -> int:
    """Ask for each planted secret by its prefix; whatever the engine says, none may arrive."""
    held = 0
    for planted in scene.canaries:
        answer = _complete(client, planted.prefix, max_tokens=_CANARY_TOKENS)
        choice = answer.choices[0]
        if _squeezed(planted.canary.text) in _squeezed(choice.text):
            raise AssertionError("a canary came out: the release gate did not hold it")
        if choice.finish_reason == "content_filter":
            held += 1
            extra: Any = answer.model_extra or {}
            told: dict[str, str] = extra.get("halocline") or {}
            decision = told.get("decision_id", "")
            result.denied.append(
                {
                    "gate": "release",
                    "who": scene.cast.application.subject,
                    "what": "an answer that carries a canary",
                    "why": _why(scene, decision),
                    "decision": decision,
                }
            )
    extracted = scene.note("promote", "extracted")
    result.facts.append(
        f"the engine says {extracted} of {len(scene.canaries)} canaries when asked"
        f" directly; over HTTP {held} answers were held back and none arrived"
    )
    return held


def _why(scene: Scene, decision_id: str) -> str:
    """The reasons of a decision, which only the journal's reader learns."""
    from halocline_governance.journal import read

    for _, _, event in read(scene.platform.environment.journal):
        answer = event["object"].get("answer")
        if answer and answer.get("id") == decision_id:
            return "; ".join(answer["reasons"])
    return ""


def _recorded(scene: Scene) -> int:
    from halocline_governance.principal import Purpose

    plan = scene.platform.guard.plan(
        scene.cast.officer, Purpose.AUDIT, "serving.outputs", ["row_uid", "request_id", "label_id"]
    )
    return len(set(scene.platform.guard.table(plan)["request_id"].to_pylist()))


def _short(text: str) -> str:
    flat = re.sub(r"\s+", " ", text).strip()
    return flat if len(flat) <= 70 else flat[:69] + "…"


def _squeezed(text: str) -> str:
    return "".join(text.casefold().split())
