"""One bucket through S3's protocol: the few calls that labels and leases need, each conditional
where it must be. Tables are read and written by delta-rs and Spark, not through this.

Every failure is a `StorageUnavailable` without the server's own text, which may quote keys.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree

from halocline_governance.errors import StorageUnavailable
from halocline_governance.lake import signature
from halocline_governance.lake.places import Place

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 10.0
_WHOLE_S = 30.0
# A label has at most as much; a page of a listing, 1000 keys of 1024 bytes and what is around them.
_MAX_BYTES = 1 << 20
_MAX_PAGE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the server holds it.

    Args:
        content: its bytes, the first MiB of them.
        etag: names this content in a condition.
        at: the server's clock when it answered, in seconds of Unix time.
    """

    content: bytes
    etag: str
    at: float


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


class S3Client:
    """Safe to use from many threads; a forked child opens connections of its own.

    Args:
        compartment: whose it is, for messages.
        place: where it is; its credential is read at each call.
    """

    def __init__(self, compartment: str, place: Place) -> None:
        self._compartment = compartment
        self._place = place
        self._connections: dict[int, httpx.Client] = {}

    def get(self, key: str) -> StoredObject | None:
        """An object, or None when there is none.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        answer = self._ask("GET", key, accept=(200, 404))
        if answer.status == 404:
            return None
        return StoredObject(answer.content, answer.headers.get("etag", ""), _date(answer))

    def put(self, key: str, content: bytes, replaces: str | None = None) -> StoredObject | None:
        """Make an object, or replace the one whose etag is given; None when there is another.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        when = {"if-none-match": "*"} if replaces is None else {"if-match": replaces}
        answer = self._ask("PUT", key, headers=when, content=content, accept=(200, 404, 409, 412))
        if answer.status != 200:
            return None
        return StoredObject(content, answer.headers.get("etag", ""), _date(answer))

    def etags(self, prefix: str, limit: int | None = None) -> Iterator[tuple[str, str]]:
        """The keys that begin so, in order, each with its etag; the first `limit` of them.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        asked = {"list-type": "2", "prefix": prefix}
        if limit is not None:
            asked["max-keys"] = str(limit)
        while True:
            found = _xml(self._ask("GET", "", query=asked).content)
            for node in found.findall("Contents"):
                yield node.findtext("Key") or "", node.findtext("ETag") or ""
            token = found.findtext("NextContinuationToken")
            if limit is not None or found.findtext("IsTruncated") != "true" or not token:
                return
            asked["continuation-token"] = token

    def _ask(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        accept: tuple[int, ...] = (200,),
    ) -> _Answer:
        import httpx

        path = f"/{self._place.bucket}" + (f"/{quote(key, safe='/-_.~')}" if key else "/")
        asked = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted((query or {}).items())
        )
        signed = signature.signed(self._place, method, path, asked, headers or {}, content)
        url = f"{self._place.endpoint}{path}" + (f"?{asked}" if asked else "")
        try:
            with self._opened().stream(method, url, headers=signed, content=content) as response:
                head = {name.lower(): value for name, value in response.headers.items()}
                body = self._body(response, _MAX_BYTES if key else _MAX_PAGE_BYTES)
                answer = _Answer(response.status_code, head, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failed(f"does not answer ({type(error).__name__})") from None
        if answer.status in accept and not (answer.status == 404 and _is_gone(answer)):
            return answer
        if answer.status in (401, 403):
            raise self._failed("refuses the compartment's credential")
        raise self._failed(f"answered with status {answer.status}")

    def _body(self, response: httpx.Response, max_bytes: int) -> bytes:
        """As it was sent, and no more of it than can be of use: not all that a server says."""
        ends, body = time.monotonic() + _WHOLE_S, bytearray()
        for part in response.iter_raw(1 << 16):
            body += part[: max_bytes - len(body)]
            if len(body) >= max_bytes:
                break
            if time.monotonic() > ends:
                raise self._failed("does not answer in time")
        return bytes(body)

    def _opened(self) -> httpx.Client:
        import httpx

        pid = os.getpid()
        found = self._connections.get(pid)
        if found is None:
            # No proxy, no .netrc: only the credential of the compartment opens the bucket.
            made = httpx.Client(
                timeout=_TIMEOUT_S, trust_env=False, headers={"accept-encoding": "identity"}
            )
            # No lock, which a fork could find held: of two threads' clients, the first is used.
            found = self._connections.setdefault(pid, made)
            if found is made:
                # A lake is a value that nobody closes: its connections go when it does.
                weakref.finalize(self, _close, made, pid)
        return found

    def _failed(self, what: str) -> StorageUnavailable:
        return StorageUnavailable(f"the object storage of compartment {self._compartment} {what}")


def _xml(content: bytes) -> ElementTree.Element:
    """A listing without its namespace. Document types, and with them entities, are refused."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise StorageUnavailable("the object storage answered with what is no listing")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        raise StorageUnavailable("the object storage answered with what is no listing") from None
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


def _is_gone(answer: _Answer) -> bool:
    return b"NoSuchBucket" in answer.content


def _close(client: httpx.Client, pid: int) -> None:
    """In the process that opened it. A forked child keeps its parent's and does not touch it."""
    if os.getpid() == pid:
        client.close()


def _date(answer: _Answer) -> float:
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        raise StorageUnavailable("the object storage does not say what time it is") from None
