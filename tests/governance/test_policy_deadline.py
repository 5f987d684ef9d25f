"""An exchange without time left asks nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from halocline_governance.policy.exchange import Exchange


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("timeout", [0, 0.0, -1, -1.5])
def test_no_time_is_too_little(listener: socket.socket, timeout: float) -> None:
    host, port = listener.getsockname()
    asked = requests.Request("POST", f"http://{host}:{port}/v1/data", data="{}").prepare()
    exchange = Exchange(None)
    with pytest.raises(requests.Timeout):
        exchange.send(asked, timeout=timeout)
    with pytest.raises(BlockingIOError):
        listener.accept()
    exchange.close()
