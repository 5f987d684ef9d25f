"""One bucket through S3's protocol: the few calls that labels and leases need, each conditional
where it must be. Tables are read and written by delta-rs and Spark, not through this.

Every failure is a `StorageUnavailable` without the server's own text, which may quote keys.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree

from halocline_governance import signature
from halocline_governance.errors import StorageUnavailable
from halocline_governance.places import Place

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 10.0
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """An object as the server holds it.

    Args:
        content: its bytes.
        etag: names this content in a condition.
        at: the server's clock when it answered, in seconds of Unix time.
    """

    content: bytes
    etag: str
    at: float


class Bucket:
    """Safe to use from many threads.

    Args:
        compartment: whose it is, for messages.
        place: where it is; its credential is read at each call.
    """

    def __init__(self, compartment: str, place: Place) -> None:
        self._compartment = compartment
        self._place = place
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

    def get(self, key: str) -> Held | None:
        """An object, or None when there is none.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        answer = self._ask("GET", key, accept=(200, 404))
        if answer.status_code == 404:
            return None
        return Held(answer.content[:_MAX_BYTES], answer.headers.get("etag", ""), _date(answer))

    def put(self, key: str, content: bytes, replaces: str | None = None) -> Held | None:
        """Make an object, or replace the one whose etag is given; None when there is another.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        when = {"if-none-match": "*"} if replaces is None else {"if-match": replaces}
        answer = self._ask("PUT", key, headers=when, content=content, accept=(200, 404, 409, 412))
        if answer.status_code != 200:
            return None
        return Held(content, answer.headers.get("etag", ""), _date(answer))

    def names(self, prefix: str, limit: int | None = None) -> Iterator[str]:
        """The keys that begin so, in order; the first `limit` of them.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        asked = {"list-type": "2", "prefix": prefix}
        if limit is not None:
            asked["max-keys"] = str(limit)
        while True:
            found = _xml(self._ask("GET", "", query=asked).content)
            yield from (node.text or "" for node in found.findall("Contents/Key"))
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
    ) -> httpx.Response:
        import httpx

        path = f"/{self._place.bucket}" + (f"/{quote(key, safe='/-_.~')}" if key else "/")
        asked = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted((query or {}).items())
        )
        signed = signature.signed(self._place, method, path, asked, headers or {}, content)
        url = f"{self._place.endpoint}{path}" + (f"?{asked}" if asked else "")
        try:
            answer = self._opened().request(method, url, headers=signed, content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failed(f"does not answer ({type(error).__name__})") from None
        if answer.status_code in accept and not (
            answer.status_code == 404 and self._is_gone(answer)
        ):
            return answer
        if answer.status_code in (401, 403):
            raise self._failed("refuses the compartment's credential")
        raise self._failed(f"answered with status {answer.status_code}")

    def _opened(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                # No proxy, no .netrc: only the credential of the compartment opens the bucket.
                self._client = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)
                # A lake is a value that nobody closes: its connections go when it does.
                weakref.finalize(self, self._client.close)
            return self._client

    def _failed(self, what: str) -> StorageUnavailable:
        return StorageUnavailable(f"the object storage of compartment {self._compartment} {what}")

    @staticmethod
    def _is_gone(answer: httpx.Response) -> bool:
        return b"NoSuchBucket" in answer.content


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


def _date(answer: httpx.Response) -> float:
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        raise StorageUnavailable("the object storage does not say what time it is") from None
