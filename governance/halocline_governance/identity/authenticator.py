"""Who calls, as of now: the verifier of the token's issuer, then the directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from halocline_governance.errors import Unauthenticated
from halocline_governance.identity import token as tokens
from halocline_governance.principal import Principal


class Verifies(Protocol):
    """Verifies the tokens of one issuer."""

    def verify(self, token: str | None) -> Principal: ...


class Directory(Protocol):
    """Narrows a principal, or refuses it: `state.directory.Directory`."""

    def narrow(self, principal: Principal) -> Principal: ...


class Authenticator:
    """What every door asks. Nothing is remembered between two calls.

    Args:
        verifiers: by the issuer that stands in `iss`; a token of any other is refused.
        directory: asked on every call.
    """

    def __init__(self, verifiers: Mapping[str, Verifies], directory: Directory) -> None:
        self._verifiers = dict(verifiers)
        self._directory = directory

    def verify(self, token: str | None) -> Principal:
        """The caller, as far as the directory lets it.

        Raises:
            Unauthenticated: missing, malformed, expired, foreign, signed any other way; or the
                directory refuses its subject.
            IssuerUnavailable: the issuer's keys cannot be had.
            StateUnavailable: the directory cannot be read.
        """
        # The issuer only picks who verifies; a verifier checks it again behind the signature.
        issuer = tokens.read(token).claims.get("iss")
        verifier = self._verifiers.get(issuer) if isinstance(issuer, str) else None
        if verifier is None:
            raise Unauthenticated("the token is of an issuer that is not accepted here")
        return self._directory.narrow(verifier.verify(token))
