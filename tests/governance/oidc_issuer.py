"""A small real OIDC issuer over HTTP, whose keys, answers and time a test sets."""

from __future__ import annotations

import base64
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from halocline_governance.identity import OidcVerifier
from halocline_governance.label import parse_compact

CLEARANCE = parse_compact("confidential sides=buy")
RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
CONFIGURATION = "/.well-known/openid-configuration"
BY_KIND = {"RS256": RSA, "PS256": RSA, "ES256": EC, "EdDSA": ED}


def jwk(key: Any, kid: str | None, **more: object) -> dict[str, Any]:
    public = key.public_key()
    kind: Any = OKPAlgorithm
    if isinstance(public, rsa.RSAPublicKey):
        kind = RSAAlgorithm
    elif isinstance(public, ec.EllipticCurvePublicKey):
        kind = ECAlgorithm
    made: dict[str, Any] = kind.to_jwk(public, as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": kid, **more} if kid is not None else {**made, **more}


@dataclass
class World:
    """An issuer over HTTP, and the time."""

    server: ThreadingHTTPServer
    keys: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    asked: list[str] = field(default_factory=list[str])
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(
        default_factory=dict[str, Callable[[BaseHTTPRequestHandler], None]]
    )
    wall: float = field(default_factory=time.time)
    steady: float = 1000.0

    @property
    def url(self) -> str:
        scheme = "https" if isinstance(self.server.socket, ssl.SSLSocket) else "http"
        return f"{scheme}://127.0.0.1:{self.server.server_address[1]}/realm"

    @property
    def num_fetches(self) -> int:
        return len([path for path in self.asked if path.endswith("/keys")])

    def verifier(self, **how: Any) -> OidcVerifier:
        return OidcVerifier(self.url, clock=lambda: self.wall, steady=lambda: self.steady, **how)

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def claims(self, **changes: object) -> dict[str, Any]:
        now = int(self.wall)
        good: dict[str, Any] = {
            "iss": self.url,
            "sub": "ana",
            "aud": "halocline",
            "iat": now,
            "exp": now + 3600,
            "jti": "1",
            "roles": ["analyst", "offline_access"],
            "clearance": CLEARANCE.as_json(),
        }
        return {name: val for name, val in {**good, **changes}.items() if val is not ...}

    def token(
        self, key: Any = RSA, algorithm: str = "RS256", kid: str | None = "k1", **changes: object
    ) -> str:
        headers = {"kid": kid} if kid is not None else {}
        return jwt.encode(self.claims(**changes), key, algorithm, headers)

    def publish(self, *keys: dict[str, Any]) -> None:
        self.keys[:] = keys

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        if (other := self.answers.get(request.path)) is not None:
            other(request)
        elif request.path == f"/realm{CONFIGURATION}":
            send(request, {"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        elif request.path == "/realm/keys":
            send(request, {"keys": self.keys})
        else:
            request.send_error(404)


def send(request: BaseHTTPRequestHandler, document: object, code: int = 200) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    request.send_response(code)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def world() -> Iterator[World]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        made = World(server)
        made.publish(jwk(RSA, "k1"))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def part(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object, claims: object, key: Any = RSA, algorithm: str = "RS256") -> str:
    """A token with any header and any bytes, its signature good."""
    prepared = jwt.get_algorithm_by_name(algorithm)
    message = f"{part(header)}.{part(claims)}"
    return f"{message}.{part(prepared.sign(message.encode(), prepared.prepare_key(key)))}"


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS on this machine, and the file with the authority to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    today = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "server.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
