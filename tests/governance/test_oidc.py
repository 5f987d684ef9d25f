"""An OIDC issuer on a real socket: its keys rotate, and it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest

from halocline_governance.errors import IssuerUnavailable, Refused, Unauthenticated
from halocline_governance.identity import OidcVerifier
from halocline_governance.identity.oidc import EXPIRY_S, FRESH_S, PAUSE_S
from halocline_governance.principal import Principal
from halocline_infra.environment import from_env
from halocline_infra.platform import Platform
from tests.governance.oidc_issuer import (
    BY_KIND,
    CLEARANCE,
    CONFIGURATION,
    ED,
    RSA,
    World,
    certified,
    jwk,
    send,
)

# What is good


@pytest.mark.parametrize("algorithm", BY_KIND)
def test_a_token_names_its_holder(world: World, algorithm: str) -> None:
    world.publish(jwk(RSA, "other"), jwk(BY_KIND[algorithm], "k1", use="sig"))
    token = world.token(BY_KIND[algorithm], algorithm)
    principal = world.verifier().verify(token)

    assert principal == Principal("ana", ("analyst",), CLEARANCE, "1")


def test_keys_are_fetched_once_and_not_for_each_token(world: World) -> None:
    verifier = world.verifier()
    for _ in range(20):
        verifier.verify(world.token())
    assert world.num_fetches == 1


def test_threads_share_one_fetch(world: World) -> None:
    def slowly(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.1)
        send(request, {"keys": world.keys})

    world.answers["/realm/keys"] = slowly
    verifier = world.verifier()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(verifier.verify, [world.token()] * 16))
    assert {one.subject for one in found} == {"ana"}
    assert world.num_fetches == 1


def test_a_rotation_is_seen_at_once(world: World) -> None:
    verifier = world.verifier()
    verifier.verify(world.token())
    world.publish(jwk(RSA, "k1"), jwk(ED, "k2"))
    world.wait(PAUSE_S)

    assert verifier.verify(world.token(ED, "EdDSA", "k2")).subject == "ana"
    assert verifier.verify(world.token()).subject == "ana"
    assert world.num_fetches == 2


def test_a_withdrawn_key_is_good_for_a_while_and_then_no_more(world: World) -> None:
    verifier = world.verifier()
    verifier.verify(world.token())
    world.publish(jwk(ED, "k2"))
    world.wait(FRESH_S - 1)
    verifier.verify(world.token())
    world.wait(1)
    with pytest.raises(Unauthenticated):
        verifier.verify(world.token())


def test_unknown_keys_do_not_flood_the_issuer(world: World) -> None:
    verifier = world.verifier()
    verifier.verify(world.token())
    for number in range(50):
        with pytest.raises(Unauthenticated):
            verifier.verify(world.token(ED, "EdDSA", f"made-up-{number}"))
    assert world.num_fetches == 1  # it has just been asked
    world.wait(PAUSE_S)
    for number in range(50):
        with pytest.raises(Unauthenticated):
            verifier.verify(world.token(ED, "EdDSA", f"made-up-{number}"))
    assert world.num_fetches == 2
    verifier.verify(world.token())


def test_unknown_keys_do_not_hold_every_thread(world: World) -> None:
    """A slow issuer, and more callers with made-up keys than there are threads to answer from."""
    verifier = world.verifier()
    verifier.verify(world.token())
    world.wait(PAUSE_S)
    going, begun = threading.Event(), threading.Event()

    def slowly(request: BaseHTTPRequestHandler) -> None:
        begun.set()
        going.wait(20)
        send(request, {"keys": world.keys})

    world.answers["/realm/keys"] = slowly
    made_up = world.token(ED, "EdDSA", "made-up")
    with ThreadPoolExecutor(40) as pool:
        asking = [pool.submit(verifier.verify, made_up) for _ in range(40)]
        assert begun.wait(20)
        try:
            assert pool.submit(verifier.verify, world.token()).result(20).subject == "ana"
        finally:
            going.set()
        assert {type(one.exception()) for one in asking} == {Unauthenticated}
    assert world.num_fetches == 2


# Faults of the issuer


def test_an_issuer_that_is_gone_is_bridged_until_the_expiry_and_not_longer(world: World) -> None:
    verifier = world.verifier()
    verifier.verify(world.token())
    world.answers[f"/realm{CONFIGURATION}"] = lambda request: request.send_error(500)
    world.wait(EXPIRY_S - 1)
    assert verifier.verify(world.token()).subject == "ana"
    world.wait(1)
    with pytest.raises(IssuerUnavailable) as caught:
        verifier.verify(world.token())
    assert caught.value.code == "unavailable"

    del world.answers[f"/realm{CONFIGURATION}"]
    world.wait(PAUSE_S)
    assert verifier.verify(world.token()).subject == "ana"


def test_a_failing_issuer_is_not_asked_on_every_call(world: World) -> None:
    world.answers["/realm/keys"] = lambda request: request.send_error(503)
    verifier = world.verifier()
    for _ in range(20):
        with pytest.raises(IssuerUnavailable):
            verifier.verify(world.token())
    assert world.num_fetches == 1


def test_nobody_listens() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_address[1]
    verifier = OidcVerifier(f"http://127.0.0.1:{port}")
    with pytest.raises(IssuerUnavailable, match="ConnectError"):
        verifier.verify(jwt.encode({"iss": verifier.issuer}, ED, "EdDSA"))


def redirect(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("location", "/realm/elsewhere")
    request.send_header("content-length", "0")
    request.end_headers()


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(100):
            request.wfile.write(b" ")
            time.sleep(0.02)
    except OSError:
        pass


BAD_ANSWERS: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "redirect": redirect,
    "endless": lambda request: send(request, b" " * 300_000),
    "not JSON": lambda request: send(request, b"<html>"),
    "deep": lambda request: send(request, b"[" * 100_000),
    "a list": lambda request: send(request, []),
    "no keys": lambda request: send(request, {"keys": []}),
    "keys of text": lambda request: send(request, {"keys": "k1"}),
    "many keys": lambda request: send(request, {"keys": [jwk(RSA, str(n)) for n in range(65)]}),
    "error": lambda request: request.send_error(500),
    "created": lambda request: send(request, {"keys": [jwk(RSA, "k1")]}, 201),
}


@pytest.mark.parametrize("where", ["/keys", CONFIGURATION])
@pytest.mark.parametrize("what", BAD_ANSWERS)
def test_a_bad_answer_is_no_answer(world: World, where: str, what: str) -> None:
    world.answers[f"/realm{where}"] = BAD_ANSWERS[what]
    with pytest.raises(IssuerUnavailable):
        world.verifier().verify(world.token())
    assert "/realm/elsewhere" not in world.asked


def test_a_dripping_answer_is_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halocline_governance.identity.oidc._TIMEOUT_S", 0.2)
    world.answers["/realm/keys"] = drip
    began = time.monotonic()
    with pytest.raises(IssuerUnavailable, match="slow"):
        world.verifier().verify(world.token())
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example"},
        {"issuer": ...},
        {"jwks_uri": "http://keys.example/keys"},
        {"jwks_uri": "file:///keys"},
        {"jwks_uri": "https://user:secret@127.0.0.1/keys"},
        {"jwks_uri": 7},
        {"jwks_uri": ...},
    ],
    ids=str,
)
def test_a_foreign_or_unsafe_configuration_is_refused(
    world: World, changes: dict[str, object]
) -> None:
    told = {"issuer": world.url, "jwks_uri": f"{world.url}/keys", **changes}
    told = {name: val for name, val in told.items() if val is not ...}
    world.answers[f"/realm{CONFIGURATION}"] = lambda request: send(request, told)
    with pytest.raises(IssuerUnavailable):
        world.verifier().verify(world.token())
    assert world.num_fetches == 0


def test_over_tls_only_the_right_authority_will_do(world: World, tmp_path: Path) -> None:
    context, authority = certified(tmp_path)
    world.server.socket = context.wrap_socket(world.server.socket, server_side=True)
    (tmp_path / "other").mkdir()
    _, another = certified(tmp_path / "other")

    assert world.url.startswith("https://")
    assert world.verifier(ca_file=authority).verify(world.token()).subject == "ana"
    for verifier in (world.verifier(), world.verifier(ca_file=another)):
        with pytest.raises(IssuerUnavailable, match="ConnectError"):
            verifier.verify(world.token())
    for wrong in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(Refused, match="PEM"):
            world.verifier(ca_file=wrong)
    assert world.num_fetches == 1


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@evil.example",
        "ftp://id.example.com",
        "https://user:secret@id.example.com",
        "https://id.example.com/#x",
        "https://id.example.com/?x=y",
        "https://",
        "id.example.com",
        "https://[::1",
        "",
    ],
)
def test_keys_come_over_https_or_from_this_machine(issuer: str) -> None:
    with pytest.raises(Refused):
        OidcVerifier(issuer)


def test_the_environment_names_no_proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert world.verifier().verify(world.token()).subject == "ana"


def test_a_process_finds_its_issuer_by_the_environment(world: World, tmp_path: Path) -> None:
    variables = {"HALOCLINE_HOME": str(tmp_path / "home"), "HALOCLINE_OIDC_ISSUER": world.url}
    world.wall = time.time()
    with Platform(from_env(variables)) as platform:
        assert platform.caller(world.token()).subject == "ana"
        with pytest.raises(Unauthenticated, match="not accepted"):
            platform.caller(platform.issuer.issue("ana", ["analyst"], CLEARANCE))
        platform.directory.set_disabled(
            "ana", True, Principal("cleo", ("compliance",), CLEARANCE), platform.journal
        )
        with pytest.raises(Unauthenticated, match="disabled"):
            platform.caller(world.token())
    other = from_env({**variables, "HALOCLINE_OIDC_AUDIENCE": "other"})
    with Platform(other) as platform, pytest.raises(Unauthenticated, match="audience"):
        platform.caller(world.token())
