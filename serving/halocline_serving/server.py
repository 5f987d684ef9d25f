"""Runs the application with uvicorn: in a thread beside other work, or in the foreground."""

from __future__ import annotations

import errno
import signal
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from halocline_governance.errors import Refused

_NEXT_PORTS = 20
_PATIENCE_S = 30.0


@contextmanager
def running(app: Any, host: str = "127.0.0.1", port: int = 8000) -> Generator[str]:
    """The service's URL while it runs in a thread. A port that is taken: the next free one.

    Args:
        port: 0 for any free port.

    Raises:
        Refused: no port near it is free.
    """
    listener = _listen(host, port, 1 if port == 0 else _NEXT_PORTS)
    server = _server(app)
    thread = threading.Thread(target=server.run, args=([listener],), name="http", daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        yield _url(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def serve(app: Any, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Run in the foreground; returns after SIGINT or SIGTERM, when answers under way have ended.

    Raises:
        Refused: the port is taken.
    """
    with _listen(host, port, 1) as listener:
        _server(app).run([listener])


class _Server(uvicorn.Server):
    """uvicorn raises a signal again when it has stopped, which would end the process before its
    records are closed; this one only stops."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _server(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=10
    )
    return _Server(config)


def _listen(host: str, port: int, num_ports: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + num_ports, 65_536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise Refused(f"cannot listen on {host}:{candidate}: {error.strerror}") from None
            continue
        return listener
    raise Refused(f"port {port} on {host} is taken; choose another with --port, or 0 for any")


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise Refused("the service did not start")
        time.sleep(0.01)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
