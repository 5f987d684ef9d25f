"""Asks a running OPA server, through opa-python-client, and takes nothing on trust.

An answer counts only when it came in time, is well-formed, and was given by exactly the policies
and data that the caller expects. No retries: a question that failed once is a denial.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, cast
from urllib.parse import urlsplit

from opa_client import OpaClient
from opa_client.errors import ConnectionsError
from requests import RequestException

from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.loopback import is_loopback
from halocline_governance.policy.engine import answer, question
from halocline_governance.policy.exchange import Exchange, trusting

DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and the token it wants. `repr` does not show the token."""

    host: str
    port: int
    tls: bool
    token: str | None
    ca: Path | None = None

    def __repr__(self) -> str:
        return f"Address({'https' if self.tls else 'http'}://{self.host}:{self.port})"


def address(url: str, token: str | None, ca: Path | None = None) -> Address:
    """The address in a URL.

    Args:
        url: the server's root, `https://HOST:PORT`.
        token: the bearer token it wants.
        ca: the authorities whose certificates count, instead of the system's.

    Raises:
        Refused: not a server's root, clear text to another machine, where a decision could be
            changed on its way, or authorities for a connection without TLS.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("the policy server's URL is malformed: write https://HOST:PORT") from None
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query:
        raise Refused("the policy server's URL must be https://HOST:PORT, without a path")
    if parts.scheme == "http" and not is_loopback(host):
        raise Refused("a policy server on another machine must be asked over https")
    if ca is not None and parts.scheme == "http":
        raise Refused("a policy server with a certificate must be asked over https")
    default = 443 if parts.scheme == "https" else 8181
    return Address(host, port or default, parts.scheme == "https", token, ca)


class Remote:
    """A `policy.Engine` on a server. Each thread in a call has a connection of its own."""

    def __init__(
        self,
        where: Address,
        revision: str,
        *,
        name: str,
        deadline_s: float = DEADLINE_S,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._where = where
        self._tls = _trust(where)
        self._revision = revision
        self._name = name
        self._deadline_s = deadline_s
        self._on_close = on_close
        self._idle: LifoQueue[Any] = LifoQueue()
        self._pid = os.getpid()
        self._closed = False

    @property
    def where(self) -> Address:
        """Where the server listens."""
        return self._where

    @property
    def name(self) -> str:
        return self._name

    @property
    def revision(self) -> str:
        return self._revision

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        """See `policy.Engine`."""
        question(gate, input)
        if self._closed:
            raise PolicyUnavailable(f"{gate} gate: the policy engine is closed")
        if os.getpid() != self._pid:
            # A connection shared with a forked child could hand one's answer to the other.
            raise PolicyUnavailable(f"{gate} gate: open a policy engine in this process")
        connection = self._borrow()
        asked_at = time.monotonic()
        try:
            body = connection.query_rule(
                dict(input), f"halocline.{gate}", "decision", {"provenance": "true"}
            )
        except (RequestException, ValueError, OSError) as error:
            _discard(connection)
            message = f"{gate} gate: the policy server failed ({type(error).__name__})"
            raise PolicyUnavailable(message) from None
        if time.monotonic() - asked_at > self._deadline_s:
            _discard(connection)
            raise PolicyUnavailable(f"{gate} gate: the policy server was too slow")
        self._idle.put(connection)
        return answer(self._result(gate, body), self._revision)

    def wait(self, timeout_s: float, is_alive: Callable[[], bool] = lambda: True) -> None:
        """Return as soon as the server has loaded its policies.

        Raises:
            PolicyUnavailable: not in time, or `is_alive` said no.
        """
        ends = time.monotonic() + timeout_s
        connection = self._borrow()
        while is_alive() and time.monotonic() < ends:
            try:
                connection.wait_for_ready(timeout=0.05, interval=0.01, query={"bundles": "true"})
            except ConnectionsError:
                continue
            self._idle.put(connection)
            return
        _discard(connection)
        raise PolicyUnavailable(f"the policy server was not ready within {timeout_s:g} s")

    def close(self) -> None:
        """Close every connection, and the server if it is ours. Once is enough. In a forked child
        they are the parent's, which goes on with them."""
        self._closed = True
        if os.getpid() != self._pid:
            return
        while True:
            try:
                _discard(self._idle.get_nowait())
            except Empty:
                break
        if self._on_close is not None:
            self._on_close()

    def _borrow(self) -> Any:
        try:
            return self._idle.get_nowait()
        except Empty:
            return _connect(self._where, self._tls, self._deadline_s)

    def _result(self, gate: str, body: object) -> object:
        """The raw result, if this very revision gave it."""
        whole = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        given = _revisions(whole.get("provenance"))
        if given != {self._revision}:
            raise PolicyUnavailable(f"{gate} gate: the server has other policies than expected")
        return whole.get("result")


def _trust(where: Address) -> ssl.SSLContext | None:
    if not where.tls:
        return None
    try:
        return trusting(where.ca)
    except OSError:
        raise Refused("the policy server's authorities are not a readable PEM file") from None


def _connect(where: Address, tls: ssl.SSLContext | None, deadline_s: float) -> Any:
    connection: Any = OpaClient(
        host=f"[{where.host}]" if ":" in where.host else where.host,
        port=where.port,
        ssl=where.tls,
        token=where.token,
        retries=0,
        timeout=deadline_s,
    )
    # opa-python-client has no switch for these: a proxy or a .netrc would carry the token and the
    # question elsewhere. `exchange` follows no redirect, and bounds the whole time and the size.
    session = connection._session
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    exchange = Exchange(tls)
    for scheme in ("http://", "https://"):
        session.mount(scheme, exchange)
    return connection


def _discard(connection: Any) -> None:
    connection.close_connection()


def _revisions(provenance: object) -> set[object]:
    if not isinstance(provenance, dict):
        return set()
    bundles = cast("dict[str, Any]", provenance).get("bundles")
    if not isinstance(bundles, dict):
        return set()
    return {_revision(entry) for entry in cast("dict[str, object]", bundles).values()}


def _revision(entry: object) -> object:
    named = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    revision = named.get("revision")
    return revision if isinstance(revision, str) else None
