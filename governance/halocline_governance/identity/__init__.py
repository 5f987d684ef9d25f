"""Tokens: a signed claim of who calls, turned into a `Principal` or refused.

A `Verifier` knows the development key, an `OidcVerifier` the keys of an OIDC issuer; the
`Authenticator` picks one by the issuer that a token names, then asks the directory. Which
algorithms a key may be used with is told by the key, and never by the token.
"""

from halocline_governance.identity.authenticator import Authenticator
from halocline_governance.identity.claims import AUDIENCE
from halocline_governance.identity.development import ISSUER, Issuer, Verifier
from halocline_governance.identity.oidc import OidcVerifier
from halocline_governance.identity.token import bearer

__all__ = ["AUDIENCE", "ISSUER", "Authenticator", "Issuer", "OidcVerifier", "Verifier", "bearer"]
