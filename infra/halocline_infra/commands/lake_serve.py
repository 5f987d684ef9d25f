"""`halocline lake serve`: the guard as a server, which alone holds the lake's credentials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from halocline_infra.platform import Platform


def run(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8815,
    tls_cert: Annotated[Path | None, typer.Option(help="The certificate, in PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, in PEM.")] = None,
) -> None:
    """Serve governed rows over Arrow Flight until interrupted; every read is decided and recorded.

    Example:

        halocline lake serve --port 8815

        HALOCLINE_GUARD=grpc://127.0.0.1:8815 halocline lake list --token ana.jwt
    """
    import os

    from halocline_governance.errors import Refused
    from halocline_governance.guard.server import GuardServer, Identity
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    if (tls_cert is None) != (tls_key is None):
        raise Refused("give --tls-cert and --tls-key together")
    identity = Identity.read(tls_cert, tls_key) if tls_cert and tls_key else None
    with Platform(from_env()) as platform:
        _open(platform)
        server = GuardServer(platform.guard, platform.caller, (host, port), identity=identity)
        typer.echo(f"policies decided by {platform.engine.name}", err=True)
        typer.echo(f"guard at {server.url}")
        _until_told()
        typer.echo("stopping", err=True)
        ended = server.stop()
    if not ended:
        # A caller who does not read would hold this process up. What was to be written is written.
        os._exit(0)


def _open(platform: Platform) -> None:
    """Open what a call needs now, so that no two calls open it at once."""
    from contextlib import suppress

    from halocline_governance.errors import Unauthenticated

    assert platform.guard
    with suppress(Unauthenticated):
        platform.caller("nobody")


def _until_told() -> None:
    """Wait for an interrupt or a termination."""
    import signal
    import threading

    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: told.set())
    told.wait()
