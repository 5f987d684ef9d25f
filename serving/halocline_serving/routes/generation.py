"""POST /v1/chat/completions and /v1/completions."""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from halocline_serving import wire
from halocline_serving.admission import admit
from halocline_serving.call import Call
from halocline_serving.routes import caller
from halocline_serving.runtime import Runtime
from halocline_serving.transport import EventStream, collect
from halocline_serving.wire import ChatRequest, CompletionRequest


def router(runtime: Runtime, limiter: CapacityLimiter) -> APIRouter:
    """Both endpoints; they differ in shape only."""
    routes = APIRouter()

    async def answer(request: Request, shape: type[ChatRequest | CompletionRequest]) -> Response:
        principal = await caller.principal(runtime, request)
        body = await caller.body(request, runtime.settings.max_body_bytes)
        wanted = wire.parsed(shape, body)
        asked = wanted.asked(request.url.path, caller.context_label(request))
        call = await to_thread.run_sync(admit, runtime, principal, asked, limiter=limiter)
        headers = _headers(runtime, call, asked.model)
        if asked.stream:
            return EventStream(call, limiter, headers, wanted.wants_usage)
        text = await collect(call, request.receive, limiter)
        return JSONResponse(wire.whole(call, text), headers=headers)

    @routes.post(wire.CHAT)
    async def chat(request: Request) -> Response:
        return await answer(request, ChatRequest)

    @routes.post(wire.COMPLETIONS)
    async def completions(request: Request) -> Response:
        return await answer(request, CompletionRequest)

    _ = chat, completions
    return routes


def _headers(runtime: Runtime, call: Call, name: str) -> dict[str, str]:
    record, served = call.record, runtime.models[name]
    return {
        "x-request-id": record.request_id,
        "x-halocline-decision": record.serve_decision_id,
        "x-halocline-model": f"{record.model}@{record.model_version}",
        "x-halocline-deployment": served.deployment,
        "cache-control": "no-store",
    }
