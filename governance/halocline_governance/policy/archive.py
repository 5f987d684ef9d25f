"""A policy bundle as one signed file, laid out as `opa build` does.

What is read is checked as a whole before any of it is believed. Knows no engine.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from halocline_governance.errors import Refused, Unverified
from halocline_governance.policy import signing
from halocline_governance.policy.bundle import AUTHZ, AUTHZ_PATH, Bundle, checked, layout
from halocline_governance.policy.epoch import MAX_EPOCH

MAX_BUNDLE_BYTES = 16 * 1024 * 1024
_NAME = re.compile(r"\.manifest|\.signatures\.json|data\.json|[a-z_]+/[a-z_]+\.rego")


@dataclass(frozen=True, slots=True)
class Archive:
    """A bundle that came as one file.

    Attributes:
        bundle: what decides.
        epoch: a higher one replaces it, a lower one never.
        files: every file in it, the signature too, by name.
        key: whose signature was checked; None when it was not.
    """

    bundle: Bundle
    epoch: int
    files: Mapping[str, bytes]
    key: EllipticCurvePublicKey | None


def pack(bundle: Bundle, epoch: int, key: EllipticCurvePrivateKey) -> bytes:
    """The bundle as a signed `.tar.gz`; the same bundle always gives the same files.

    Raises:
        Refused: an epoch that is none.
    """
    if not 1 <= epoch < MAX_EPOCH:
        raise Refused(f"an epoch is a whole number from 1 to {MAX_EPOCH - 1}")
    files = layout(bundle, epoch)
    files[signing.SIGNATURES] = signing.sign(files, key)
    return packed(files)


def packed(files: Mapping[str, bytes]) -> bytes:
    """These files as OPA takes a bundle."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"/{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def load(path: Path, key: EllipticCurvePublicKey | None) -> Archive:
    """The bundle in a file.

    Args:
        path: what `pack` made.
        key: who must have signed it; None to look into one without believing it.

    Raises:
        Refused: it cannot be read, or its policies are not fit to be loaded.
        Unverified: it is not what the key's holder signed, or holds what no bundle holds.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise Refused(f"no policy bundle {path}: {error.strerror}") from None
    return unpack(content, key)


def unpack(content: bytes, key: EllipticCurvePublicKey | None) -> Archive:
    """As `load`, from bytes."""
    files = _files(content)
    if key is not None:
        signing.check(files, key)
    revision, epoch = _manifest(files)
    if files.pop(AUTHZ_PATH, None) != AUTHZ.encode():
        raise Unverified(f"the bundle's {AUTHZ_PATH} is not ours")
    data: object = signing.parse("data.json", files.get("data.json", b""))
    if not isinstance(data, dict):
        raise Unverified("the bundle's data.json is not a mapping")
    modules = {name: _text(name, raw) for name, raw in files.items() if name.endswith(".rego")}
    bundle = checked(modules, cast("dict[str, Any]", data), "the bundle")
    if bundle.revision != revision:
        raise Unverified("the bundle's revision is not that of its content")
    return Archive(bundle, epoch, {**files, AUTHZ_PATH: AUTHZ.encode()}, key)


def _files(content: bytes) -> dict[str, bytes]:
    if len(content) > MAX_BUNDLE_BYTES:
        raise Unverified(f"the bundle is longer than {MAX_BUNDLE_BYTES} bytes")
    files: dict[str, bytes] = {}
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            raw = stream.read(MAX_BUNDLE_BYTES + 1)
        if len(raw) > MAX_BUNDLE_BYTES:
            raise Unverified(f"the bundle unpacks to more than {MAX_BUNDLE_BYTES} bytes")
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
            for entry in tar:
                name = entry.name.removeprefix("/")
                # A sparse file's holes are not bounded by what the archive unpacks to.
                is_plain = entry.isreg() and not entry.issparse()
                taken = tar.extractfile(entry) if is_plain else None
                if taken is None or not _NAME.fullmatch(name) or name in files:
                    raise Unverified("the bundle holds an entry that no bundle holds")
                files[name] = taken.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError):
        raise Unverified("the bundle is not a .tar.gz file") from None
    return files


def _manifest(files: Mapping[str, bytes]) -> tuple[str, int]:
    """The revision and the epoch."""
    whole: object = signing.parse(signing.MANIFEST, files.get(signing.MANIFEST, b""))
    fields = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
    revision, epoch = fields.get("revision"), fields.get("metadata")
    if fields.keys() != {"revision", "roots", "metadata"} or fields["roots"] != [""]:
        raise Unverified("the bundle's manifest is not one of ours")
    number = cast("dict[str, Any]", epoch).get("epoch") if isinstance(epoch, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number < MAX_EPOCH:
        raise Unverified("the bundle's manifest has no epoch")
    return str(revision), number


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unverified(f"the bundle's {name} is not UTF-8 text") from None


def describe(archive: Archive) -> dict[str, Any]:
    """What to tell people of it."""
    return {
        "revision": archive.bundle.revision,
        "epoch": archive.epoch,
        "verified": archive.key is not None,
        "files": sorted(archive.files),
    }
