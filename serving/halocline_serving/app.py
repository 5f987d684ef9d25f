"""The service as an ASGI application, made of the parts in a `Runtime`."""

from __future__ import annotations

import logging

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from halocline_governance.errors import HaloclineError
from halocline_serving.errors import answered, error_body
from halocline_serving.routes import generation, health, models
from halocline_serving.runtime import Runtime

_log = logging.getLogger(__name__)


def create_app(runtime: Runtime) -> FastAPI:
    """The application. It opens nothing and closes nothing."""
    app = FastAPI(title="Halocline", docs_url=None, redoc_url=None, openapi_url=None)
    limiter = CapacityLimiter(runtime.settings.max_threads)
    app.include_router(generation.router(runtime, limiter))
    app.include_router(models.router(runtime, limiter))
    app.include_router(health.router(runtime))

    async def deliberate(_: Request, error: Exception) -> Response:
        assert isinstance(error, HaloclineError)
        told = answered(error)
        runtime.metrics.add("halocline_errors_total", code=error.code)
        return JSONResponse(told.body, told.status, dict(told.headers))

    async def routing(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "malformed")
        body = error_body(code, "no such endpoint or method", error.status_code, None)
        return JSONResponse(body, error.status_code, error.headers)

    app.add_exception_handler(HaloclineError, deliberate)
    app.add_exception_handler(HTTPException, routing)
    app.add_middleware(_Veil)
    return app


class _Veil:
    """Turns what nobody foresaw into a plain 500. A traceback's message could hold a value, so only
    the error's kind is logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - see the docstring
            _log.error("serving failed: %s", type(error).__name__)
            if scope["type"] == "http" and not started:
                body = error_body("internal", "the service failed", 500, None)
                await JSONResponse(body, 500)(scope, receive, send)
