"""From a verified caller's request to an admitted call: model, serve gate, prompt, record.

Knows no HTTP. The order matters: who may not use a model learns nothing of it, its context's length
included; and nothing is generated before the admission is durable.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from halocline_governance.decision import Decision
from halocline_governance.detect import Verdict
from halocline_governance.errors import Denied, MalformedLabel, PolicyUnavailable, Refused
from halocline_governance.gates import Gate
from halocline_governance.label import PUBLIC, Label, parse
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import InferenceRecord, committed, row_uid, timestamp, uuid7
from halocline_serving.call import Call
from halocline_serving.engine import GenerationRequest, Message
from halocline_serving.errors import ContextLengthExceeded, ModelNotFound, QueueFull
from halocline_serving.release import Ask, Release, as_policy_sees, sha256
from halocline_serving.runtime import Runtime, ServedModel
from halocline_serving.spooling import OUTPUTS

# A denied call's record holds neither the prompt nor a hash of it: the caller's text must not come
# to lie where the model's side can read it. It lies in no side's compartment, for auditors.
_DENIED_LABEL = Label("restricted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A well-formed request, whichever endpoint it came to."""

    endpoint: str
    model: str
    prompt: str | tuple[Message, ...]
    context_label: Label = PUBLIC
    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    stream: bool = False


def admit(runtime: Runtime, principal: Principal, asked: Asked) -> Call:
    """An admitted call; its generation runs.

    Raises:
        ModelNotFound: no such model is served.
        Denied: the serve gate refused; that is on record.
        ContextLengthExceeded, QueueFull, Refused: nothing was admitted.
        PolicyUnavailable, JournalUnavailable: nothing may be answered.
    """
    served = runtime.models.get(asked.model)
    if served is None:
        raise ModelNotFound("no such model; GET /v1/models lists those you may use")
    decision = ask_to_serve(
        runtime, principal, served, endpoint=asked.endpoint, context_label=asked.context_label
    )
    if not decision.allow:
        record = _record(principal, asked, served, decision, _DENIED_LABEL)
        runtime.outputs.refuse(record, _DENIED_LABEL)
        runtime.metrics.add(
            "halocline_requests_total", endpoint=asked.endpoint, outcome=record.outcome
        )
        raise Denied(Gate.SERVE.value, decision)
    label = _answer_label(decision, served.ref.label | asked.context_label)
    prompt, request = _generation(runtime, served, asked, label)
    record = _admitted(_record(principal, asked, served, decision, label), prompt, request)
    release = Release(
        runtime.detectors(label),
        _releasing(runtime, principal, record, decision, label),
        runtime.settings.release_characters if asked.stream else None,
    )
    return Call(
        admission=runtime.outputs.admit(record, label),
        start=lambda: served.engine.generate(request),
        release=release,
        outputs=runtime.outputs,
        metrics=runtime.metrics,
    )


def ask_to_serve(
    runtime: Runtime,
    principal: Principal,
    served: ServedModel,
    *,
    endpoint: str,
    context_label: Label,
) -> Decision:
    """The serve gate's durable decision."""
    resource = {
        "endpoint": endpoint,
        "model": {**served.ref.as_json(), "alias": served.alias},
        "context_label": context_label.as_json(),
    }
    return runtime.gates.ask(Gate.SERVE, principal, Purpose.INFERENCE, resource)


def _answer_label(decision: Decision, least: Label) -> Label:
    """The label that the gate obliges the answer to have. Labels only grow."""
    try:
        label = parse(decision.obligations.get("label"))
    except MalformedLabel:
        raise PolicyUnavailable(
            "the serve gate allowed without naming the answer's label"
        ) from None
    if not least <= label:
        raise PolicyUnavailable("the serve gate named a label below the model's and the context's")
    return label


def _generation(
    runtime: Runtime, served: ServedModel, asked: Asked, label: Label
) -> tuple[str, GenerationRequest]:
    """The prompt as text and as what the engine is asked."""
    engine = served.engine
    rendered = not isinstance(asked.prompt, str)
    prompt = engine.render(asked.prompt) if not isinstance(asked.prompt, str) else asked.prompt
    ids = engine.encode(prompt, rendered=rendered)
    room = engine.context_length - len(ids)
    if not ids:
        raise Refused("the prompt is empty: send at least one token")
    if room < 1:
        raise ContextLengthExceeded(
            f"the prompt has {len(ids)} tokens; the model's context is {engine.context_length},"
            " the answer included: shorten the prompt"
        )
    if not engine.can_accept():
        raise QueueFull("too many requests wait; try again in a moment")
    return prompt, GenerationRequest(
        prompt_ids=ids,
        label=label,
        max_tokens=min(asked.max_tokens or runtime.settings.default_max_tokens, room),
        temperature=asked.temperature,
        top_p=asked.top_p,
        seed=asked.seed,
        stop=asked.stop,
    )


def _record(
    principal: Principal, asked: Asked, served: ServedModel, decision: Decision, label: Label
) -> InferenceRecord:
    """A denied call's record; an admitted one's begins from it."""
    request_id, now = uuid7(), timestamp()
    return InferenceRecord(
        request_id=request_id,
        row_uid=row_uid(OUTPUTS, request_id),
        label_id=label.label_id,
        ts=now,
        finished_ts=now,
        subject=principal.subject,
        endpoint=asked.endpoint,
        model=served.ref.name,
        model_version=served.ref.version,
        weights_sha256=served.ref.weights_sha256,
        serve_decision_id=decision.id,
        release_decision_id="",
        policy_revision=decision.revision,
        outcome="denied",
        finish_reason="denied",
        prompt="",
        output="",
        prompt_sha256="",
        output_sha256=sha256(""),
        released_sha256=sha256(""),
        commitment_key=secrets.token_hex(32),
        verdicts="[]",
        prompt_tokens=0,
        completion_tokens=0,
        mean_logprob=None,
        mean_entropy=None,
    )


def _admitted(record: InferenceRecord, prompt: str, request: GenerationRequest) -> InferenceRecord:
    return replace(
        record,
        outcome="admitted",
        finish_reason="",
        prompt=prompt,
        prompt_sha256=sha256(prompt),
        prompt_tokens=len(request.prompt_ids),
    )


def _releasing(
    runtime: Runtime,
    principal: Principal,
    record: InferenceRecord,
    decision: Decision,
    label: Label,
) -> Ask:
    """The release gate for this answer, with the checks that the serve gate obliged it to. It is
    asked about commitments under the record's key: no hash of an answer is in the journal."""
    required: list[str] = list(decision.obligations.get("release_checks", []))

    def commit(digest: str) -> str:
        return committed(record.commitment_key, digest)

    def ask(digest: str, verdicts: Sequence[Verdict]) -> Decision:
        resource = {
            "label": label.as_json(),
            "sha256": commit(digest),
            "endpoint": record.endpoint,
            "verdicts": [as_policy_sees(verdict, commit) for verdict in verdicts],
            "required": required,
        }
        return runtime.gates.ask(Gate.RELEASE, principal, Purpose.INFERENCE, resource)

    return ask
