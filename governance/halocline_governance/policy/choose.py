"""Which engine answers, decided once at start. A failing engine denies; it is never replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.errors import Refused
from halocline_governance.policy import epoch, signing
from halocline_governance.policy.archive import Archive, unpack
from halocline_governance.policy.bundle import Bundle, collect
from halocline_governance.policy.client import DEADLINE_S, Remote, address
from halocline_governance.policy.embedded import Embedded
from halocline_governance.policy.engine import Engine
from halocline_governance.policy.firm import facts_of
from halocline_governance.policy.origin import read
from halocline_governance.policy.server import start


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed bundle to decide by, instead of the policies in this package.

    Attributes:
        bundle: the file, made by `halocline policy build`.
        key: the public key of whoever must have signed it.
        epoch: where the highest epoch is kept that was loaded here.
    """

    bundle: Path
    key: Path
    epoch: Path
    read: Callable[[Path], bytes] = read


def open_engine(
    choice: str,
    opa_binary: Path | None,
    firm: Mapping[str, Any] | None,
    token: str | None = None,
    *,
    ca: Path | None = None,
    signed: Signed | None = None,
) -> Engine:
    """The engine that answers from now on; its `name` says which.

    Args:
        choice: `opa` starts a server, `embedded` uses the twin, `auto` starts a server when the
            binary is there, and a URL names a running server that serves this very bundle.
        opa_binary: OPA, where it is installed.
        firm: the firm's own facts, for instance `restricted_issuers`. A signed bundle brings them;
            facts given beside it must be the same, None means that it alone is asked.
        token: the bearer token of a running server.
        ca: the authorities whose certificate a running server must have, instead of the system's.
        signed: the policies come from there, once its signature and epoch are checked.

    Raises:
        Refused: the choice is none of these, the binary it needs is not there, or the signed
            bundle is older than one that was loaded before.
        Unverified: the signed bundle is not what the key's holder signed.
        PolicyUnavailable: the server does not start or does not answer.
    """
    archive = _checked_archive(signed, firm) if signed else None
    bundle = archive.bundle if archive else collect(firm or {})
    engine = _open(choice, opa_binary, bundle, archive, token, ca)
    if signed and archive:
        try:
            epoch.advance(signed.epoch, archive.epoch, bundle.revision)
        except BaseException:
            engine.close()
            raise
    return engine


def _checked_archive(signed: Signed, firm: Mapping[str, Any] | None) -> Archive:
    archive = unpack(signed.read(signed.bundle), signing.public_key(signed.key, signed.read))
    epoch.check(signed.epoch, archive.epoch, archive.bundle.revision)
    if firm is not None and facts_of(firm) != archive.bundle.data["firm"]:
        raise Refused(
            "the firm's facts are not those in the signed bundle: build and sign it anew with them"
        )
    return archive


def _open(
    choice: str,
    opa_binary: Path | None,
    bundle: Bundle,
    archive: Archive | None,
    token: str | None,
    ca: Path | None,
) -> Engine:
    if choice == "embedded" or (choice == "auto" and opa_binary is None):
        return Embedded(bundle)
    if choice in ("auto", "opa"):
        if opa_binary is None:
            raise Refused("OPA is not installed: run set-up again, or choose `embedded`")
        return start(opa_binary, bundle, signed=archive)
    if "://" not in choice:
        raise Refused(
            "there is no such policy engine: choose auto, opa, embedded or a server's URL, with"
            " HALOCLINE_POLICY or --engine"
        )
    where = address(choice, token, ca)
    engine = Remote(where, bundle.revision, name=f"OPA server ({choice})")
    engine.wait(DEADLINE_S)
    return engine
