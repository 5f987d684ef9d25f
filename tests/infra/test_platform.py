"""The platform's own state: what a home must say before anything is decided in it."""

from pathlib import Path

import pytest

from halocline_governance import keys
from halocline_governance.errors import Refused
from halocline_governance.policy import signing
from halocline_governance.policy.archive import pack
from halocline_governance.policy.bundle import collect
from halocline_infra.environment import from_env
from halocline_infra.platform import Platform


def platform(home: Path) -> Platform:
    return Platform(from_env({"HALOCLINE_HOME": str(home), "HALOCLINE_POLICY": "embedded"}))


def test_a_new_home_says_that_it_restricts_nothing(tmp_path: Path) -> None:
    with platform(tmp_path / "home") as opened:
        assert opened.firm.facts() == {"competitors": [], "restricted_issuers": []}
        assert opened.engine.revision


@pytest.mark.parametrize(
    "damage", ["gone", "{", "[]", '{"restricted_issuers": [], "a": 1, "a": 2}']
)
def test_without_its_firms_facts_a_home_decides_nothing(tmp_path: Path, damage: str) -> None:
    """A restricted list that was lost is not an empty one."""
    with platform(tmp_path / "home") as opened:
        assert opened.engine.revision
    facts = tmp_path / "home" / "policy" / "firm.json"
    facts.unlink() if damage == "gone" else facts.write_text(damage)
    for _ in range(2):
        with platform(tmp_path / "home") as opened, pytest.raises(Refused, match=r"firm\.json"):
            _ = opened.engine


def test_a_new_home_takes_its_firms_facts_from_a_signed_bundle(tmp_path: Path) -> None:
    """A file of its own that restricts nothing would contradict the bundle."""
    key = keys.p256(tmp_path / "policy.key")
    public, bundle = tmp_path / "policy.pub", tmp_path / "bundle.tar.gz"
    public.write_bytes(signing.pem(key.public_key()))
    bundle.write_bytes(pack(collect({"restricted_issuers": ["initech"]}), 1, key))
    variables = {
        "HALOCLINE_HOME": str(tmp_path / "home"),
        "HALOCLINE_POLICY": "embedded",
        "HALOCLINE_POLICY_BUNDLE": str(bundle),
        "HALOCLINE_POLICY_KEY": str(public),
    }
    with Platform(from_env(variables)) as opened:
        assert opened.engine.revision == collect({"restricted_issuers": ["initech"]}).revision
