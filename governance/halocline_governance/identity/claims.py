"""What a token claims, and when it may be believed. Signatures are the verifiers' business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from halocline_governance.clock import Onward
from halocline_governance.errors import MalformedLabel, Unauthenticated
from halocline_governance.identity.token import Token
from halocline_governance.label import parse
from halocline_governance.principal import ROLES, Principal, is_subject

AUDIENCE = "halocline"
# How far an issuer's clock may be ahead of ours. Nothing is given on the other side: a token that
# has expired has expired.
SKEW_S = 60
_MAX_ROLES = 256


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be for us."""

    issuer: str
    audience: str = AUDIENCE
    clock: Callable[[], float] = field(default_factory=Onward)

    def principal(self, token: Token) -> Principal:
        """Who a token names; its signature has been verified before.

        Raises:
            Unauthenticated: a claim is missing, malformed, not for us, or not for now.
        """
        claims = token.claims
        if claims.get("iss") != self.issuer:
            raise Unauthenticated("the token is of another issuer")
        if claims.get("aud") not in (self.audience, [self.audience]):
            raise Unauthenticated("the token is for another audience, or for several")
        self._check_times(claims)
        return _principal(claims)

    def _check_times(self, claims: dict[str, Any]) -> None:
        issued, expires, now = claims.get("iat"), claims.get("exp"), self.clock()
        begins = claims.get("nbf", issued)
        if type(issued) is not int or type(expires) is not int or type(begins) is not int:
            raise Unauthenticated("the token's times are not whole seconds")
        if now >= expires:
            raise Unauthenticated("the token has expired: issue a new one")
        if now < max(issued, begins) - SKEW_S:
            raise Unauthenticated("the token is not valid yet: check this machine's clock")


def _principal(claims: dict[str, Any]) -> Principal:
    subject, roles, token_id = claims.get("sub"), claims.get("roles"), claims.get("jti")
    if not isinstance(subject, str) or not is_subject(subject):
        raise Unauthenticated("the token names no subject")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= 255 or not token_id.isprintable():
        raise Unauthenticated("the token has no id of 1 to 255 printable characters")
    if not isinstance(roles, list) or len(cast("list[object]", roles)) > _MAX_ROLES:
        raise Unauthenticated("the token's roles are not a list of names")
    names = cast("list[object]", roles)
    if not all(isinstance(role, str) for role in names):
        raise Unauthenticated("the token's roles are not a list of names")
    try:
        clearance = parse(claims.get("clearance"))
    except MalformedLabel:
        # Not what was wrong with it: that would repeat what the token says.
        raise Unauthenticated(
            "the token's clearance is no label: a sensitivity, and lists of distinct names"
        ) from None
    # An issuer's other roles mean nothing here.
    known = tuple(sorted(set(cast("list[str]", names)) & set(ROLES)))
    return Principal(subject, known, clearance, token_id)
