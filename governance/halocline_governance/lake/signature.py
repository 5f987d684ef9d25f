"""AWS Signature Version 4, as S3 servers check it; no more of it than our own requests need."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from halocline_governance.lake.places import Credential, Place


def signed(
    place: Place, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes
) -> dict[str, str]:
    """The headers to send with a request: those given, and what signs all of it.

    Args:
        place: the bucket; its credential is read here.
        method: of HTTP.
        path: quoted, from the bucket's name on.
        query: quoted, `name=value` in the order of names.
        headers: others to send, by lower-case name.
        content: the body.

    Raises:
        Refused: the credential cannot be used.
    """
    credential = place.credential()
    now = datetime.now(UTC)
    digest = hashlib.sha256(content).hexdigest()
    sent = {
        **headers,
        "host": place.endpoint.partition("://")[2],
        "x-amz-content-sha256": digest,
        "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
    }
    if credential.session:
        sent["x-amz-security-token"] = credential.session
    names = ";".join(sorted(sent))
    told = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
    scope = f"{now:%Y%m%d}/{place.region}/s3/aws4_request"
    canonical = "\n".join([method, path, query, told, names, digest])
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            sent["x-amz-date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    signature = hmac.new(_key(credential, scope), text.encode(), hashlib.sha256).hexdigest()
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential.key_id}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return sent


def _key(credential: Credential, scope: str) -> bytes:
    key = b"AWS4" + credential.secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
