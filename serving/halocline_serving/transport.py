"""Between a call, which runs in threads, and HTTP: pieces out, a caller who leaves noticed.

Knows nothing of gates. Law: whatever happens to the connection or to the server's task, the call is
read to its end, so that its record is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from halocline_governance.errors import HaloclineError
from halocline_serving import wire
from halocline_serving.call import Call
from halocline_serving.errors import answered

Emit = Callable[[str], Awaitable[None]]


async def pump(call: Call, receive: Receive, emit: Emit, limiter: CapacityLimiter) -> None:
    """Hand every piece to `emit`; end the call when the caller disconnects or `emit` fails.

    Raises:
        HaloclineError: the call failed.
        OSError: `emit` could not send.
    """
    try:
        await _pump(call, receive, emit, limiter)
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _pump(call: Call, receive: Receive, emit: Emit, limiter: CapacityLimiter) -> None:
    pieces = call.pieces()
    async with anyio.create_task_group() as group:
        group.start_soon(_watch, call, receive)
        try:
            while (piece := await _next(pieces, limiter)) is not None:
                await emit(piece)
        finally:
            call.cancel()
            with anyio.CancelScope(shield=True):
                while await _next(pieces, limiter) is not None:
                    pass  # unsent; the record tells what the gate let go
            group.cancel_scope.cancel()


class EventStream(Response):
    """An answer as server-sent events. Headers go out with the first piece, so that a failure
    before it is a plain error."""

    def __init__(
        self, call: Call, limiter: CapacityLimiter, headers: Mapping[str, str], usage: bool
    ) -> None:
        self._call = call
        self._limiter = limiter
        self._usage = usage
        self._started = False
        super().__init__(headers=dict(headers), media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def emit(piece: str) -> None:
            await self._send(send, wire.event(wire.chunk(self._call, piece)))

        try:
            await pump(self._call, receive, emit, self._limiter)
        except HaloclineError as error:
            await self._fail(error, scope, receive, send)
            return
        except OSError:
            return  # the caller has gone; the record says so
        await self._finish(send)

    async def _finish(self, send: Send) -> None:
        events = [wire.last_chunk(self._call)]
        if self._usage:
            events.append(wire.usage_chunk(self._call))
        body = b"".join(wire.event(event) for event in [*events, "[DONE]"])
        await self._send(send, body, more=False)

    async def _fail(
        self, error: HaloclineError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        told = answered(error)
        if self._started:
            await self._send(send, wire.event(told.body), more=False)
            return
        headers = {**self.headers, **told.headers}
        for name in ("content-type", "content-length"):
            headers.pop(name, None)
        await JSONResponse(told.body, told.status, headers)(scope, receive, send)

    async def _send(self, send: Send, body: bytes, more: bool = True) -> None:
        if not self._started:
            self._started = True
            headers = [(k, v) for k, v in self.raw_headers if k != b"content-length"]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def collect(call: Call, receive: Receive, limiter: CapacityLimiter) -> str:
    """The whole answer; the call ends early when the caller disconnects.

    Raises:
        HaloclineError: the call failed.
    """
    pieces: list[str] = []

    async def emit(piece: str) -> None:
        pieces.append(piece)

    await pump(call, receive, emit, limiter)
    return "".join(pieces)


async def _watch(call: Call, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    call.cancel()


async def _next(pieces: Iterator[str], limiter: CapacityLimiter) -> str | None:
    return await to_thread.run_sync(next, pieces, None, limiter=limiter)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong, out of the group that a task group puts even a single error in."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return error  # pyright: ignore[reportUnknownVariableType]
