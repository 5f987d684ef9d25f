"""Signed bundles: what was changed, is of somebody else or was rolled back decides nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from halocline_governance import keys
from halocline_governance.errors import HaloclineError, PolicyUnavailable, Refused, Unverified
from halocline_governance.policy import Signed, epoch, open_engine, signing
from halocline_governance.policy.archive import MAX_BUNDLE_BYTES, Archive, load, pack, unpack
from halocline_governance.policy.bundle import Bundle, collect
from halocline_governance.policy.server import start

FIRM: dict[str, Any] = {
    "restricted_issuers": ["initech"],
    "own": {"note": "é <b>& \u2028 \x01 😀", "n": 1.5},
}
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> EllipticCurvePrivateKey:
    return keys.p256(tmp_path_factory.mktemp("keys") / "policy.key")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> EllipticCurvePrivateKey:
    return keys.p256(tmp_path_factory.mktemp("keys") / "stranger.key")


@pytest.fixture(scope="module")
def packed(key: EllipticCurvePrivateKey) -> bytes:
    return pack(collect(FIRM), 7, key)


@pytest.fixture
def place(tmp_path: Path, key: EllipticCurvePrivateKey) -> Signed:
    """Where an installation looks."""
    public = tmp_path / "policy.pub"
    public.write_bytes(signing.pem(key.public_key()))
    return Signed(tmp_path / "bundle.tar.gz", public, tmp_path / "policy" / "epoch")


def taken_apart(content: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        read = ((entry.name.removeprefix("/"), tar.extractfile(entry)) for entry in tar)
        return {name: file.read() for name, file in read if file is not None}


def put_together(files: Files) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def check_refused(place: Signed, opa: Path, content: bytes) -> None:
    """By both engines."""
    place.bundle.write_bytes(content)
    for choice in ("embedded", "opa"):
        with pytest.raises((Unverified, Refused)):
            open_engine(choice, opa, None, signed=place)
    assert epoch.highest(place.epoch)[0] == 0, "what was refused leaves no trace"


def signed_anew(files: Files, key: EllipticCurvePrivateKey) -> bytes:
    rest = {name: content for name, content in files.items() if name != signing.SIGNATURES}
    return put_together({**rest, signing.SIGNATURES: signing.sign(rest, key)})


def test_both_engines_decide_by_a_signed_bundle(
    place: Signed, opa: Path, packed: bytes, questions: dict[str, dict[str, Any]]
) -> None:
    place.bundle.write_bytes(packed)
    for choice in ("embedded", "opa", "auto"):
        engine = open_engine(choice, opa, None, signed=place)
        assert engine.revision == collect(FIRM).revision
        for gate, question in questions.items():
            assert engine.decide(gate, question).revision == engine.revision
        assert engine.decide("serve", questions["serve"]).allow
        engine.close()
    assert epoch.highest(place.epoch)[0] == 7


def test_opa_reads_our_signature_and_we_read_its(
    packed: bytes, place: Signed, opa: Path, tmp_path: Path, key: EllipticCurvePrivateKey
) -> None:
    """`opa build` checks a signature before it signs anew."""
    private = tmp_path / "policy.key"
    keys.p256(private)
    (tmp_path / "theirs.pub").write_bytes(signing.pem(keys.p256(private).public_key()))
    place.bundle.write_bytes(packed)
    common = [opa, "build", "--bundle", place.bundle, "--signing-alg", "ES256"]
    theirs = tmp_path / "theirs.tar.gz"
    done = subprocess.run(
        [*common, "--verification-key", place.key, "--signing-key", private, "-o", theirs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    signing.check(taken_apart(theirs.read_bytes()), keys.p256(private).public_key())

    (tmp_path / "policy.pub").write_bytes((tmp_path / "theirs.pub").read_bytes())
    command = [*common, "--verification-key", place.key, "--signing-key", private, "-o", theirs]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_same_policies_pack_the_same_files(key: EllipticCurvePrivateKey) -> None:
    one, other = (taken_apart(pack(collect(FIRM), 7, key)) for _ in range(2))
    assert {n: c for n, c in one.items() if n != signing.SIGNATURES} == {
        n: c for n, c in other.items() if n != signing.SIGNATURES
    }


def _changed(name: str, content: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: content}


def _without(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: value for key, value in files.items() if key != name}


TAMPERED: dict[str, Callable[[Files], Files]] = {
    "no signature": _without(signing.SIGNATURES),
    "an empty signature": _changed(signing.SIGNATURES, b'{"signatures": []}'),
    "a signature that is none": _changed(signing.SIGNATURES, b'{"signatures": ["a.b.c"]}'),
    "signatures twice": lambda files: {
        **files,
        signing.SIGNATURES: json.dumps(
            {"signatures": json.loads(files[signing.SIGNATURES])["signatures"] * 2}
        ).encode(),
    },
    "a changed policy": lambda files: {**files, "read/read.rego": files["read/read.rego"] + b"\n"},
    "changed data": lambda files: {**files, "data.json": b'{"firm": {"restricted_issuers": []}}'},
    "a changed revision": lambda files: {
        **files,
        ".manifest": files[".manifest"].replace(b"sha256:", b"sha257:"),
    },
    "a raised epoch": lambda files: {
        **files,
        ".manifest": files[".manifest"].replace(b'"epoch": 7', b'"epoch": 8'),
    },
    "a missing policy": _without("read/read.rego"),
    "a missing helper": _without("label/label.rego"),
    "missing data": _without("data.json"),
    "no manifest": _without(".manifest"),
    "no access policy": _without("system/authz.rego"),
    "an extra policy": _changed("extra/extra.rego", b"package halocline.extra\n"),
    "a policy for the log": _changed("system/log.rego", b"package system.log\n\ndrop := true\n"),
    "an extra file": _changed("read/data.json", b"{}"),
    "a file outside": _changed("../read.rego", b""),
    "a wasm policy": _changed("policy.wasm", b"\0asm"),
    "an open access policy": _changed(
        "system/authz.rego", b"package system.authz\n\ndefault allow := true\n"
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_tampered_with_is_refused(
    how: str, place: Signed, opa: Path, packed: bytes
) -> None:
    check_refused(place, opa, put_together(TAMPERED[how](taken_apart(packed))))


@pytest.mark.parametrize(
    "how", [how for how in TAMPERED if how not in ("a raised epoch",) and "signature" not in how]
)
def test_even_a_signature_makes_no_bundle_of_it(
    how: str, place: Signed, opa: Path, packed: bytes, key: EllipticCurvePrivateKey
) -> None:
    """Whoever holds the key cannot bring in more than policies, by accident either."""
    try:
        content = signed_anew(TAMPERED[how](taken_apart(packed)), key)
    except HaloclineError:
        return
    check_refused(place, opa, content)


def test_a_foreign_key_is_refused(
    place: Signed, opa: Path, stranger: EllipticCurvePrivateKey
) -> None:
    check_refused(place, opa, pack(collect(FIRM), 7, stranger))


def _token(files: Files, key: Any, algorithm: str, **claims: Any) -> bytes:
    listed = [
        {"name": name, "hash": signing.digest(name, content), "algorithm": "SHA-256"}
        for name, content in files.items()
        if name != signing.SIGNATURES
    ]
    token = jwt.encode({"files": listed, **claims}, key, algorithm=algorithm)
    return put_together({**files, signing.SIGNATURES: json.dumps({"signatures": [token]}).encode()})


def test_other_algorithms_are_refused(
    place: Signed, opa: Path, packed: bytes, key: EllipticCurvePrivateKey
) -> None:
    """`none`, and the public key taken for a shared secret."""
    files = taken_apart(packed)
    check_refused(place, opa, _token(files, None, "none"))
    check_refused(place, opa, _token(files, "0" * 64, "HS256"))
    check_refused(place, opa, _token(files, key, "ES256", scope="write"))


@pytest.mark.parametrize(("name", "digest"), [("MD5", "md5"), ("SHA-1", "sha1")])
def test_weak_hashes_are_refused(
    name: str, digest: str, place: Signed, opa: Path, packed: bytes, key: EllipticCurvePrivateKey
) -> None:
    files = taken_apart(packed)
    listed = [
        {"name": file, "hash": hashlib.new(digest, content).hexdigest(), "algorithm": name}
        for file, content in files.items()
        if file != signing.SIGNATURES
    ]
    token = jwt.encode({"files": listed}, key, algorithm="ES256")
    files[signing.SIGNATURES] = json.dumps({"signatures": [token]}).encode()

    check_refused(place, opa, put_together(files))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a bundle",
        gzip.compress(b"not a tar"),
        gzip.compress(b"\0" * (MAX_BUNDLE_BYTES + 1)),
        b"\0" * (MAX_BUNDLE_BYTES + 1),
    ],
    ids=["empty", "text", "gzip of text", "gzip of too much", "too much"],
)
def test_what_is_no_bundle_is_refused(content: bytes, place: Signed, opa: Path) -> None:
    check_refused(place, opa, content)


def test_links_and_doubles_are_refused(packed: bytes, key: EllipticCurvePrivateKey) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w:gz") as tar:
            entry = tarfile.TarInfo("read/read.rego")
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
        with pytest.raises(Unverified):
            unpack(raw.getvalue(), key.public_key())
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("read/read.rego")
        # One byte, and a hole that no memory holds.
        entry.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 50)}
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(Unverified):
        unpack(raw.getvalue(), key.public_key())
    whole = gzip.decompress(packed)[:-1024].rstrip(b"\0")
    whole += b"\0" * (-len(whole) % 512)
    with pytest.raises(Unverified):
        unpack(gzip.compress(whole + gzip.decompress(packed)), key.public_key())


def test_a_cut_bundle_is_refused(packed: bytes, key: EllipticCurvePrivateKey) -> None:
    for size in range(0, len(packed), len(packed) // 40):
        with pytest.raises(Unverified):
            unpack(packed[:size], key.public_key())


def test_no_flipped_bit_is_taken(
    packed: bytes, key: EllipticCurvePrivateKey, rng: Any, scale: Callable[[int, int], int]
) -> None:
    """Any changed byte: refused, or it changed nothing of what is in the bundle."""
    right = load_files(packed, key)
    for _ in range(scale(300, 20_000)):
        damaged = bytearray(packed)
        damaged[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
        try:
            files = load_files(bytes(damaged), key)
        except HaloclineError:
            continue
        assert files == right


def load_files(content: bytes, key: EllipticCurvePrivateKey) -> Files:
    return dict(unpack(content, key.public_key()).files)


@pytest.mark.parametrize("choice", ["embedded", "opa"])
def test_a_rolled_back_epoch_is_refused(
    choice: str, place: Signed, opa: Path, key: EllipticCurvePrivateKey
) -> None:
    for number, accepted in ((7, True), (9, True), (8, False), (9, True), (7, False), (10, True)):
        place.bundle.write_bytes(pack(collect(FIRM), number, key))
        if accepted:
            open_engine(choice, opa, None, signed=place).close()
        else:
            with pytest.raises(Refused, match="epoch"):
                open_engine(choice, opa, None, signed=place)
    assert epoch.highest(place.epoch)[0] == 10


@pytest.mark.parametrize("content", ["", "x", "-1\n", "07\n", "7", "7\n7\n", "7.5\n"])
def test_a_damaged_epoch_refuses_everything(
    content: str, place: Signed, opa: Path, packed: bytes
) -> None:
    place.bundle.write_bytes(packed)
    place.epoch.parent.mkdir()
    place.epoch.write_text(content)

    with pytest.raises(Refused, match="damaged"):
        open_engine("embedded", opa, None, signed=place)


@pytest.mark.parametrize("number", [0, -1, 2**53])
def test_an_epoch_is_a_whole_number(number: int, key: EllipticCurvePrivateKey) -> None:
    with pytest.raises(Refused):
        pack(collect(FIRM), number, key)


def test_epochs_move_up_only(tmp_path: Path) -> None:
    path = tmp_path / "policy" / "epoch"
    old, new = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    for number, revision in ((3, old), (3, old), (5, new)):
        epoch.advance(path, number, revision)
    for number, revision in ((4, new), (5, old)):
        with pytest.raises(Refused):
            epoch.advance(path, number, revision)
    assert epoch.highest(path) == (5, new)


def test_two_bundles_cannot_share_an_epoch(
    place: Signed, packed: bytes, key: EllipticCurvePrivateKey
) -> None:
    place.bundle.write_bytes(packed)
    open_engine("embedded", None, None, signed=place).close()
    place.bundle.write_bytes(pack(collect({"restricted_issuers": []}), 7, key))

    with pytest.raises(Refused, match="another policy bundle of epoch 7"):
        open_engine("embedded", None, None, signed=place)


def test_the_firms_facts_beside_it_must_be_the_same(
    place: Signed, opa: Path, packed: bytes
) -> None:
    place.bundle.write_bytes(packed)
    open_engine("embedded", opa, FIRM, signed=place).close()

    with pytest.raises(Refused, match="firm"):
        open_engine("embedded", opa, {"restricted_issuers": []}, signed=place)


def test_a_key_must_be_there_and_on_p256(place: Signed, packed: bytes, tmp_path: Path) -> None:
    place.bundle.write_bytes(packed)
    for content in (b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        place.key.write_bytes(content)
        with pytest.raises(Refused, match="PEM"):
            open_engine("embedded", None, None, signed=place)
    place.key.unlink()
    with pytest.raises(Refused, match="no policy key"):
        open_engine("embedded", None, None, signed=place)


def test_opa_itself_checks_what_it_loads(
    opa: Path, packed: bytes, key: EllipticCurvePrivateKey, stranger: EllipticCurvePrivateKey
) -> None:
    """Not only we do: a signature that we let pass by mistake does not start it."""
    right = unpack(packed, key.public_key())
    forged = Archive(right.bundle, right.epoch, right.files, stranger.public_key())
    changed = {**right.files, "read/read.rego": right.files["read/read.rego"] + b"\n"}

    for wrong in (forged, Archive(right.bundle, right.epoch, changed, key.public_key())):
        with pytest.raises((Refused, PolicyUnavailable)):
            start(opa, right.bundle, signed=wrong)


def test_a_bundle_can_be_looked_into_without_belief(packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    path.write_bytes(packed)
    archive = load(path, None)
    assert archive.key is None
    assert isinstance(archive.bundle, Bundle)
    with pytest.raises(Refused, match="no policy bundle"):
        load(tmp_path / "none.tar.gz", None)
