"""OpenAI's request and response shapes, the part of them that is served here.

An unknown field is refused, not ignored: whoever asks for what is not done shall learn it.
"""

from __future__ import annotations

import json
import secrets
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halocline_governance.errors import Refused
from halocline_governance.label import Label
from halocline_serving.admission import Asked
from halocline_serving.call import Call
from halocline_serving.engine import Message

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class TextPart(_Strict):
    type: Literal["text"]
    text: str


class Turn(_Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    def message(self) -> Message:
        if isinstance(self.content, str):
            return Message(self.role, self.content)
        return Message(self.role, "".join(part.text for part in self.content))


class StreamOptions(_Strict):
    include_usage: bool = False
    include_obfuscation: bool = False


Stop = Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(max_length=4)]


class _Request(_Strict):
    """What both endpoints take."""

    model: str
    temperature: float = Field(default=1.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: str | Stop | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    n: Literal[1] = 1
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None

    def asked(self, endpoint: str, context_label: Label) -> Asked:
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Asked(
            endpoint=endpoint,
            model=self.model,
            prompt=self.prompted(),
            context_label=context_label,
            max_tokens=self.limit(),
            temperature=self.temperature,
            top_p=self.top_p,
            seed=secrets.randbits(63) if self.seed is None else self.seed,
            stop=tuple(text for text in stop if text),
            stream=self.stream,
        )

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def limit(self) -> int | None:
        return self.max_tokens

    @abstractmethod
    def prompted(self) -> str | tuple[Message, ...]: ...


class ChatRequest(_Request):
    """POST /v1/chat/completions."""

    messages: list[Turn] = Field(min_length=1, max_length=1024)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    def limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    def prompted(self) -> tuple[Message, ...]:
        return tuple(turn.message() for turn in self.messages)


class CompletionRequest(_Request):
    """POST /v1/completions."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]

    def prompted(self) -> str:
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]


R = TypeVar("R", bound=_Request)


def parsed(shape: type[R], body: bytes) -> R:
    """A request from its bytes.

    Raises:
        Refused: names the fields that are wrong, and no value.
    """
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        places = {".".join(str(at) for at in found["loc"]) or "body" for found in error.errors()}
        wrong = ", ".join(sorted(places))[:500]
    raise Refused(f"the request is malformed or asks for what is not served here, at: {wrong}")


def whole(call: Call, text: str) -> dict[str, Any]:
    """The response that is not streamed. A held answer has no text."""
    record = call.record
    choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": _finish(call)}
    if record.endpoint == CHAT:
        choice["message"] = {"role": "assistant", "content": text}
    else:
        choice["text"] = text
    return {**_head(call, chunk=False), "choices": [choice], "usage": _usage(call), **_told(call)}


def chunk(call: Call, text: str) -> dict[str, Any]:
    """One piece of a stream."""
    return {**_head(call, chunk=True), "choices": [_piece(call, text, None)]}


def last_chunk(call: Call) -> dict[str, Any]:
    """Says why a stream ends."""
    choices = [_piece(call, "", _finish(call))]
    return {**_head(call, chunk=True), "choices": choices, **_told(call)}


def usage_chunk(call: Call) -> dict[str, Any]:
    """The extra chunk that `stream_options.include_usage` asks for."""
    return {**_head(call, chunk=True), "choices": [], "usage": _usage(call)}


def event(body: Mapping[str, Any] | str) -> bytes:
    """A server-sent event."""
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    return f"data: {text}\n\n".encode()


def _head(call: Call, *, chunk: bool) -> dict[str, Any]:
    record = call.record
    chat = record.endpoint == CHAT
    kind = "chat.completion.chunk" if chunk else "chat.completion"
    return {
        "id": record.request_id,
        "object": kind if chat else "text_completion",
        "created": int(time.time()),
        "model": record.model,
    }


def _piece(call: Call, text: str, finish: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish}
    if call.record.endpoint != CHAT:
        return {**told, "text": text}
    return {**told, "delta": {} if finish else {"role": "assistant", "content": text}}


def _finish(call: Call) -> str:
    return "content_filter" if call.is_held else call.finish_reason


def _usage(call: Call) -> dict[str, int]:
    prompt, completion = call.record.prompt_tokens, call.num_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _told(call: Call) -> dict[str, Any]:
    """What stands beside OpenAI's fields: the decision, and that an answer was held back."""
    told = {"decision_id": call.release_decision_id}
    return {"halocline": {"code": "held_back", **told} if call.is_held else told}
