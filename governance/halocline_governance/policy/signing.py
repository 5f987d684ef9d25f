"""Signatures of policy bundles, as OPA reads them: `.signatures.json` with one ES256 token over the
hash of every file. Knows nothing of what the files say.

OPA also takes MD5 and SHA-1, shared secrets, several claims of scope; none of them counts here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from halocline_governance import strict_json
from halocline_governance.errors import Refused, Unverified
from halocline_governance.policy.origin import read

SIGNATURES = ".signatures.json"
MANIFEST = ".manifest"
ALGORITHM = "ES256"
_HASH = "SHA-256"
_CLAIMS = {"files", "keyid", "iat", "iss"}
_HEADERS = {"alg", "kid", "typ"}


def sign(files: Mapping[str, bytes], key: EllipticCurvePrivateKey) -> bytes:
    """The content of `.signatures.json` for these files, by their names in the bundle.

    Raises:
        Unverified: a JSON file that readers of JSON do not agree on.
    """
    listed = [
        {"name": name, "hash": digest(name, content), "algorithm": _HASH}
        for name, content in sorted(files.items())
    ]
    token = jwt.encode({"files": listed}, key, algorithm=ALGORITHM)
    return json.dumps({"signatures": [token]}).encode()


def check(files: Mapping[str, bytes], key: EllipticCurvePublicKey) -> None:
    """Are these, with their `.signatures.json`, exactly the files that the key's holder signed?

    Raises:
        Unverified: no; says which file, or what is wrong with the signature.
    """
    if SIGNATURES not in files:
        raise Unverified("the bundle is not signed; build it with `halocline policy build`")
    signed = _signed(_token(files[SIGNATURES]), key)
    there = files.keys() - {SIGNATURES}
    for name in sorted(there ^ signed.keys()):
        state = "is not signed" if name in there else "was signed and is missing"
        raise Unverified(f"the bundle's {_plain(name)} {state}")
    for name in sorted(there):
        if digest(name, files[name]) != signed[name]:
            raise Unverified(f"the bundle's {_plain(name)} was changed after it was signed")


def digest(name: str, content: bytes) -> str:
    """OPA's SHA-256 of a file: of the bytes, or for JSON of what they say.

    Raises:
        Unverified: a JSON file that readers of JSON do not agree on.
    """
    if name in (MANIFEST, "data.json"):
        content = _canonical(parse(name, content)).encode()
    return hashlib.sha256(content).hexdigest()


def parse(name: str, content: bytes) -> Any:
    """A JSON file, read strictly.

    Raises:
        Unverified: not JSON in UTF-8, a key twice, or nested too deep.
    """
    try:
        return strict_json.loads(content)
    except ValueError:
        raise Unverified(f"the bundle's {_plain(name)} is not plain JSON") from None


def public_key(path: Path, read: Callable[[Path], bytes] = read) -> EllipticCurvePublicKey:
    """The trusted key at `path`.

    Args:
        path: the file, in PEM.
        read: how it is read.

    Raises:
        Refused: no such file, or not a P-256 public key in PEM.
    """
    try:
        key = serialization.load_pem_public_key(read(path))
    except Refused as error:
        raise Refused(f"no policy key ({error}); give the public key of whoever signs") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Refused(f"{path} is not a public key in PEM") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Refused(f"{path}: bundles are signed with ES256, so the key must be on P-256")
    return key


def pem(key: EllipticCurvePublicKey) -> bytes:
    """The key as OPA takes it."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _token(content: bytes) -> str:
    whole: object = parse(SIGNATURES, content)
    tokens = cast("dict[str, Any]", whole).get("signatures") if isinstance(whole, dict) else None
    if not isinstance(tokens, list) or len(cast("list[object]", tokens)) != 1:
        raise Unverified("the bundle must have exactly one signature")
    (token,) = cast("list[object]", tokens)
    if not isinstance(token, str):
        raise Unverified("the bundle's signature is not text")
    return token


def _signed(token: str, key: EllipticCurvePublicKey) -> dict[str, str]:
    """The hash of every file that the token vouches for."""
    try:
        headers = jwt.get_unverified_header(token).keys()
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options={"verify_aud": False})
    except (jwt.PyJWTError, ValueError) as error:
        raise Unverified(
            f"the bundle's signature is not one of the trusted key ({type(error).__name__})"
        ) from None
    if not headers <= _HEADERS or not claims.keys() <= _CLAIMS:
        raise Unverified("the bundle's signature makes claims that are not understood")
    files = claims.get("files")
    if not isinstance(files, list):
        raise Unverified("the bundle's signature covers no files")
    signed: dict[str, str] = {}
    for entry in cast("list[object]", files):
        name, value = _entry(entry)
        if name in signed:
            raise Unverified(f"the bundle's signature names {_plain(name)} twice")
        signed[name] = value
    return signed


def _entry(entry: object) -> tuple[str, str]:
    fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    name, value = fields.get("name"), fields.get("hash")
    if fields.keys() != {"name", "hash", "algorithm"}:
        raise Unverified("the bundle's signature has an entry that is not understood")
    if not isinstance(name, str) or not isinstance(value, str):
        raise Unverified("the bundle's signature has an entry that is not understood")
    if fields["algorithm"] != _HASH:
        raise Unverified(f"the bundle's {_plain(name)} is not vouched for by {_HASH}")
    return name, value


def _canonical(value: object) -> str:
    """JSON as OPA hashes it: keys sorted, no spaces, Go's escapes."""
    if isinstance(value, dict):
        items = sorted(cast("dict[str, object]", value).items())
        return "{" + ",".join(f"{_canonical(k)}:{_canonical(v)}" for k, v in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, cast("list[object]", value))) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(name: str) -> str:
    return name if name.isprintable() and len(name) < 200 else "strangely named file"
