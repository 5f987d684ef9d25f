"""What this process is, read once from `HALOCLINE_*`. Nobody else reads the environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from halocline_governance.errors import Refused

VARIABLES: Mapping[str, str] = {
    "HALOCLINE_HOME": "folder of all state (default ./var)",
    "HALOCLINE_POLICY": "policy engine: auto, opa, embedded, or the URL of an OPA server",
    "HALOCLINE_POLICY_TOKEN_FILE": "file with the bearer token of the OPA server at that URL",
    "HALOCLINE_POLICY_CA_FILE": "file with the authority that server's certificate must be of",
    "HALOCLINE_POLICY_BUNDLE": "signed bundle to decide by, instead of the built-in policies",
    "HALOCLINE_POLICY_KEY": "public key of that bundle (default keys/policy.pub of the home)",
    "HALOCLINE_OPA": "path of the OPA binary (default: beside Python, then PATH)",
    "HALOCLINE_JARS": "folder of Delta's JARs (default: jars/ of the environment)",
    "HALOCLINE_SPARK_MASTER": "Spark master (default local[*])",
    "HALOCLINE_TOKEN": "bearer token of the caller, for commands that read as somebody",
    "HALOCLINE_STATE": "governance database, a URL (default state/governance.sqlite of the home)",
    "HALOCLINE_STATE_PASSWORD_FILE": "file with the password of that database",
    "HALOCLINE_DIRECTORY": "open (default), or strict: who has no entry is refused",
    "HALOCLINE_OIDC_ISSUER": "URL of the OIDC issuer of callers' tokens",
    "HALOCLINE_OIDC_AUDIENCE": "audience of its tokens (default halocline)",
    "HALOCLINE_OIDC_CA_FILE": "file with the authority that the issuer's certificate must be of",
    "HALOCLINE_DEV_TOKENS": "accept or refuse (default refuse with an issuer, else accept)",
    "HALOCLINE_GUARD": "URL of the guard server that halocline lake goes through",
    "HALOCLINE_WITNESS": "folder elsewhere that gets each signed head of the journal too",
}
_TEST_PREFIX = "HALOCLINE_TEST_"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where things are. `home` holds everything that is written."""

    home: Path
    policy: str
    policy_token_file: Path | None
    policy_ca_file: Path | None
    policy_bundle: Path | None
    policy_key: Path
    opa: Path | None
    jars: Path
    spark_master: str
    token: str | None
    state: str | None
    state_password_file: Path | None
    strict_directory: bool
    oidc_issuer: str | None
    oidc_audience: str
    oidc_ca_file: Path | None
    dev_tokens: bool
    guard: str | None
    witness: Path | None

    def __repr__(self) -> str:
        return f"Environment(home={self.home!s}, policy={self.policy!r})"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def journal(self) -> Path:
        return self.home / "journal"

    @property
    def state_file(self) -> Path:
        """The governance database, when it is a file of this home."""
        return self.home / "state" / "governance.sqlite"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def mlflow(self) -> Path:
        return self.home / "mlflow"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def reports(self) -> Path:
        return self.home / "reports"

    @property
    def policy_epoch(self) -> Path:
        """The highest epoch of a signed bundle that this home has loaded."""
        return self.home / "policy" / "epoch"

    @property
    def firm_data(self) -> Path:
        """The firm's own policy data: restricted list, conflict classes."""
        return self.home / "policy" / "firm.json"


def from_env(variables: Mapping[str, str] = os.environ) -> Environment:
    """The environment of this process.

    Raises:
        Refused: a `HALOCLINE_*` variable that nobody reads, most likely a typing error; or a
            value that is none of those there are.
    """
    for name in variables:
        ours = name.startswith("HALOCLINE_") and not name.startswith(_TEST_PREFIX)
        if ours and name not in VARIABLES:
            raise Refused(f"unknown variable {name}; there are: {', '.join(VARIABLES)}")
    issuer = variables.get("HALOCLINE_OIDC_ISSUER") or None
    # The development key lies on this machine: beside an issuer, only if somebody says so.
    dev_tokens = ("refuse", "accept") if issuer else ("accept", "refuse")
    home = Path(variables.get("HALOCLINE_HOME") or "var").absolute()
    return Environment(
        home=home,
        policy=variables.get("HALOCLINE_POLICY") or "auto",
        policy_token_file=_path(variables.get("HALOCLINE_POLICY_TOKEN_FILE")),
        policy_ca_file=_path(variables.get("HALOCLINE_POLICY_CA_FILE")),
        policy_bundle=_path(variables.get("HALOCLINE_POLICY_BUNDLE")),
        policy_key=_path(variables.get("HALOCLINE_POLICY_KEY")) or home / "keys" / "policy.pub",
        opa=_opa(variables.get("HALOCLINE_OPA")),
        jars=Path(variables.get("HALOCLINE_JARS") or Path(sys.prefix) / "jars"),
        spark_master=variables.get("HALOCLINE_SPARK_MASTER") or "local[*]",
        token=variables.get("HALOCLINE_TOKEN"),
        state=_without_password(variables.get("HALOCLINE_STATE")),
        state_password_file=_path(variables.get("HALOCLINE_STATE_PASSWORD_FILE")),
        strict_directory=_choice(variables, "HALOCLINE_DIRECTORY", "open", "strict") == "strict",
        oidc_issuer=issuer,
        oidc_audience=variables.get("HALOCLINE_OIDC_AUDIENCE") or "halocline",
        oidc_ca_file=_path(variables.get("HALOCLINE_OIDC_CA_FILE")),
        dev_tokens=_choice(variables, "HALOCLINE_DEV_TOKENS", *dev_tokens) == "accept",
        guard=variables.get("HALOCLINE_GUARD") or None,
        witness=_path(variables.get("HALOCLINE_WITNESS")),
    )


def _path(named: str | None) -> Path | None:
    return Path(named) if named else None


def _choice(variables: Mapping[str, str], name: str, default: str, other: str) -> str:
    chosen = variables.get(name) or default
    if chosen not in (default, other):
        raise Refused(f"{name} is {default} or {other}")
    return chosen


def _without_password(url: str | None) -> str | None:
    """A password in a variable would stand in every child's environment."""
    try:
        parts = urlsplit(url or "")
        has_password = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        raise Refused("HALOCLINE_STATE is not a URL") from None
    if has_password:
        raise Refused("HALOCLINE_STATE holds no password: use HALOCLINE_STATE_PASSWORD_FILE")
    return url or None


def _opa(named: str | None) -> Path | None:
    if named:
        if not os.access(named, os.X_OK) or not os.path.isfile(named):
            raise Refused(
                "HALOCLINE_OPA is the path of a program, OPA 1.19.1 or newer, and there is none"
                " that can be run: correct it, or unset it to use the one that `make setup` puts"
                " beside Python; HALOCLINE_POLICY=embedded decides without OPA"
            )
        return Path(named)
    beside = Path(sys.prefix) / "bin" / "opa"
    if beside.is_file():
        return beside
    found = shutil.which("opa")
    return Path(found) if found else None
