"""GET /v1/models: those the caller may use, by the serve gate's word."""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from halocline_governance.label import Label
from halocline_governance.principal import Principal
from halocline_serving.admission import ask_to_serve
from halocline_serving.errors import ModelNotFound
from halocline_serving.routes import caller
from halocline_serving.runtime import Runtime

PATH = "/v1/models"


def router(runtime: Runtime, limiter: CapacityLimiter) -> APIRouter:
    routes = APIRouter()

    @routes.get(PATH)
    async def models(request: Request) -> Response:
        principal = await caller.principal(runtime, request)
        context = caller.context_label(request)
        names = await to_thread.run_sync(_usable, runtime, principal, context, limiter=limiter)
        return JSONResponse({"object": "list", "data": [_shown(name) for name in names]})

    @routes.get(PATH + "/{name}")
    async def model(request: Request, name: str) -> Response:
        principal = await caller.principal(runtime, request)
        context = caller.context_label(request)
        names = await to_thread.run_sync(_usable, runtime, principal, context, limiter=limiter)
        if name not in names:
            raise ModelNotFound("no such model; GET /v1/models lists those you may use")
        return JSONResponse(_shown(name))

    _ = models, model
    return routes


def _usable(runtime: Runtime, principal: Principal, context: Label) -> list[str]:
    return [
        name
        for name, served in sorted(runtime.models.items())
        if ask_to_serve(runtime, principal, served, endpoint=PATH, context_label=context).allow
    ]


def _shown(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "halocline"}
