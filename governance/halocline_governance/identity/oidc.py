"""An OIDC issuer: its keys are fetched, kept for a while, and fetched anew when they rotate."""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from halocline_governance.clock import Onward
from halocline_governance.errors import IssuerUnavailable, Refused, Unauthenticated
from halocline_governance.identity import keyset
from halocline_governance.identity import token as tokens
from halocline_governance.identity.claims import AUDIENCE, Expected
from halocline_governance.loopback import is_loopback
from halocline_governance.principal import Principal

FRESH_S = 300.0
EXPIRY_S = 600.0
PAUSE_S = 5.0
_TIMEOUT_S = 5.0
# Callers with unknown keys must not take every thread there is while a slow issuer is asked.
_MAX_SEEKERS = 16
_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: keyset.Keyset
    at: float


class OidcVerifier:
    """Verifies the tokens of one issuer. Safe to use from many threads, and over a fork.

    Keys older than `FRESH_S` seconds are fetched anew; if that fails, they are used until they are
    `EXPIRY_S` old and not a second longer. A key id that is not known is asked for once; between
    two fetches lie `PAUSE_S` seconds, whatever callers send.

    Args:
        issuer: the URL that stands in `iss`; https, or http on this machine.
        audience: what `aud` must be, alone.
        ca_file: the authorities that the issuer's certificate must be of; else the usual ones.
        clock: seconds since the epoch.
        steady: seconds of a clock that never jumps: keys age by it.

    Raises:
        Refused: not a URL that keys may be fetched from, or a `ca_file` that is none.
    """

    def __init__(
        self,
        issuer: str,
        audience: str = AUDIENCE,
        *,
        ca_file: Path | None = None,
        clock: Callable[[], float] | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        if not _is_safe(issuer) or urlsplit(issuer).query:
            raise Refused("the issuer is an https URL; http only on this machine's loopback")
        self.issuer = issuer
        self._expected = Expected(issuer, audience, clock or Onward(steady=steady))
        self._steady = steady
        self._ca_file = ca_file
        if ca_file is not None:
            _tls(ca_file)
        self._fetched: _Fetched | None = None
        self._next_fetch = float("-inf")
        self._begin()

    def verify(self, token: str | None) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: missing, malformed, expired, foreign, or signed any other way.
            IssuerUnavailable: the keys to verify it by cannot be had.
        """
        read = tokens.read(token)
        if read.claims.get("iss") != self.issuer:
            raise Unauthenticated("the token is of another issuer")
        if self._pid != os.getpid():
            self._begin()
        key = self._key(read.key_id)
        read.verify(key.public, key.algorithms)
        return self._expected.principal(read)

    def _begin(self) -> None:
        # A fork may have found the lock held by a thread that the child does not have.
        self._lock = threading.Lock()
        self._seekers = threading.Semaphore(_MAX_SEEKERS)
        self._pid = os.getpid()

    def _key(self, key_id: str | None) -> keyset.Key:
        held = self._current()
        key = held.keys.get(key_id)
        if key is None and self._seekers.acquire(blocking=False):
            # It may have rotated: look once, unless somebody has just looked.
            try:
                key = self._renewed(held).keys.get(key_id)
            finally:
                self._seekers.release()
        if key is None:
            raise Unauthenticated("the token is signed by a key that its issuer does not have")
        return key

    def _current(self) -> _Fetched:
        held, now = self._fetched, self._steady()
        if held is not None and now < held.at + FRESH_S:
            return held
        if held is not None and now < held.at + EXPIRY_S:
            return self._renewed(held, wait=False)
        return self._renewed(None)

    def _renewed(self, held: _Fetched | None, *, wait: bool = True) -> _Fetched:
        """Newer keys than `held`, else `held` itself.

        Raises:
            IssuerUnavailable: there is nothing held, and nothing newer to be had.
        """
        if not self._lock.acquire(blocking=wait):
            assert held is not None
            return held  # somebody fetches already, and these will do
        try:
            newest = self._fetched
            is_usable = newest is not None and self._steady() < newest.at + EXPIRY_S
            if newest is not None and newest is not held and is_usable:
                return newest
            if self._steady() < self._next_fetch:
                return self._or_fail(held, IssuerUnavailable("the issuer's keys cannot be had yet"))
            began = self._steady()
            try:
                self._fetched = _Fetched(self._fetch(), began)
            except IssuerUnavailable as error:
                return self._or_fail(held, error)
            finally:
                self._next_fetch = self._steady() + PAUSE_S
            return self._fetched
        finally:
            self._lock.release()

    def _or_fail(self, held: _Fetched | None, error: IssuerUnavailable) -> _Fetched:
        if held is None or self._steady() >= held.at + EXPIRY_S:
            raise error
        return held

    def _fetch(self) -> keyset.Keyset:
        told = self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            document: Any = json.loads(told)
            issuer, address = document["issuer"], document["jwks_uri"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise IssuerUnavailable("the issuer's configuration is not one") from None
        if issuer != self.issuer or not isinstance(address, str) or not _is_safe(address):
            raise IssuerUnavailable("the issuer's configuration is of another issuer, or unsafe")
        return keyset.parse(self._get(address))

    def _get(self, url: str) -> bytes:
        """What lies at a URL: no redirect, no proxy, no cookie, no more than it should be."""
        import httpx

        deadline = time.monotonic() + _TIMEOUT_S
        verify = _tls(self._ca_file)
        plain = {"accept": "application/json", "accept-encoding": "identity"}
        body = b""
        try:
            with (
                httpx.Client(trust_env=False, timeout=_TIMEOUT_S, verify=verify) as client,
                client.stream("GET", url, headers=plain) as answer,
            ):
                if answer.status_code != 200:
                    raise IssuerUnavailable(f"the issuer answered {answer.status_code}")
                for part in answer.iter_raw():
                    body += part
                    if len(body) > _MAX_BYTES or time.monotonic() > deadline:
                        raise IssuerUnavailable("the issuer's answer is too long or too slow")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            kind = type(error).__name__
            raise IssuerUnavailable(f"the issuer cannot be reached: {kind}") from None
        return body


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Refused("the issuer's authorities are not a PEM file that can be read") from None


def _is_safe(url: str) -> bool:
    """https; plain http only where nobody is between: on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
