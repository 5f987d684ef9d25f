"""A model as a folder that proves what it is: safetensors, tokenizer, `manifest.json`, signature.

    manifest.json   every file's hash and size, label, inputs, run, licences (RFC 8785)
    manifest.sig    base64 Ed25519 signature over `halocline.package.v1`, a NUL, and the manifest

Nothing that runs code on loading is let in, nothing that the manifest does not name, no link.
Knows neither MLflow nor who may promote what.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import rfc8785
from cryptography.exceptions import InvalidSignature

from halocline_governance import durable
from halocline_governance.errors import MalformedLabel, Refused, Unverified
from halocline_governance.label import Label, parse

FORMAT = "halocline.package/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PAYLOAD_SUFFIXES = (".safetensors", ".json")
_DOMAIN = b"halocline.package.v1\x00"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}\Z")
_MAX_HEADER_BYTES = 100 << 20
_FIELDS = {
    "format", "name", "files", "weights_sha256", "label", "label_id", "inputs", "run_id",
    "mixture_sha256", "evidence", "licences", "base_model", "created",
}  # fmt: skip


class Signer(Protocol):
    """An Ed25519 private key, or whatever signs like one."""

    def sign(self, data: bytes, /) -> bytes: ...


class PublicKey(Protocol):
    """An Ed25519 public key; raises `InvalidSignature`."""

    def verify(self, signature: bytes, data: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a manifest says beside its files.

    Args:
        inputs: the JSON of each `DatasetRef` the model was made from.
        evidence: the hash of the evidence that was there when the package was built, or None.
        base_model: the JSON of the `ModelRef` it started from, or None.
        created: when the run ended, so that building again gives the same bytes.
    """

    name: str
    label: Label
    inputs: tuple[Mapping[str, Any], ...]
    run_id: str
    mixture_sha256: str
    licences: tuple[str, ...]
    created: str
    evidence: str | None = None
    base_model: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was verified, where it lies, and what its manifest says."""

    path: Path
    manifest: Mapping[str, Any]
    manifest_sha256: str
    label: Label

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def weights_sha256(self) -> str:
        """One hash over the hashes of all files that decide what the model says."""
        return str(self.manifest["weights_sha256"])

    @property
    def run_id(self) -> str:
        return str(self.manifest["run_id"])

    @property
    def licences(self) -> tuple[str, ...]:
        return tuple(self.manifest["licences"])


def build(model_dir: Path, out_dir: Path, contents: Contents, signer: Signer) -> Package:
    """Copy a trained model's files into a new package at `out_dir`; all of it appears, or none.

    Building the same again is a no-op.

    Raises:
        Refused: a name that is none, a file that is no payload, or another package at `out_dir`.
    """
    if not _NAME.match(contents.name):
        raise Refused(f"a model is named {_NAME.pattern[:-2]}")
    files = payload(model_dir)
    manifest = _manifest(contents, files)
    text = rfc8785.dumps(manifest)
    if out_dir.exists():
        if (out_dir / MANIFEST).read_bytes() != text:
            raise Refused(f"{out_dir.name} holds another package; choose a new folder")
        return _checked(out_dir, manifest, text)
    draft = out_dir.with_name(f".{out_dir.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft)
    for name in files:
        shutil.copyfile(model_dir / name, draft / name, follow_symlinks=False)
    (draft / MANIFEST).write_bytes(text)
    (draft / SIGNATURE).write_bytes(base64.b64encode(signer.sign(_DOMAIN + text)) + b"\n")
    settle(draft, out_dir)
    return _checked(out_dir, manifest, text)


def open_package(path: Path, key: PublicKey) -> Package:
    """A package whose signature, files and hashes all verify.

    Raises:
        Unverified: anything missing, added, changed, linked, or signed by somebody else.
    """
    text = _read(path / MANIFEST)
    try:
        signature = _read(path / SIGNATURE).removesuffix(b"\n")
        key.verify(base64.b64decode(signature, validate=True), _DOMAIN + text)
    except (InvalidSignature, ValueError):
        raise Unverified(f"{path.name}: the manifest is not signed by the trusted key") from None
    return _checked(path, read_manifest(text), text)


def open_known(path: Path, manifest_sha256: str) -> Package:
    """A package whose manifest is the recorded one, and whose files are the manifest's.

    Raises:
        Unverified: anything missing, added, changed or linked.
    """
    text = _read(path / MANIFEST)
    if hashlib.sha256(text).hexdigest() != manifest_sha256:
        raise Unverified(f"{path.name}: the manifest is not the one on record")
    return _checked(path, read_manifest(text), text)


def payload(folder: Path) -> dict[str, dict[str, Any]]:
    """Hash and size of each file of a model folder.

    Raises:
        Unverified: a link, a folder, a file of another kind, or a broken safetensors file.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name in (MANIFEST, SIGNATURE):
            continue
        if entry.is_symlink() or not entry.is_file() or entry.suffix not in PAYLOAD_SUFFIXES:
            raise Unverified(
                f"{entry.name} does not belong in a package: only safetensors and JSON"
            )
        if entry.suffix == ".safetensors":
            _check_safetensors(entry)
        elif b'"auto_map"' in entry.read_bytes():
            raise Unverified(f"{entry.name} asks for code to be loaded with the model")
        found[entry.name] = {"sha256": file_sha256(entry), "bytes": entry.stat().st_size}
    if not any(name.endswith(".safetensors") for name in found):
        raise Unverified(f"{folder.name}: no safetensors file, so no weights")
    return found


def weights_sha256(files: Mapping[str, Mapping[str, Any]]) -> str:
    """The hash evidence is bound to: over every payload file's name and hash."""
    listing = {name: file["sha256"] for name, file in files.items()}
    return hashlib.sha256(rfc8785.dumps(listing)).hexdigest()


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(text: bytes) -> dict[str, Any]:
    """The manifest's fields.

    Raises:
        Unverified: not canonical JSON with exactly a manifest's fields.
    """
    try:
        manifest: object = json.loads(text)
        canonical = rfc8785.dumps(cast("Any", manifest))
    except (ValueError, RecursionError):
        raise Unverified("the manifest is not JSON") from None
    if not isinstance(manifest, dict) or canonical != text:
        raise Unverified("the manifest is not in canonical form")
    fields = cast("dict[str, Any]", manifest)
    if set(fields) != _FIELDS or fields["format"] != FORMAT:
        raise Unverified(f"the manifest is not of format {FORMAT}")
    return fields


def make_private(folder: Path) -> None:
    """The folder and its missing parents, the owner's alone: `mkdir` gives parents to everybody."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def settle(draft: Path, target: Path) -> None:
    """Make a finished folder durable, and move it to its name in one step."""
    for entry in draft.iterdir():
        durable.sync(entry)
    durable.sync(draft)
    draft.rename(target)
    durable.sync(target.parent)


def _manifest(contents: Contents, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": contents.name,
        "files": files,
        "weights_sha256": weights_sha256(files),
        "label": contents.label.as_json(),
        "label_id": contents.label.label_id,
        "inputs": [dict(one) for one in contents.inputs],
        "run_id": contents.run_id,
        "mixture_sha256": contents.mixture_sha256,
        "evidence": contents.evidence,
        "licences": sorted(contents.licences),
        "base_model": dict(contents.base_model) if contents.base_model else None,
        "created": contents.created,
    }


def _checked(path: Path, manifest: dict[str, Any], text: bytes) -> Package:
    names = {entry.name for entry in path.iterdir()}
    if extra := names - {MANIFEST, SIGNATURE} - set(manifest["files"]):
        raise Unverified(f"{path.name}: the manifest does not name {', '.join(sorted(extra))}")
    if any((path / name).is_symlink() for name in names) or SIGNATURE not in names:
        raise Unverified(f"{path.name}: a link, or no signature")
    files = payload(path)
    for name, expected in manifest["files"].items():
        if files.get(name) != expected:
            raise Unverified(f"{path.name}: {name} is not the file the manifest names")
    try:
        label = parse(manifest["label"])
    except MalformedLabel:
        raise Unverified(f"{path.name}: the manifest's label is none") from None
    if (
        label.label_id != manifest["label_id"]
        or weights_sha256(files) != manifest["weights_sha256"]
    ):
        raise Unverified(f"{path.name}: the manifest contradicts itself")
    return Package(path, manifest, hashlib.sha256(text).hexdigest(), label)


def _check_safetensors(path: Path) -> None:
    """A length, a JSON header, and tensors that fill the rest of the file without a gap."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
        if length > min(size - 8, _MAX_HEADER_BYTES):
            raise Unverified(f"{path.name} is not a safetensors file")
        try:
            header = cast("dict[str, Any]", json.loads(file.read(length)))
            header.pop("__metadata__", None)
            ranges = sorted(tuple(tensor["data_offsets"]) for tensor in header.values())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Unverified(f"{path.name} is not a safetensors file") from None
    end = 0
    for start, stop in ranges:
        if start != end or stop < start:
            raise Unverified(f"{path.name}: its tensors overlap or leave gaps")
        end = stop
    if end != size - 8 - length:
        raise Unverified(f"{path.name}: its tensors do not fill the file")


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise Unverified(f"{path.parent.name}: no {path.name}")
    return path.read_bytes()
