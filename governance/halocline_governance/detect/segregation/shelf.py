"""A compartment's fingerprints on disk: sorted runs that only ever appear whole, and one manifest.

    manifest.json       what there is: runs with their hashes, the names sealed, of what they were
                        made (`source`), a MAC over it all
    <hash>.prints       a run's tags, 64 bits each, little-endian, ascending
    <hash>.filter       its filter, 32-bit words

New text becomes a small run; runs of like size are merged, so that there are few (the logarithmic
method of Bentley and Saxe 1980). A run is written aside, synced and named by its hash; then the
manifest is replaced: after a kill or a power cut there is the old state or the new one.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from halocline_governance import durable
from halocline_governance.detect.segregation import filter as sieve
from halocline_governance.detect.segregation import prf
from halocline_governance.detect.segregation.folding import unicode_version
from halocline_governance.detect.segregation.index import (
    FingerprintIndex,
    Run,
    check_of,
    merged,
)
from halocline_governance.detect.segregation.restricted import Restricted
from halocline_governance.detect.segregation.source import Source
from halocline_governance.detect.segregation.windows import SPAN, WIDTH
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.segregation.compiled import Tags

MANIFEST = "manifest.json"
_FORMAT = "halocline fingerprints 4"
_RATIO = 4
_MOST = 2**24
_TRIES = 5


def write(
    folder: Path, index: FingerprintIndex, secret: bytes, source: Source | None = None
) -> None:
    """Put this index in place of what is there."""
    with _locked(folder):
        runs = [_place(folder, [run.prints], len(run)) for run in index.runs if len(run)]
        _conclude(folder, index, runs, secret, source)


def extend(
    folder: Path, index: FingerprintIndex, secret: bytes, source: Source | None = None
) -> None:
    """Add this index to what is there: its tags as a new run, its names to the names.

    Processes that do so at the same time wait for one another.

    Args:
        source: of what all that is there was made then; as it was when left out.
    """
    with _locked(folder):
        if not (folder / MANIFEST).exists():
            held, runs = replace(index, runs=(), names=frozenset[Restricted]()), []
        else:
            held, runs = _opened(folder, secret, check=False)
            source = source or _source(_told(folder, secret))
        if (held.compartment, held.check) != (index.compartment, index.check):
            raise Refused("fingerprints: add to an index of the same compartment and secret only")
        loaded = list(held.runs)
        for run in index.runs:
            if len(run):
                runs.append(_place(folder, [run.prints], len(run)))
                loaded.append(run)
            while len(loaded) > 1 and len(loaded[-2]) < _RATIO * len(loaded[-1]):
                last = loaded[-2:]
                runs[-2:] = [_place(folder, merged(last, _MOST), len(last[0]) + len(last[1]))]
                loaded[-2:] = [_mapped(folder, runs[-1], check=False)]
        _conclude(folder, replace(held, names=held.names | index.names), runs, secret, source)


def set_names(
    folder: Path, names: frozenset[Restricted], secret: bytes, source: Source | None
) -> None:
    """Put these names in place of those that are there, and this source; the runs stay."""
    with _locked(folder):
        held, runs = _opened(folder, secret, check=False)
        _conclude(folder, replace(held, names=names), runs, secret, source)


def source_of(folder: Path, secret: bytes) -> Source | None:
    """Of what the fingerprints there were made; None when that is no table. Raises `Refused`."""
    return _source(_told(folder, secret))


def _source(told: dict[str, Any]) -> Source | None:
    return None if told["source"] is None else Source.read(told["source"])


def read(folder: Path, secret: bytes) -> FingerprintIndex:
    """The index, its runs mapped into memory: what processes of a machine read, they share.

    Raises:
        Refused: missing, damaged, changed by somebody without the secret, or made with another.
    """
    for _ in range(_TRIES):
        told = _bytes(folder)
        try:
            return _opened(folder, secret, check=True)[0]
        except Refused:
            # Somebody may have put another manifest there, and removed what the first one named.
            if _bytes(folder) == told:
                raise
    raise Refused(f"{folder.name}: changes all the time; try again")


def names(folder: Path, secret: bytes) -> frozenset[Restricted]:
    """The names alone, of whatever version the fingerprints are. Raises `Refused`."""
    told = _told(folder, secret)
    return _unsealed(told["names"], told["compartment"], secret)


def _opened(
    folder: Path, secret: bytes, check: bool
) -> tuple[FingerprintIndex, list[dict[str, Any]]]:
    told = _told(folder, secret)
    if [told["width"], told["span"], told["unicode"]] != [WIDTH, SPAN, unicode_version()]:
        raise Refused(f"{folder.name}: made by another version; fingerprint again")
    runs = cast("list[dict[str, Any]]", told["runs"])
    restricted = _unsealed(told["names"], told["compartment"], secret)
    mapped = tuple(_mapped(folder, run, check) for run in runs)
    return FingerprintIndex(told["compartment"], mapped, restricted, told["check"]), runs


def _told(folder: Path, secret: bytes) -> dict[str, Any]:
    """The manifest, which nobody without the secret has written."""
    try:
        told = json.loads(_bytes(folder))
        mac = bytes.fromhex(told.pop("mac"))
        if told["format"] != _FORMAT:
            raise ValueError
        known = told["check"] == check_of(secret)
        if known and not hmac.compare_digest(mac, _mac(told, secret)):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{folder.name}: missing or damaged; fingerprint again") from None
    if not known:
        raise Refused(f"{folder.name}: made with another secret")
    return told


def _conclude(
    folder: Path,
    index: FingerprintIndex,
    runs: list[dict[str, Any]],
    secret: bytes,
    source: Source | None,
) -> None:
    """Replace the manifest, and remove the files that it does not name."""
    told = {
        "format": _FORMAT,
        "compartment": index.compartment,
        "check": index.check,
        "width": WIDTH,
        "span": SPAN,
        "unicode": unicode_version(),
        "runs": runs,
        "names": _sealed(index.names, index.compartment, secret),
        "source": None if source is None else source.as_json(),
    }
    told["mac"] = _mac(told, secret).hex()
    durable.write(folder / MANIFEST, json.dumps(told, sort_keys=True) + "\n")
    named = {MANIFEST, _LOCK, *(run["name"] + end for run in runs for end in _ENDINGS)}
    for stray in folder.iterdir():
        if stray.name not in named:
            stray.unlink(missing_ok=True)


_ENDINGS = (".prints", ".filter")
_LOCK = ".lock"


def _place(folder: Path, parts: Iterable[Tags], most: int) -> dict[str, Any]:
    """A run from its tags in order, of which there are at most so many; its manifest entry."""
    words = np.zeros(sieve.num_words(most), dtype=np.uint32)
    digest, count = hashlib.sha256(), 0
    draft = folder / f".{os.getpid()}.prints"
    with draft.open("wb") as file:
        for part in parts:
            sieve.fill(words, part)
            raw = np.ascontiguousarray(part).astype("<u8", copy=False).data.cast("B")
            digest.update(raw)
            file.write(raw)
            count += len(part)
        file.flush()
        os.fsync(file.fileno())
    name = digest.hexdigest()[:32]
    bits = words.astype("<u4", copy=False).data.cast("B")
    durable.write(folder / (name + ".filter"), bytes(bits))
    draft.replace(folder / (name + ".prints"))
    durable.sync(folder)
    return {
        "name": name,
        "count": count,
        "words": len(words),
        "prints": digest.hexdigest(),
        "filter": hashlib.sha256(bits).hexdigest(),
    }


def _mapped(folder: Path, run: dict[str, Any], check: bool) -> Run:
    path = folder / run["name"]
    prints = _array(path.with_suffix(".prints"), "<u8", run["count"], run["prints"] * check)
    words = _array(path.with_suffix(".filter"), "<u4", run["words"], run["filter"] * check)
    return Run.ready(prints, words)


def _array(path: Path, dtype: str, count: int, digest: str) -> NDArray[Any]:
    """The file's numbers, after its length and, if given, its SHA-256 were looked at."""
    try:
        if path.stat().st_size != count * np.dtype(dtype).itemsize:
            raise Refused(f"{path.name}: damaged; fingerprint again")
        if not count:
            return np.zeros(0, dtype=dtype)
        with path.open("rb") as file:
            if digest and hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise Refused(f"{path.name}: damaged; fingerprint again")
        return np.asarray(np.memmap(path, dtype=dtype, mode="r"))
    except OSError:
        raise Refused(f"{path.name}: missing or damaged; fingerprint again") from None


def _bytes(folder: Path) -> bytes:
    try:
        return (folder / MANIFEST).read_bytes()
    except OSError:
        return b""


def _mac(told: dict[str, Any], secret: bytes) -> bytes:
    content = json.dumps({key: told[key] for key in told if key != "mac"}, sort_keys=True)
    return hmac.digest(prf.derived(secret, "manifest", 32), content.encode(), hashlib.sha256)


def _sealed(names: frozenset[Restricted], compartment: str, secret: bytes) -> str:
    """The names under AES-SIV (RFC 5297): unreadable without the secret, and the same each time."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    told = json.dumps([name.as_json() for name in sorted(names)], sort_keys=True)
    box = AESSIV(prf.derived(secret, "names", 64))
    return base64.b64encode(box.encrypt(told.encode(), [compartment.encode()])).decode()


def _unsealed(sealed: str, compartment: str, secret: bytes) -> frozenset[Restricted]:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    box = AESSIV(prf.derived(secret, "names", 64))
    told = json.loads(box.decrypt(base64.b64decode(sealed), [compartment.encode()]))
    return frozenset(Restricted.read(entry) for entry in told)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """One writer at a time, of all processes; the lock goes with its holder."""
    with in_turn(folder / _LOCK):
        yield


@contextmanager
def in_turn(lock: Path) -> Generator[None]:
    """Wait for this lock, and hold it. Its folder is made if need be."""
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
