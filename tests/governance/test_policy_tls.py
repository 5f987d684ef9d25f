"""A policy server on another machine: TLS with an authority of one's own, and a token."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as p256
from cryptography.x509.oid import NameOID

from halocline_governance import keys
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.policy import open_engine, signing
from halocline_governance.policy.archive import pack
from halocline_governance.policy.bundle import Bundle, collect
from halocline_governance.policy.client import Address, Remote

TOKEN = "the-token-of-the-platform"
Question = dict[str, Any]


@dataclass(frozen=True)
class Authority:
    """Issues certificates; `file` is what a client trusts."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    def issue(self, folder: Path, host: str, days: int = 1) -> tuple[Path, Path]:
        """A server's certificate for a host, and its key."""
        key = p256(SECP256R1())
        name: x509.GeneralName = x509.DNSName(host)
        if host[0].isdigit():
            name = x509.IPAddress(ipaddress.ip_address(host))
        made = (
            _unsigned(host, self.certificate.subject, key, days)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        certificate, private = folder / f"{host}.pem", folder / f"{host}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private


def authority(folder: Path, name: str) -> Authority:
    key = p256(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        _unsigned(name, subject, key, 1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(key, made, file)


def _unsigned(
    name: str, issuer: x509.Name, key: EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return authority(folder, "ours")


@pytest.fixture(scope="module")
def signed(folder: Path, bundle: Bundle) -> tuple[Path, Path]:
    """The bundle as it is rolled out, and the key that OPA checks it with."""
    key = keys.p256(folder / "policy.key")
    (folder / "bundle.tar.gz").write_bytes(pack(bundle, 1, key))
    (folder / "policy.pub").write_bytes(signing.pem(key.public_key()))
    return folder / "bundle.tar.gz", folder / "policy.pub"


@contextmanager
def serving(
    opa: Path, folder: Path, signed: tuple[Path, Path], server: tuple[Path, Path]
) -> Generator[int]:
    """OPA as docs/policies/README.md starts it for others; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    access = {"labels": {"access": hashlib.sha256(TOKEN.encode()).hexdigest()}}
    (folder / "opa.json").write_text(json.dumps(access))
    command = [
        *(opa, "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error"),
        *("--authentication", "token", "--authorization", "basic"),
        *("--config-file", folder / "opa.json", "--skip-version-check"),
        *("--tls-cert-file", server[0], "--tls-private-key-file", server[1]),
        *("--bundle", signed[0], "--verification-key", signed[1], "--signing-alg", "ES256"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as opa_:
        try:
            ends = time.monotonic() + 20
            while time.monotonic() < ends and opa_.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            yield port
        finally:
            opa_.kill()


@pytest.fixture(scope="module")
def port(opa: Path, folder: Path, signed: tuple[Path, Path], ours: Authority) -> Iterator[int]:
    with serving(opa, folder, signed, ours.issue(folder, "127.0.0.1")) as port:
        yield port


def remote(port: int, ca: Path | None, revision: str, token: str | None = TOKEN) -> Remote:
    where = Address("127.0.0.1", port, tls=True, token=token, ca=ca)
    return Remote(where, revision, name="tls", deadline_s=2)


def check_denied(engine: Remote, question: Question) -> None:
    with pytest.raises(PolicyUnavailable):
        engine.decide("serve", question)
    engine.close()


@pytest.fixture
def question(questions: dict[str, Question]) -> Question:
    return questions["serve"]


def test_it_is_asked_over_tls(
    port: int, ours: Authority, bundle: Bundle, question: Question
) -> None:
    engine = open_engine(
        f"https://127.0.0.1:{port}", None, bundle.data["firm"], TOKEN, ca=ours.file
    )
    assert engine.revision == bundle.revision
    for _ in range(3):
        assert engine.decide("serve", question).allow
        assert not engine.decide("serve", {**question, "purpose": "fun"}).allow
    engine.close()


def test_another_authority_is_not_believed(
    port: int, folder: Path, bundle: Bundle, question: Question
) -> None:
    check_denied(remote(port, None, bundle.revision), question)
    check_denied(remote(port, authority(folder, "theirs").file, bundle.revision), question)


def test_another_host_is_not_believed(
    opa: Path,
    folder: Path,
    signed: tuple[Path, Path],
    ours: Authority,
    bundle: Bundle,
    question: Question,
) -> None:
    for server in (ours.issue(folder, "opa.example"), ours.issue(folder, "127.0.0.1", days=-1)):
        with serving(opa, folder, signed, server) as port:
            check_denied(remote(port, ours.file, bundle.revision), question)


@pytest.mark.parametrize("token", [None, "", "x", TOKEN[:-1], TOKEN.upper()])
def test_the_token_is_needed(
    token: str | None, port: int, ours: Authority, bundle: Bundle, question: Question
) -> None:
    check_denied(remote(port, ours.file, bundle.revision, token), question)


def test_stale_policies_deny(port: int, ours: Authority, question: Question) -> None:
    """The server has not yet loaded what we expect, or no longer."""
    check_denied(remote(port, ours.file, collect({"restricted_issuers": []}).revision), question)


def test_clear_text_to_a_tls_server_denies(port: int, bundle: Bundle, question: Question) -> None:
    where = Address("127.0.0.1", port, tls=False, token=TOKEN)
    check_denied(Remote(where, bundle.revision, name="clear", deadline_s=2), question)


def test_a_silent_handshake_ends_in_time(
    ours: Authority, bundle: Bundle, question: Question
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        where = Address("127.0.0.1", listener.getsockname()[1], tls=True, token=None, ca=ours.file)
        engine = Remote(where, bundle.revision, name="silent", deadline_s=0.5)
        began = time.monotonic()
        check_denied(engine, question)
        assert time.monotonic() - began < 1.5


def test_the_authority_must_be_one(folder: Path, bundle: Bundle) -> None:
    (folder / "empty.pem").write_text("")
    for ca in (folder / "none.pem", folder / "empty.pem"):
        with pytest.raises(Refused, match="authorities"):
            open_engine("https://127.0.0.1:1", None, bundle.data["firm"], ca=ca)
    with pytest.raises(Refused, match="https"):
        open_engine("http://127.0.0.1:1", None, bundle.data["firm"], ca=folder / "empty.pem")
