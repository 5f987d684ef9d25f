"""One question and its answer over HTTP, with a bound on the whole time and on the size.

Mounted under opa-python-client in place of requests' own adapter, whose timeout is one for each
read: a server that sends a byte now and then would hold the caller for ever. Knows no policy.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as NotConnected
from requests.exceptions import InvalidSchema, Timeout

from halocline_governance import strict_json

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_PIECE_BYTES = 64 * 1024


class Answer(Response):
    """A whole answer, read strictly."""

    def json(self, **_: Any) -> Any:
        """The body, if every reader of JSON would read the same in it.

        Raises:
            ValueError: not UTF-8, not JSON, a key twice, or nested too deep.
        """
        return strict_json.loads(self.content)


class Exchange(BaseAdapter):
    """Keeps one connection to one server; not for several threads at once.

    Args:
        tls: how to check the server's certificate, for https.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self._tls = tls
        self._kept: HTTPConnection | None = None

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Ask once; everything together may take `timeout` seconds.

        Raises:
            requests.Timeout: it took longer.
            requests.ConnectionError: no connection, or an answer that is too long, packed,
                malformed or of another status than 200.
        """
        if not isinstance(timeout, int | float):
            raise InvalidSchema("an exchange takes one number of seconds")
        ends = time.monotonic() + timeout
        try:
            return self._ask(request, ends)
        except TimeoutError:
            self.close()
            raise Timeout("no whole answer in time") from None
        except (OSError, HTTPException) as error:
            self.close()
            raise NotConnected(type(error).__name__) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _ask(self, request: PreparedRequest, ends: float) -> Response:
        if self._kept is not None and _is_dropped(self._kept):
            self.close()
        if self._kept is None:
            self._kept = self._connect(request.url or "", ends)
        connection = self._kept
        _timed(connection).ends = ends
        parts = urlsplit(request.url or "")
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        body = request.body
        if not isinstance(body, bytes | str | None):
            raise InvalidSchema("an exchange sends what it can repeat the length of")
        connection.request(request.method or "GET", target, body, dict(request.headers))
        with connection.getresponse() as response:
            told = _whole(response, ends)
        if response.will_close:
            self.close()
        return _answer(request, told)

    def _connect(self, url: str, ends: float) -> HTTPConnection:
        """Connected by a thread of its own: a resolver of names takes no timeout."""
        parts = urlsplit(url)
        host, left = parts.hostname or "", _left(ends)
        if self._tls is not None:
            made: HTTPConnection = HTTPSConnection(
                host, parts.port, timeout=left, context=self._tls
            )
        else:
            made = HTTPConnection(host, parts.port, timeout=left)
        failed: list[Exception] = []
        given_up = threading.Event()

        def connect() -> None:
            try:
                made.connect()
            except (OSError, HTTPException, ValueError) as error:
                failed.append(error)
            if given_up.is_set():
                made.close()

        thread = threading.Thread(target=connect, name="policy-connect", daemon=True)
        thread.start()
        thread.join(left)
        if thread.is_alive():
            given_up.set()
            raise TimeoutError
        if failed:
            raise NotConnected(type(failed[0]).__name__)
        made.sock = cast("Any", _Timed(made.sock, ends))
        return made


class _Timed:
    """A connected socket of which every use ends at `ends`, however many there are. It closes when
    the last reader does, as sockets do: an answer that ends with the connection is read from it
    afterwards."""

    def __init__(self, wrapped: socket.socket, ends: float) -> None:
        self.wrapped = wrapped
        self.ends = ends
        self._num_readers = 0
        self._is_closing = False

    def sendall(self, content: Any) -> None:
        view = memoryview(content)
        while view:
            self.wrapped.settimeout(_left(self.ends))
            view = view[self.wrapped.send(view[:_PIECE_BYTES]) :]

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        self._num_readers += 1
        return io.BufferedReader(_Reader(self), _PIECE_BYTES)

    def close(self) -> None:
        self._is_closing = True
        if not self._num_readers:
            self.wrapped.close()

    def part(self) -> None:
        """A reader closed."""
        self._num_readers -= 1
        if self._is_closing:
            self.close()


class _Reader(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        super().__init__()
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._timed.wrapped.settimeout(_left(self._timed.ends))
        return self._timed.wrapped.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            self._timed.part()
        super().close()


def trusting(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the host's name checked; `ca` replaces the system's authorities.

    Raises:
        OSError: the file cannot be read, or holds no certificate (`ssl.SSLError`).
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _whole(response: HTTPResponse, ends: float) -> bytes:
    if response.status != 200:
        raise NotConnected(f"status {response.status}")
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise NotConnected("a packed answer, which nobody asked for")
    pieces: list[bytes] = []
    size = 0
    while piece := response.read(_PIECE_BYTES):
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise NotConnected(f"an answer longer than {MAX_ANSWER_BYTES} bytes")
        _left(ends)
        pieces.append(piece)
    if response.length:  # http.client takes an early end of a sized read for the whole
        raise NotConnected("an answer cut short")
    return b"".join(pieces)


def _answer(request: PreparedRequest, body: bytes) -> Answer:
    answer = Answer()
    answer.status_code = 200
    answer.url = request.url or ""
    answer.request = request
    answer.raw = io.BytesIO(body)
    return answer


def _is_dropped(connection: HTTPConnection) -> bool:
    """Has the server closed it, or said something that nobody asked for? No question of ours was
    lost with it, so asking on a new connection repeats nothing."""
    watched = select.poll()
    watched.register(_timed(connection).wrapped, select.POLLIN)
    return bool(watched.poll(0))


def _timed(connection: HTTPConnection) -> _Timed:
    return cast("_Timed", cast("object", connection.sock))


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
