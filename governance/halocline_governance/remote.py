"""One compartment in a bucket: its tables' places, its labels, its leases.

A lease is an object made or replaced on condition, so two machines cannot both hold it. It ends
by itself when its holder dies, by the server's clock; while held it is renewed from a thread. What
an S3 server cannot give is a fence: a holder that slept past the end of its lease may still write.
delta-rs commits on condition too, so such a write then fails or follows the other, but never tears
the table; Spark's S3 client does not, so Spark writes only where nobody else does.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType

from halocline_governance.bucket import Bucket, Held
from halocline_governance.errors import HaloclineError, LeaseHeld, StorageUnavailable
from halocline_governance.interned import checked, is_label_id
from halocline_governance.label import Label
from halocline_governance.location import Location
from halocline_governance.places import Place

_LEASE_S = 60.0
_AT_ONCE = 16
_NONE: Mapping[str, Label] = MappingProxyType({})


class Remote:
    """Safe to use from many threads; a copy starts without connections and memories."""

    def __init__(self, compartment: str, place: Place) -> None:
        self._compartment = compartment
        self._place = place
        self._bucket = Bucket(compartment, place)
        self._lock = threading.Lock()
        self._labels = _NONE

    def __reduce__(self) -> tuple[type[Remote], tuple[str, Place]]:
        return Remote, (self._compartment, self._place)

    @property
    def is_open(self) -> bool:
        """Whether this process was given the credential."""
        return self._place.has_credential

    def location(self, schema: str, name: str) -> Location:
        """A table's place, with the credential as it is now.

        Raises:
            Refused: the credential's file is not one.
        """
        place, credential = self._place, self._place.credential()
        plain = place.endpoint.startswith("http://")
        options = {
            "AWS_ENDPOINT_URL": place.endpoint,
            "AWS_REGION": place.region,
            "AWS_ACCESS_KEY_ID": credential.key_id,
            "AWS_SECRET_ACCESS_KEY": credential.secret,
            "AWS_ALLOW_HTTP": str(plain).lower(),
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "aws_conditional_put": "etag",
            # Fail in seconds: whoever waits for rows is told, and may ask again.
            "connect_timeout": "5s",
            "timeout": "30s",
            "max_retries": "2",
            "retry_timeout": "20s",
        }
        provider = "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
        spark = {
            "endpoint": place.endpoint,
            "endpoint.region": place.region,
            "path.style.access": "true",
            "connection.ssl.enabled": str(not plain).lower(),
            "access.key": credential.key_id,
            "secret.key": credential.secret,
            "attempts.maximum": "2",
            "retry.limit": "2",
        }
        if credential.session:
            options["AWS_SESSION_TOKEN"] = spark["session.token"] = credential.session
            provider = "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider"
        spark["aws.credentials.provider"] = provider
        named = {f"fs.s3a.bucket.{place.bucket}.{key}": value for key, value in spark.items()}
        return Location(f"s3://{place.bucket}/{place.key(schema, name)}", options, named)

    def exists(self, schema: str, name: str) -> bool:
        """Whether a Delta table lies there.

        Raises:
            StorageUnavailable: the server failed or refused.
        """
        log = self._place.key(schema, name, "_delta_log") + "/"
        return any(True for _ in self._bucket.names(log, limit=1))

    def intern(self, label: Label) -> None:
        """Make the label known here: an object named by its hash, written once.

        Raises:
            StorageUnavailable: the server failed or refused, or another object has that name.
        """
        made = self._bucket.put(self._place.key("_labels", label.label_id), label.canonical())
        # Somebody else's, then: perhaps only begun, and perhaps never to be finished.
        if made is None and self._read(label.label_id) is None:
            raise StorageUnavailable(
                f"label {label.label_id} could not be made known in {self._compartment}: try again"
            )

    def labels(self) -> Mapping[str, Label]:
        """Every label interned here, by id, looked up at each call; each is read once.

        Raises:
            StorageUnavailable: the server failed or refused, or a label could not be read.
        """
        folder = self._place.key("_labels") + "/"
        found = (key[len(folder) :] for key in self._bucket.names(folder))
        names = {name for name in found if is_label_id(name)}
        with self._lock:
            known = self._labels
            if names == set(known):
                return known
            new = sorted(names - known.keys())
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                read = dict(zip(new, pool.map(self._read, new), strict=True))
            merged = {name: read.get(name) or known.get(name) for name in sorted(names)}
            self._labels = MappingProxyType(
                {name: label for name, label in merged.items() if label is not None}
            )
            return self._labels

    @contextmanager
    def lease(self, table: str) -> Generator[None]:
        """Hold the right to write one table.

        Raises:
            LeaseHeld: another process writes it now, or took it over while we wrote.
            StorageUnavailable: the server failed or refused.
        """
        key = self._place.key("_leases", table)
        lease = _Lease(self._bucket, key, f"{self._compartment}:{table}")
        lease.take()
        try:
            yield
        finally:
            lease.give_back()

    def _read(self, label_id: str) -> Label | None:
        held = self._bucket.get(self._place.key("_labels", label_id))
        return None if held is None else checked(label_id, held.content)


class _Lease:
    def __init__(self, bucket: Bucket, key: str, what: str) -> None:
        self._bucket = bucket
        self._key = key
        self._what = what
        self._holder = secrets.token_hex(16)
        self._etag = ""
        self._is_lost = False
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)

    def take(self) -> None:
        before = self._bucket.get(self._key)
        if before is not None and _ends(before) > before.at:
            raise self._busy()
        # The first word takes it; the second says until when, by the server's clock.
        held = self._put(0.0 if before is None else before.at + _LEASE_S, before)
        if held is not None and before is None:
            held = self._put(held.at + _LEASE_S, held)
        if held is None:
            raise self._busy()
        self._etag = held.etag
        self._renewing.start()

    def give_back(self) -> None:
        self._over.set()
        self._renewing.join()
        if self._is_lost or self._bucket.put(self._key, self._told(0.0), self._etag) is None:
            raise LeaseHeld(f"{self._what} was taken over while it was being written; check it")

    def _renew(self) -> None:
        while not self._over.wait(_LEASE_S / 4):
            try:
                now = self._bucket.get(self._key)
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

    def _put(self, ends: float, over: Held | None) -> Held | None:
        return self._bucket.put(self._key, self._told(ends), over.etag if over else None)

    def _told(self, ends: float) -> bytes:
        return json.dumps({"holder": self._holder, "ends": ends}).encode()

    def _busy(self) -> LeaseHeld:
        return LeaseHeld(
            f"{self._what} is being written by another process; try again when it is done"
        )


def _ends(held: Held) -> float:
    try:
        return float(json.loads(held.content)["ends"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return held.at + _LEASE_S  # not one of ours: never taken over
