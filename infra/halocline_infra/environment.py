"""What this process is, read once from `HALOCLINE_*`. Nobody else reads the environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from halocline_governance.errors import Refused

VARIABLES: Mapping[str, str] = {
    "HALOCLINE_HOME": "folder of all state (default ./var)",
    "HALOCLINE_POLICY": "policy engine: auto, opa, embedded, or the URL of an OPA server",
    "HALOCLINE_POLICY_TOKEN_FILE": "file with the bearer token of the OPA server at that URL",
    "HALOCLINE_POLICY_CA_FILE": "file with the authority that the OPA server's certificate must be of",
    "HALOCLINE_POLICY_BUNDLE": "signed bundle to decide by, instead of the built-in policies",
    "HALOCLINE_POLICY_KEY": "public key of that bundle (default keys/policy.pub of the home)",
    "HALOCLINE_OPA": "path of the OPA binary (default: beside Python, then PATH)",
    "HALOCLINE_JARS": "folder of Delta's JARs (default: jars/ of the environment)",
    "HALOCLINE_SPARK_MASTER": "Spark master (default local[*])",
    "HALOCLINE_TOKEN": "bearer token of the caller, for commands that read as somebody",
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

    def __repr__(self) -> str:
        return f"Environment(home={self.home!s}, policy={self.policy!r})"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def journal(self) -> Path:
        return self.home / "journal"

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
        Refused: a `HALOCLINE_*` variable that nobody reads, most likely a typing error.
    """
    for name in variables:
        ours = name.startswith("HALOCLINE_") and not name.startswith(_TEST_PREFIX)
        if ours and name not in VARIABLES:
            raise Refused(f"unknown variable {name}; there are: {', '.join(VARIABLES)}")
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
    )


def _path(named: str | None) -> Path | None:
    return Path(named) if named else None


def _opa(named: str | None) -> Path | None:
    if named:
        return Path(named)
    beside = Path(sys.prefix) / "bin" / "opa"
    if beside.is_file():
        return beside
    found = shutil.which("opa")
    return Path(found) if found else None
