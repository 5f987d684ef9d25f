"""The right to write one table: a lock of this machine's kernel, or an object in a bucket.

The object is made or replaced on condition, so two machines cannot both hold it. It ends by itself
when its holder dies, by the server's clock; while held it is renewed from a thread. A holder that
slept past its end may still write: `commit` refuses what builds on rows that another changed.
Spark's S3 client has no such condition, so Spark writes only where nobody else does.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from halocline_governance.errors import HaloclineError, LeaseHeld, StorageUnavailable
from halocline_governance.lake.s3 import S3Client, StoredObject

_LEASE_S = 60.0


@contextmanager
def locked(path: Path, what: str) -> Generator[None]:
    """Hold the lock of this file, made if need be.

    Raises:
        LeaseHeld: another process holds it.
    """
    pid, handle = os.getpid(), os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _busy(what) from error
        yield
    finally:
        # A forked child shares the lock: it must neither give it away nor keep it.
        if os.getpid() == pid:
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


class Lease:
    """A lease in a bucket, held by the process that took it and not by its forked children.

    Args:
        client: the bucket.
        key: of the lease's object.
        what: is leased, for messages.
    """

    def __init__(self, client: S3Client, key: str, what: str) -> None:
        self._client = client
        self._key = key
        self._what = what
        self._holder = secrets.token_hex(16)
        self._pid = os.getpid()
        self._etag = ""
        self._is_lost = False
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)

    def take(self) -> None:
        """Hold it from now on.

        Raises:
            LeaseHeld: another process does.
            StorageUnavailable: the server failed or refused.
        """
        before = self._client.get(self._key)
        if before is not None and _ends(before) > before.at:
            raise _busy(self._what)
        # The first word takes it; the second says until when, by the server's clock.
        held = self._put(0.0 if before is None else before.at + _LEASE_S, before)
        if held is not None and before is None:
            held = self._put(held.at + _LEASE_S, held)
        if held is None:
            raise _busy(self._what)
        self._etag = held.etag
        self._renewing.start()

    def give_back(self) -> None:
        """Hold it no longer.

        Raises:
            LeaseHeld: another process took it over meanwhile.
            StorageUnavailable: the server failed or refused; it ends by itself.
        """
        if os.getpid() != self._pid:
            return
        self._over.set()
        self._renewing.join()
        if self._is_lost or self._client.put(self._key, self._told(0.0), self._etag) is None:
            raise LeaseHeld(f"{self._what} was taken over while it was being written; check it")

    def _renew(self) -> None:
        while not self._over.wait(_LEASE_S / 4):
            try:
                now = self._client.get(self._key)
                held = None if now is None or now.etag != self._etag else now
                held = held and self._put(held.at + _LEASE_S, held)
            except StorageUnavailable:
                continue  # there may be time for another try; giving back tells
            except HaloclineError:
                held = None
            if held is None:
                self._is_lost = True
                return
            self._etag = held.etag

    def _put(self, ends: float, over: StoredObject | None) -> StoredObject | None:
        return self._client.put(self._key, self._told(ends), over.etag if over else None)

    def _told(self, ends: float) -> bytes:
        return json.dumps({"holder": self._holder, "ends": ends}).encode()


def _busy(what: str) -> LeaseHeld:
    return LeaseHeld(f"{what} is being written by another process; try again when it is done")


def _ends(held: StoredObject) -> float:
    try:
        return float(json.loads(held.content)["ends"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return held.at + _LEASE_S  # not one of ours: never taken over
