"""A compact JWT taken apart strictly: one reading of its bytes, or none."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from halocline_governance import strict_json
from halocline_governance.errors import Unauthenticated

PublicKey = Ed25519PublicKey | RSAPublicKey | EllipticCurvePublicKey
_MAX_BYTES = 16 * 1024
_COMPACT = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
# RFC 7515 section 4.1.9 and RFC 9068 section 2.1: without regard to case.
_TYPES = ("jwt", "at+jwt", "application/at+jwt")
# PyJWT's HMAC and `none` are not even loaded.
_SIGNATURES = jwt.PyJWS(algorithms=["EdDSA", "ES256", "PS256", "RS256"])


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says of itself: nothing of it may be believed before `verify` returned."""

    text: str
    algorithm: str
    key_id: str | None
    claims: dict[str, Any]

    def verify(self, key: PublicKey, algorithms: Collection[str]) -> None:
        """Return only if this key signed it, by one of these algorithms.

        Raises:
            Unauthenticated: signed by another key, or any other way.
        """
        if self.algorithm not in algorithms:
            raise Unauthenticated("the token is signed in a way that its key is not for")
        try:
            _SIGNATURES.decode_complete(self.text, key, algorithms=[self.algorithm])
        except jwt.InvalidSignatureError:
            raise Unauthenticated(
                "the token does not verify: it was changed, or another key signed it"
            ) from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise Unauthenticated(
                "the token does not verify: it is not in the form of one"
            ) from None


def bearer(authorization: Sequence[str]) -> str:
    """The token in the `Authorization` headers of one call.

    Raises:
        Unauthenticated: none, several, where another reader might take another one, or another
            scheme.
    """
    if len(authorization) != 1:
        raise Unauthenticated("a call carries its token once: Authorization: Bearer TOKEN")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("a call carries its token so: Authorization: Bearer TOKEN")
    return token.strip(" ")


def read(text: str | None) -> Token:
    """A token taken apart, its signature not looked at.

    Raises:
        Unauthenticated: missing, too long, or not a signed JWT of the plain kind.
    """
    if not text or len(text) > _MAX_BYTES:
        raise Unauthenticated("a bearer token is needed: halocline token issue --help")
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        raise Unauthenticated("the token is not a signed JWT")
    header, claims = _object(parts.group(1)), _object(parts.group(2))
    # We understand no extension, so none may be critical; `b64` would change what was signed.
    kind = header.get("typ", "JWT")
    is_plain = isinstance(kind, str) and kind.lower() in _TYPES
    if not is_plain or "crit" in header or "b64" in header:
        raise Unauthenticated("the token is not a plain signed JWT")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        raise Unauthenticated("the token does not say how it is signed")
    return Token(text, algorithm, key_id, claims)


def _object(part: str) -> dict[str, Any]:
    try:
        # Whoever checks one of two equal names might act on the other.
        found = strict_json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (NotBase64, ValueError):
        raise Unauthenticated("the token is not a signed JWT") from None
    if not isinstance(found, dict):
        raise Unauthenticated("the token is not a signed JWT")
    return found  # pyright: ignore[reportUnknownVariableType]
