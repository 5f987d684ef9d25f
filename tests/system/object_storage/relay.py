"""A relay between a client and an S3 server that writes down what is asked, and can hold it up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple


class Asked(NamedTuple):
    """A request's first line, and the number of its connection."""

    method: str
    path: str
    connection: int


@dataclass
class Relay:
    """Passes bytes on, both ways.

    Args:
        port: of the server.
        hold: requests whose path holds this wait, once they are written down, until `go` is set.
    """

    port: int
    hold: str = ""
    go: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    asked: list[Asked] = field(default_factory=list[Asked])
    endpoint: str = ""
    _num: int = 0

    @contextmanager
    def running(self) -> Generator[Relay]:
        with closing(socket.create_server(("127.0.0.1", 0))) as listening:
            self.endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"
            threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
            try:
                yield self
            finally:
                self.go.set()
                listening.shutdown(socket.SHUT_RDWR)

    def paths(self, method: str, part: str) -> list[str]:
        """What was asked for with this method and this in its path."""
        return [one.path for one in self.asked if one.method == method and part in one.path]

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self._num += 1
            server = socket.create_connection(("127.0.0.1", self.port))
            for run, ends in ((self._up, (client, server)), (self._down, (server, client))):
                threading.Thread(target=run, args=(*ends, self._num), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, number: int) -> None:
        for data in _parts(client):
            words = data.partition(b"\r\n")[0].decode("latin1").split(" ")
            if len(words) == 3 and words[2].startswith("HTTP/"):
                self.asked.append(Asked(words[0], words[1], number))
                if self.hold and self.hold in words[1] and not self.go.is_set():
                    self.held.set()
                    self.go.wait()
            server.sendall(data)
        _end(server)

    def _down(self, server: socket.socket, client: socket.socket, _: int) -> None:
        try:
            for data in _parts(server):
                client.sendall(data)
        except OSError:
            pass
        _end(client)
        client.close()
        server.close()


def _parts(source: socket.socket) -> Generator[bytes]:
    try:
        while data := source.recv(1 << 16):
            yield data
    except OSError:
        return


def _end(target: socket.socket) -> None:
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
