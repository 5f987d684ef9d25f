"""Whatever stands in `Authorization`: the very principal that its claims name, or nobody.

Claims and headers are drawn at random, good and bad; a second reading of the claims says what must
come out. Never another exception, never a wider clearance, never a
word of the token in the refusal.
"""

from __future__ import annotations

import json
import random
import string
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import Unauthenticated
from halocline_governance.identity import ISSUER, Authenticator, OidcVerifier, Verifier, bearer
from halocline_governance.principal import Principal
from tests.governance.oidc_issuer import ED, RSA, World, jwk, part, signed
from tests.governance.token_claims import MARK, NOW, claims, claims_of, named

Scale = Callable[[int, int], int]
Ask = Callable[[Sequence[str]], Principal]
Raw = str  # JSON text, so that what no encoder writes can be said too

DEVELOPMENT = Ed25519PrivateKey.generate()


class Open:
    """A directory that narrows nothing."""

    def narrow(self, principal: Principal) -> Principal:
        return principal


@pytest.fixture
def ask(world: World) -> Ask:
    """From the `Authorization` headers of a call to whom they name, as every door goes."""
    world.publish(jwk(ED, "k1"), jwk(RSA, "k2"))
    world.wall = float(NOW)
    doors = Authenticator(
        {
            ISSUER: Verifier(DEVELOPMENT.public_key(), clock=lambda: NOW),
            world.url: OidcVerifier(world.url, clock=lambda: NOW, steady=lambda: 0.0),
        },
        Open(),
    )
    return lambda headers: doors.verify(bearer(headers))


def refuse(ask: Ask, headers: Sequence[str]) -> None:
    """Nobody, and not a word of the token: nor in what was raised before."""
    with pytest.raises(Unauthenticated) as caught:
        ask(headers)
    check_silent(caught.value)


def check_silent(error: BaseException | None) -> None:
    while error is not None:
        assert MARK not in str(error), "the refusal repeats the token"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


HEADERS: list[dict[str, Any]] = [
    {"crit": [MARK]}, {"crit": []}, {"crit": None}, {"b64": False}, {"b64": False, "crit": ["b64"]},
    {"b64": True}, {"typ": MARK}, {"typ": None}, {"typ": ["JWT"]}, {"typ": "JWE"},
    {"typ": "JW\u0422"},
    {"alg": "eddsa"}, {"alg": "EDDSA"}, {"alg": "EdDSA "}, {"alg": ["EdDSA"]}, {"alg": "none"},
    {"alg": "nOnE"}, {"alg": ""}, {"alg": None}, {"alg": "HS256"}, {"alg": "RS256"},
    {"alg": "ES256"},
    {"alg": {"EdDSA": 1}}, {"alg": "ＥdDSA"}, {"alg": MARK}, {"kid": 1}, {"kid": ["k1"]},
    {"kid": {}},
]  # fmt: skip
# Changes nothing: what is not understood is not looked at.
EXTRA: list[dict[str, Any]] = [
    {}, {"jku": f"http://{MARK}/"}, {"jwk": jwk(ED, "k1")}, {"x5u": f"file:///{MARK}"},
    {"x5c": [MARK]},
    {"x5t": MARK}, {"zip": "DEF"}, {"enc": "A256GCM"}, {"cty": "JWT"}, {"typ": "at+JWT"}, {MARK: 1},
]  # fmt: skip
KEY_IDS = ["../../../dev/null", "k1' UNION SELECT 'k1", "k1\u0000", "K1", "k1 ", " k1", "",
           "k\u0661",
           "\ud800", MARK * 100, "k2", "__class__", "0"]  # fmt: skip


def text_of(document: dict[str, Any]) -> bytes:
    """As JSON; lone surrogates and huge numbers too, which stand in it as they are."""
    return json.dumps(document).encode()


@pytest.mark.parametrize("issuer", ["development", "oidc"])
def test_claims_are_what_they_say_or_nothing(
    ask: Ask, world: World, issuer: str, rng: random.Random, scale: Scale
) -> None:
    name, key = (ISSUER, DEVELOPMENT) if issuer == "development" else (world.url, ED)
    num_good = num_asked = scale(1000, 100_000)
    for _ in range(num_asked):
        asked = claims(rng, name)
        header = {"alg": "EdDSA", "kid": "k1", **rng.choice(EXTRA)}
        token = signed(text_of(header), text_of(asked), key, "EdDSA")
        meant = named(asked, name) if len(token) <= 16 * 1024 else None
        if meant is None:
            num_good -= 1
            refuse(ask, [f"Bearer {token}"])
        else:
            assert ask([f"Bearer {token}"]) == meant
    assert num_asked * 0.1 < num_good < num_asked * 0.9, "both ways must be walked"


def test_a_header_that_is_not_plain_is_refused(ask: Ask, world: World, rng: random.Random) -> None:
    for name, key in ((ISSUER, DEVELOPMENT), (world.url, ED)):
        for more in HEADERS:
            header = {"alg": "EdDSA", "kid": "k1", **rng.choice(EXTRA), **more}
            refuse(ask, [f"Bearer {signed(header, claims_of(name), key, 'EdDSA')}"])
    for kid in KEY_IDS:
        header = text_of({"alg": "EdDSA", "kid": kid})
        refuse(ask, [f"Bearer {signed(header, claims_of(world.url), ED, 'EdDSA')}"])
    assert set(world.asked) <= {
        "/realm/.well-known/openid-configuration",
        "/realm/keys",
    }


RAW: dict[str, Callable[[Raw], Raw]] = {
    "a member twice": lambda text: text[:-1] + ', "sub": "root"}',
    "a member twice, deep": lambda text: text.replace(
        '"sensitivity"', '"sensitivity": "restricted", "sensitivity"'
    ),
    "a member twice, escaped": lambda text: text[:-1] + ', "\\u0073ub": "root"}',
    "NaN": lambda text: text.replace(str(NOW + 60), "NaN"),
    "Infinity": lambda text: text.replace(str(NOW + 60), "Infinity"),
    "a number without end": lambda text: text.replace(str(NOW + 60), "9" * 5000),
    "a float in whole clothes": lambda text: text.replace(str(NOW + 60), f"{NOW + 60}.0"),
    "an exponent": lambda text: text.replace(str(NOW + 60), "1e300"),
    "a leading zero": lambda text: text.replace(str(NOW + 60), f"0{NOW + 60}"),
    "a comment": lambda text: text[:-1] + f"/*{MARK}*/}}",
    "a trailing comma": lambda text: text[:-1] + ",}",
    "single quotes": lambda text: text.replace('"', "'"),
    "another document": lambda text: text + text,
    "a byte-order mark": lambda text: "\ufeff" + text,
    "a list": lambda text: f"[{text}]",
    "text": lambda text: json.dumps(text),
    "null": lambda _: "null",
    "nothing": lambda _: "",
    "a control character": lambda text: text.replace("ana", "a\tna"),
    "deep": lambda text: text[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}",
}


@pytest.mark.parametrize("what", RAW)
def test_claims_that_readers_read_differently_are_refused(ask: Ask, what: str) -> None:
    raw = RAW[what](json.dumps(claims_of(ISSUER)))
    token = signed({"alg": "EdDSA"}, raw.encode(), DEVELOPMENT, "EdDSA")
    assert len(token) < 16 * 1024
    refuse(ask, [f"Bearer {token}"])


def test_nesting_just_below_the_interpreters_limit(ask: Ask, world: World) -> None:
    """What one reader still reads, the next one deeper down the stack may not."""
    outcomes: set[str] = set()
    for depth in range(1, sys.getrecursionlimit() + 20):
        nest = "[" * depth + "]" * depth
        header = f'{{"alg": "EdDSA", "kid": "k1", "x": {nest}}}'.encode()
        for name, key in ((ISSUER, DEVELOPMENT), (world.url, ED)):
            try:
                asked = ask([f"Bearer {signed(header, claims_of(name), key, 'EdDSA')}"])
                outcomes.add(asked.subject)
            except Unauthenticated as error:
                check_silent(error)
                outcomes.add("refused")
    assert outcomes == {"ana", "refused"}


def test_a_token_in_another_shape_is_refused(ask: Ask, rng: random.Random) -> None:
    good = signed({"alg": "EdDSA"}, claims_of(ISSUER), DEVELOPMENT, "EdDSA")
    head, body, tag = good.split(".")
    packed = part(zlib.compress(json.dumps(claims_of(ISSUER)).encode()))
    encrypted = part({"alg": "dir", "enc": "A256GCM", "zip": "DEF"})
    flat = {"protected": head, "payload": body, "signature": tag}
    shapes = [
        f"{head}..{tag}", f"{head}.{body}.", f"{head}.{body}", f".{body}.{tag}", "..", "...", ".",
        f"{good}.", f".{good}", f"{good}.{tag}", f"{good}{MARK}", f"{good}=", f"{good}==",
        f"{good}\n",
        f"{good}\r\n", f"{good}\u0000", f"{good}\u00a0", f"{good}\t", f"{good} {good}",
        f"{good},{good}",
        f"{good}, Bearer {good}", f'"{good}"', f"<{good}>", good.replace(".", "．"),
        f"{head}=.{body}.{tag}", f"{head}.{body}=.{tag}", f"{head} .{body}.{tag}",
        f"{head}.{body}\n.{tag}", f"{head}.{packed}.{tag}", f"{encrypted}..{tag}.{packed}.{tag}",
        json.dumps(flat), json.dumps({"payload": body, "signatures": [flat]}), body, tag,
        f"{head}.{body}.{tag[:-1]}", f"{head}.{body}.{tag[:-2]}{tag[-1]}{tag[-2]}", good.upper(),
        good.swapcase(), f"{head}+.{body}.{tag}", f"{head}/.{body}.{tag}", MARK * 2000, "", " ",
        f"{head}A.{body}.{tag}", f"{head}.{body}A.{tag}", f"{head}.{body}.{tag}A",
    ]  # fmt: skip
    for shape in shapes:
        if shape != good:  # a signature may end in the same letter twice
            refuse(ask, [f"Bearer {shape}"])
    for letter in string.ascii_letters + string.digits + "-_":
        if letter != good[-1]:  # most of its bits are not part of the signature
            refuse(ask, [f"Bearer {good[:-1]}{letter}"])
    for _ in range(500):
        at = rng.randrange(len(good))
        noise = chr(rng.choice((rng.randrange(128), rng.randrange(256), rng.randrange(0x11000))))
        after = good[at + 1 :]
        for text in (good[:at] + noise + good[at:], good[:at] + noise + after, good[:at] + after):
            if text.strip(" ") != good:
                refuse(ask, [f"Bearer {text}"])


def test_one_header_one_token(ask: Ask) -> None:
    good = signed({"alg": "EdDSA"}, claims_of(ISSUER), DEVELOPMENT, "EdDSA")
    for text in (f"Bearer {good}", f"bearer {good}", f"BEARER   {good}  "):
        assert ask([text]).subject == "ana"
    other = [f"Basic {good}", f"Token {good}", f"Bearer:{good}", f"Bearer\t{good}",
             f" Bearer {good}",
             good, f"Bearer Bearer {good}", f"Ｂearer {good}", "Bearer", "Bearer ", "",
             f"DPoP {good}",
             f"Bearer {good}, Basic {MARK}", f"Bearer {MARK} {good}",
             f'Bearer token="{good}"']  # fmt: skip
    for text in other:
        refuse(ask, [text])
    for several in ([], [f"Bearer {good}"] * 2, [f"Bearer {good}", ""], ["", f"Bearer {good}"],
                    [f"Bearer {good}", f"Basic {MARK}"]):  # fmt: skip
        refuse(ask, several)


def test_another_tokens_signature_is_worth_nothing(
    ask: Ask, world: World, rng: random.Random, scale: Scale
) -> None:
    """Parts of good tokens, put together anew: only a whole one is one."""
    makers = ((ISSUER, DEVELOPMENT), (world.url, ED))
    parts: list[tuple[str, str, str]] = []
    for number in range(6):
        name, key = makers[number % 2]
        header = {"alg": "EdDSA", "kid": "k1", "n": number}
        made = {**claims_of(name), "sub": f"person-{number}"}
        head, body, tag = signed(header, made, key, "EdDSA").split(".")
        parts.append((head, body, tag))
    for _ in range(scale(500, 20_000)):
        one, two, three = (rng.randrange(6) for _ in range(3))
        text = f"Bearer {parts[one][0]}.{parts[two][1]}.{parts[three][2]}"
        if one == two == three:
            assert ask([text]).subject == f"person-{one}"
        else:
            refuse(ask, [text])


def test_a_refusal_takes_no_longer_than_it_should(ask: Ask) -> None:
    """The longest of each kind is read in a moment: nothing in it is quadratic."""
    filler = 11_000
    long = [
        {**claims_of(ISSUER), "roles": ["a" * 30] * 256},
        {**claims_of(ISSUER), "roles": [MARK] * (filler // 16)},
        {**claims_of(ISSUER), "clearance": {"sensitivity": "public", "sides": ["a"] * 2000}},
        {**claims_of(ISSUER), "sub": "a\u0301" * (filler // 12)},
        {**claims_of(ISSUER), **{f"k{number}": 1 for number in range(900)}},
    ]
    for made in long:
        token = signed({"alg": "EdDSA"}, made, DEVELOPMENT, "EdDSA")
        began = time.monotonic()
        try:
            ask([f"Bearer {token}"])
        except Unauthenticated as error:
            check_silent(error)
        assert time.monotonic() - began < 1.0
