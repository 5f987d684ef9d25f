"""GET /healthz, /readyz, /metrics: for operators and probes: no token, no value."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from halocline_serving.runtime import Runtime


def router(runtime: Runtime) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @routes.get("/readyz")
    async def readyz() -> Response:
        parts = {
            "engines": all(served.engine.is_alive for served in runtime.models.values()),
            "outputs": runtime.outputs.is_moving,
        }
        ready = all(parts.values())
        return JSONResponse({"ready": ready, **parts}, status_code=200 if ready else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        waiting = sum(served.engine.num_waiting for served in runtime.models.values())
        gauges = {
            "halocline_waiting": waiting,
            "halocline_records_pending": runtime.outputs.num_pending,
        }
        return PlainTextResponse(
            runtime.metrics.text(gauges), media_type="text/plain; version=0.0.4"
        )

    _ = healthz, readyz, metrics
    return routes
