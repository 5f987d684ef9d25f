"""A package is what was built, byte for byte, or it is not opened."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

from halocline_governance.errors import Refused, Unverified
from halocline_governance.label import Label
from halocline_registry.package import Contents, Package, build, open_known, open_package

KEY = Ed25519PrivateKey.generate()
CONTENTS = Contents(
    name="house",
    label=Label("confidential", sides=("buy",)),
    inputs=({"table": "curated.documents", "fingerprint": "f" * 64},),
    run_id="r1",
    mixture_sha256="m" * 64,
    licences=("MIT",),
    created="2026-01-01T00:00:00.000000Z",
)
Tamper = Callable[[Path], object]


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    save_file({"w": np.arange(6, dtype=np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture
def package(model_dir: Path, tmp_path: Path) -> Package:
    return build(model_dir, tmp_path / "package", CONTENTS, KEY)


def test_what_is_built_can_be_opened(package: Package) -> None:
    opened = open_package(package.path, KEY.public_key())

    assert opened == package == open_known(package.path, package.manifest_sha256)
    assert opened.label == CONTENTS.label
    assert set(opened.manifest["files"]) == {"config.json", "model.safetensors", "tokenizer.json"}


def test_building_again_gives_the_same_and_nothing_else_may_take_its_place(
    model_dir: Path, package: Package
) -> None:
    assert build(model_dir, package.path, CONTENTS, KEY) == package
    with pytest.raises(Refused, match="another package"):
        build(model_dir, package.path, replace(CONTENTS, run_id="r2"), KEY)


def test_every_flipped_bit_is_found(package: Package) -> None:
    """In the first, a middle and the last byte of every file."""
    for path in sorted(package.path.iterdir()):
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(Unverified):
                open_package(package.path, KEY.public_key())
        path.write_bytes(whole)
    open_package(package.path, KEY.public_key())


def test_every_missing_file_is_found(package: Package) -> None:
    for path in sorted(package.path.iterdir()):
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(Unverified):
            open_package(package.path, KEY.public_key())
        path.write_bytes(whole)


def _link(folder: Path) -> None:
    target = folder.parent / "elsewhere"
    (folder / "config.json").rename(target)
    (folder / "config.json").symlink_to(target)


TAMPERS: dict[str, Tamper] = {
    "another JSON file": lambda p: (p / "extra.json").write_text("{}"),
    "a pickle": lambda p: (p / "pytorch_model.bin").write_bytes(pickle.dumps({"w": 1})),
    "code": lambda p: (p / "modeling_house.py").write_text("raise SystemExit"),
    "a hidden file": lambda p: (p / ".hidden").write_text(""),
    "a folder": lambda p: (p / "original").mkdir(),
    "a link to the same bytes": _link,
}


@pytest.mark.parametrize("tamper", TAMPERS.values(), ids=TAMPERS)
def test_nothing_may_be_added(package: Package, tamper: Tamper) -> None:
    tamper(package.path)

    with pytest.raises(Unverified):
        open_package(package.path, KEY.public_key())
    with pytest.raises(Unverified):
        open_known(package.path, package.manifest_sha256)


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps({"w": [1.0] * 100}))


def _with_gap(folder: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(8)
    (folder / "model.safetensors").write_bytes(content)


SOURCES: dict[str, Tamper] = {
    "a pickle by its name": lambda p: (p / "training_args.bin").write_bytes(pickle.dumps(1)),
    "a pickle under a good name": _pickled,
    "tensors with a gap": _with_gap,
    "a header longer than the file": lambda p: (p / "model.safetensors").write_bytes(b"\xff" * 16),
    "an empty file": lambda p: (p / "model.safetensors").write_bytes(b""),
    "no weights": lambda p: (p / "model.safetensors").unlink(),
    "code by reference": lambda p: (p / "config.json").write_text('{"auto_map": {"A": "b.C"}}'),
    "a link": _link,
}


@pytest.mark.parametrize("spoil", SOURCES.values(), ids=SOURCES)
def test_what_is_no_model_is_not_packaged(model_dir: Path, tmp_path: Path, spoil: Tamper) -> None:
    spoil(model_dir)

    with pytest.raises(Unverified):
        build(model_dir, tmp_path / "package", CONTENTS, KEY)
    assert not (tmp_path / "package").exists()


def test_another_key_or_manifest_will_not_do(package: Package) -> None:
    with pytest.raises(Unverified, match="not signed by the trusted key"):
        open_package(package.path, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(Unverified, match="not the one on record"):
        open_known(package.path, "0" * 64)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label_id", "l0"),
        ("label", {"sensitivity": "secret"}),
        ("weights_sha256", "0" * 64),
        ("format", "halocline.package/2"),
        ("surplus", 1),
    ],
)
def test_a_manifest_that_contradicts_itself_is_not_believed(
    package: Package, field: str, value: object
) -> None:
    """Even when the trusted key signed it."""
    text = rfc8785.dumps({**package.manifest, field: value})  # pyright: ignore[reportArgumentType]
    (package.path / "manifest.json").write_bytes(text)
    resign(package.path, text)

    with pytest.raises(Unverified):
        open_package(package.path, KEY.public_key())


def resign(folder: Path, text: bytes) -> None:
    signature = KEY.sign(b"halocline.package.v1\x00" + text)
    (folder / "manifest.sig").write_bytes(base64.b64encode(signature) + b"\n")


def test_a_journal_signature_is_no_package_signature(package: Package) -> None:
    """The same key signs both; neither may stand in for the other."""
    text = (package.path / "manifest.json").read_bytes()
    (package.path / "manifest.sig").write_bytes(base64.b64encode(KEY.sign(text)) + b"\n")

    with pytest.raises(Unverified):
        open_package(package.path, KEY.public_key())


@pytest.mark.parametrize("name", ["", "House", "a/b", "../x", "-x", "a" * 101])
def test_a_bad_name_is_refused(model_dir: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        build(model_dir, tmp_path / "package", replace(CONTENTS, name=name), KEY)
