"""The registry: aliases move when the gate allows and never otherwise."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts

from halocline_governance.errors import Denied, Refused, Unverified
from halocline_governance.label import Label
from halocline_governance.principal import Principal
from tests.registry.conftest import ALIAS, MIA, OMAR, PIA, Place, evidence_of

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def refused(place: Place, request: str, *, because: str) -> None:
    """The gate denies for this reason, on record, and nothing moves."""
    with pytest.raises(Denied) as denied:
        place.registry.promote(MIA, request)
    assert any(because in reason for reason in denied.value.decision.reasons)
    assert place.registry.aliases() == {}
    assert place.tracking.aliases("house") == {}
    assert place.steps()[-1] == "refused"
    with pytest.raises(Refused, match="house version 1"):
        place.registry.resolve("house", ALIAS)


def test_two_others_approve_and_the_alias_moves(place: Place) -> None:
    model, request = place.approved()
    decision = place.registry.promote(MIA, request)

    assert decision.allow
    assert place.steps() == [
        "registered", "requested", "evidenced", "approved", "approved", "promoted",
    ]  # fmt: skip
    resolved, path = place.registry.resolve("house", ALIAS)
    assert resolved == model
    assert path.is_relative_to(place.home / "models" / "buy")
    (deployment,) = place.lineage.rows("lineage.deployment")
    assert deployment["endpoint"] == "house@champion"
    assert deployment["decision_id"] == decision.id


def test_a_plain_mlflow_client_sees_version_alias_and_files(place: Place) -> None:
    model, request = place.approved()
    place.registry.promote(MIA, request)
    version = place.client.get_model_version_by_alias("house", ALIAS)

    assert int(version.version) == model.version == 1
    assert version.tags["halocline.weights_sha256"] == model.weights_sha256
    _, path = place.registry.resolve("house", ALIAS)
    uri = place.client.get_model_version_download_uri("house", str(version.version))
    there = Path(download_artifacts(uri, tracking_uri=place.tracking.uri))
    assert {p.name for p in there.iterdir()} == {p.name for p in path.iterdir()}


def test_no_evidence(place: Place) -> None:
    model = place.registry.register(place.package(), MIA)
    request = place.registry.request(MIA, model, ALIAS, None)
    for who in (OMAR, PIA):
        place.registry.approve(who, request, "0" * 64)

    refused(place, request, because="malformed")


def test_nobody_approved(place: Place) -> None:
    package = place.package()
    model = place.registry.register(package, MIA)

    request = place.registry.request(MIA, model, ALIAS, evidence_of(package))
    refused(place, request, because="fewer than the needed")


@pytest.mark.parametrize(
    ("approvers", "because"),
    [
        ((MIA, OMAR), "the requester is among the approvers"),
        ((MIA, OMAR, PIA), "the requester is among the approvers"),
        ((replace(MIA, roles=("approver",)), OMAR), "the requester is among the approvers"),
        ((OMAR,), "fewer than the needed"),
        ((OMAR, OMAR), "fewer than the needed"),
        ((OMAR, replace(OMAR, subject=f" {OMAR.subject.upper()}")), "fewer than the needed"),
        ((replace(OMAR, subject=MIA.subject.title()), PIA), "the requester is among"),
        ((OMAR, replace(PIA, roles=("analyst",))), "fewer than the needed"),
    ],
)
def test_the_gate_counts_the_approvers(
    place: Place, approvers: tuple[Principal, ...], because: str
) -> None:
    package = place.package()
    model, evidence = place.registry.register(package, MIA), evidence_of(package)
    request = place.registry.request(MIA, model, ALIAS, evidence)
    for who in approvers:
        place.registry.approve(who, request, evidence.sha256)

    refused(place, request, because=because)


def test_an_approval_of_other_evidence_does_not_count(place: Place) -> None:
    package = place.package()
    model, evidence = place.registry.register(package, MIA), evidence_of(package)
    request = place.registry.request(MIA, model, ALIAS, evidence)
    place.registry.approve(OMAR, request, evidence.sha256)
    place.registry.approve(PIA, request, replace(evidence, toxic_rows=9).sha256)

    refused(place, request, because="fewer than the needed")


def test_evidence_about_another_model_does_not_count(place: Place) -> None:
    model, other = place.registry.register(place.package(), MIA), evidence_of(place.package(1))
    request = place.registry.request(MIA, model, ALIAS, other)
    for who in (OMAR, PIA):
        place.registry.approve(who, request, other.sha256)

    refused(place, request, because="other weights")


def test_who_may_not_move_aliases(place: Place) -> None:
    _, request = place.approved()
    for who in (replace(MIA, roles=("analyst",)), replace(MIA, clearance=Label("public"))):
        with pytest.raises(Denied):
            place.registry.promote(who, request)
    assert place.registry.aliases() == {}


def test_a_refused_request_can_be_completed(place: Place) -> None:
    package = place.package()
    model, evidence = place.registry.register(package, MIA), evidence_of(package)
    request = place.registry.request(MIA, model, ALIAS, evidence)
    place.registry.approve(OMAR, request, evidence.sha256)
    refused(place, request, because="fewer than the needed")
    place.registry.approve(PIA, request, evidence.sha256)

    assert place.registry.promote(MIA, request).allow
    with pytest.raises(Refused, match="promoted already"):
        place.registry.approve(OMAR, request, evidence.sha256)


def test_repeating_anything_changes_nothing(place: Place) -> None:
    model, request = place.approved()
    first = place.registry.promote(MIA, request)
    before = place.registry.ledger_rows()
    package = place.package()

    assert place.registry.register(package, MIA) == model
    assert place.registry.request(MIA, model, ALIAS, evidence_of(package)) == request
    assert place.registry.promote(MIA, request) == first
    assert place.registry.ledger_rows() == before
    assert len(place.client.search_model_versions("name = 'house'")) == 1
    assert len(place.lineage.rows("lineage.deployment")) == 1


def test_the_next_version_and_back_again(place: Place) -> None:
    first, request = place.approved(0)
    place.registry.promote(MIA, request)
    second, request = place.approved(1)
    place.registry.promote(MIA, request)
    assert place.registry.resolve("house", ALIAS)[0] == second
    again, request = place.approved(0)
    place.registry.promote(MIA, request)

    assert again == first
    assert place.registry.resolve("house", ALIAS)[0] == first
    assert place.tracking.aliases("house") == {ALIAS: "1"}
    deployed = place.lineage.rows("lineage.deployment")
    assert [row["version"] for row in sorted(deployed, key=lambda r: r["from_ts"])] == [1, 2, 1]
    assert [row["to_ts"] for row in deployed].count(None) == 1


def test_aliases_moved_around_the_ledger_go_back(place: Place) -> None:
    place.registry.promote(MIA, place.approved(0)[1])
    place.registry.register(place.package(1), MIA)
    place.client.set_registered_model_alias("house", ALIAS, "2")
    place.client.set_registered_model_alias("house", "shadow", "2")
    repairs = place.registry.reconcile(MIA)

    assert repairs == ["house@champion: 2 -> 1", "house@shadow: 2 -> none"]
    assert place.tracking.aliases("house") == {ALIAS: "1"}
    projections = [told["projection"] for told in place.told("promote") if "projection" in told]
    assert {"model": "house", "alias": "shadow", "from": "2", "to": None} in projections
    place.client.delete_registered_model_alias("house", ALIAS)
    assert place.registry.reconcile(MIA) == ["house@champion: none -> 1"]
    assert place.registry.reconcile(MIA) == []


def test_serving_never_asks_mlflow(place: Place) -> None:
    """A version made up in MLflow, tags and all, is nothing to the ledger."""
    first, request = place.approved(0)
    place.registry.promote(MIA, request)
    real = place.client.get_model_version("house", "1")
    place.client.create_model_version("house", str(place.home / "evil"), tags=real.tags)
    place.client.set_registered_model_alias("house", ALIAS, "2")

    assert place.registry.resolve("house", ALIAS)[0] == first
    assert place.registry.reconcile(MIA) == ["house@champion: 2 -> 1"]


def test_every_row_was_in_the_journal_first(place: Place) -> None:
    place.registry.promote(MIA, place.approved()[1])
    events = [*place.told("register"), *place.told("approve"), *place.told("promote")]
    journaled = {event["row"]["hash"] for event in events if "row" in event}

    assert journaled == {row["hash"] for row in place.registry.ledger_rows()}


def test_weights_changed_on_disk_are_neither_promoted_nor_served(place: Place) -> None:
    _, request = place.approved()
    (path,) = (place.home / "models").glob("buy/house/*/model.safetensors")
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + b"\x01")
    with pytest.raises(Unverified):
        place.registry.promote(MIA, request)
    path.write_bytes(whole)
    place.registry.promote(MIA, request)
    path.write_bytes(whole[:-1] + b"\x01")

    with pytest.raises(Unverified):
        place.registry.resolve("house", ALIAS)


def test_a_package_that_changes_while_it_is_taken_in_is_refused(place: Place) -> None:
    package = place.package()
    (package.path / "config.json").write_text('{"changed": 1}')

    with pytest.raises(Unverified):
        place.registry.register(package, MIA)
    assert place.steps() == []
    assert not list((place.home / "models").glob("**/*.safetensors"))


@pytest.mark.parametrize("alias", ["", "Champion", "latest", "v1", "a" * 33, "a b", "1"])
def test_a_bad_alias_is_refused(place: Place, alias: str) -> None:
    model = place.registry.register(place.package(), MIA)

    with pytest.raises(Refused, match="alias"):
        place.registry.request(MIA, model, alias, None)


def test_what_does_not_exist_says_what_does(place: Place) -> None:
    with pytest.raises(Refused, match="none, train and register"):
        place.registry.resolve("house", ALIAS)
    model, request = place.approved()
    place.registry.promote(MIA, request)

    with pytest.raises(Refused, match="house@champion"):
        place.registry.resolve("cottage", ALIAS)
    with pytest.raises(Refused, match="house version 1"):
        place.registry.request(MIA, replace(model, version=7), ALIAS, None)
    with pytest.raises(Refused, match="other weights"):
        place.registry.request(MIA, replace(model, weights_sha256="0" * 64), ALIAS, None)
    with pytest.raises(Refused, match="no promotion request"):
        place.registry.promote(MIA, "p0")


def test_packages_are_the_owners_alone(place: Place) -> None:
    place.registry.register(place.package(), MIA)
    for folder, _, _ in os.walk(place.home / "models"):
        assert os.stat(folder).st_mode & 0o077 == 0, folder
