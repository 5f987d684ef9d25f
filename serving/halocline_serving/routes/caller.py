"""What every governed endpoint learns of a request before it looks at its body."""

from __future__ import annotations

from anyio import to_thread
from starlette.requests import Request

from halocline_governance.errors import Refused
from halocline_governance.identity import bearer
from halocline_governance.label import PUBLIC, Label, parse_compact
from halocline_governance.principal import Principal
from halocline_serving.runtime import Runtime

LABEL_HEADER = "x-halocline-label"


async def principal(runtime: Runtime, request: Request) -> Principal:
    """The caller behind the bearer token. Verified in a thread: it may fetch an issuer's keys, and
    reads the directory; and not in one of those that answers wait for.

    Raises:
        Unauthenticated: there is none, there are several, or it does not verify.
    """
    token = bearer(request.headers.getlist("authorization"))
    return await to_thread.run_sync(runtime.verify, token)


def context_label(request: Request) -> Label:
    """The label that the caller declares for what it sends; public when it declares none.

    Raises:
        MalformedLabel: it is not one.
    """
    declared = request.headers.getlist(LABEL_HEADER)
    if len(declared) > 1:
        raise Refused(f"send one {LABEL_HEADER} header; labels of parts join into one")
    return parse_compact(declared[0]) if declared else PUBLIC


async def body(request: Request, max_bytes: int) -> bytes:
    """The request's body.

    Raises:
        Refused: it is too long; it was not read to its end.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise Refused(f"the request's body is longer than {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)
