"""Which engine answers, decided once at start. A failing engine denies; it is never replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from halocline_governance.errors import Refused
from halocline_governance.policy.bundle import collect
from halocline_governance.policy.client import DEADLINE_S, Remote, address
from halocline_governance.policy.embedded import Embedded
from halocline_governance.policy.engine import Engine
from halocline_governance.policy.server import start


def open_engine(
    choice: str, opa_binary: Path | None, firm: Mapping[str, Any], token: str | None = None
) -> Engine:
    """The engine that answers from now on; its `name` says which.

    Args:
        choice: `opa` starts a server, `embedded` uses the twin, `auto` starts a server when the
            binary is there, and a URL names a running server that serves this very bundle.
        opa_binary: OPA, where it is installed.
        firm: the firm's own facts, for instance `restricted_issuers`.
        token: the bearer token of a running server.

    Raises:
        Refused: the choice is none of these, or the binary it needs is not there.
        PolicyUnavailable: the server does not start or does not answer.
    """
    bundle = collect(firm)
    if choice == "embedded" or (choice == "auto" and opa_binary is None):
        return Embedded(bundle)
    if choice in ("auto", "opa"):
        if opa_binary is None:
            raise Refused("OPA is not installed: run set-up again, or choose `embedded`")
        return start(opa_binary, bundle)
    if "://" not in choice:
        raise Refused("policy engine: choose auto, opa, embedded or a server's URL")
    where = address(choice, token)
    engine = Remote(where, bundle.revision, name=f"OPA server ({choice})")
    engine.wait(DEADLINE_S)
    return engine
