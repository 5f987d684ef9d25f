"""One compartment in a bucket: its tables' places, its labels, its leases."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType

from halocline_governance.errors import StorageUnavailable
from halocline_governance.label import Label
from halocline_governance.lake.interned import checked, is_label_id
from halocline_governance.lake.lease import Lease
from halocline_governance.lake.location import Location
from halocline_governance.lake.places import Place
from halocline_governance.lake.s3 import S3Client

_AT_ONCE = 16
_NONE: Mapping[str, Label] = MappingProxyType({})


class Bucket:
    """Safe to use from many threads; a copy, or a forked child, has connections of its own.

    Args:
        name: the compartment's.
        place: where it lies; its credential is read at each use.
    """

    def __init__(self, name: str, place: Place) -> None:
        self._name = name
        self._place = place
        self._client = S3Client(name, place)
        self._labels = _NONE
        # Objects that are not the label they are named after, by the etag that was read.
        self._spoilt: Mapping[str, str] = {}
        self._interned: set[str] = set()
        self._turn = (os.getpid(), threading.Lock())

    def __reduce__(self) -> tuple[type[Bucket], tuple[str, Place]]:
        return Bucket, (self._name, self._place)

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
        return any(True for _ in self._client.etags(log, limit=1))

    def intern(self, label: Label) -> None:
        """Make the label known here: an object named by its hash. One of its name that is not it
        is replaced, on condition that it still is what was read. Asks the server once a process
        and label: whoever serves answers interns at each.

        Raises:
            StorageUnavailable: the server failed or refused, or others write that object too.
        """
        key = self._place.key("_labels", label.label_id)
        if label.label_id in self._interned:
            return
        if self._client.put(key, label.canonical()) is None:
            held = self._client.get(key)
            is_it = held is not None and checked(label.label_id, held.content) is not None
            if not is_it and held is not None:
                is_it = self._client.put(key, label.canonical(), held.etag) is not None
            if not is_it:
                raise StorageUnavailable(
                    f"label {label.label_id} could not be made known in {self._name}: try again"
                )
        self._interned.add(label.label_id)

    def labels(self) -> Mapping[str, Label]:
        """Every label interned here, by id, listed at each call. An object is read once, and again
        only when it was not its label and another etag shows that it was replaced since.

        Raises:
            StorageUnavailable: the server failed or refused, or a label could not be read.
        """
        prefix = self._place.key("_labels") + "/"
        found = {key[len(prefix) :]: etag for key, etag in self._client.etags(prefix)}
        there = {name: etag for name, etag in found.items() if is_label_id(name)}
        with self._one_at_a_time():
            known = self._labels
            new = [
                name
                for name, etag in there.items()
                if name not in known and (not etag or self._spoilt.get(name) != etag)
            ]
            if not new and known.keys() <= there.keys():
                return known
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                read = dict(zip(new, pool.map(self._read, new), strict=True))
            spoilt = {name: etag for name, etag in self._spoilt.items() if name not in read}
            spoilt |= {name: one for name, one in read.items() if isinstance(one, str)}
            labels = {name: one for name, one in read.items() if isinstance(one, Label)}
            self._spoilt = {name: etag for name, etag in spoilt.items() if name in there}
            self._labels = MappingProxyType(
                {name: one for name, one in sorted({**known, **labels}.items()) if name in there}
            )
            return self._labels

    @contextmanager
    def lease(self, schema: str, name: str) -> Generator[Location]:
        """Hold the right to write one table.

        Raises:
            LeaseHeld: another process writes it now, or took it over while we wrote.
            StorageUnavailable: the server failed or refused.
        """
        table = f"{schema}.{name}"
        lease = Lease(self._client, self._place.key("_leases", table), f"{self._name}:{table}")
        lease.take()
        try:
            yield self.location(schema, name)
        finally:
            lease.give_back()

    def _read(self, label_id: str) -> Label | str | None:
        """The label, or the etag of what is there instead."""
        held = self._client.get(self._place.key("_labels", label_id))
        return None if held is None else checked(label_id, held.content) or held.etag

    def _one_at_a_time(self) -> threading.Lock:
        # A fork may have found the lock held by a thread that the child does not have.
        if self._turn[0] != os.getpid():
            self._turn = (os.getpid(), threading.Lock())
        return self._turn[1]
