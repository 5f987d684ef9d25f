"""Lineage as OpenLineage events: valid by the project's own schemas, and the same each time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from halocline_governance.gates import Engine
from halocline_governance.label import PUBLIC
from halocline_governance.lineage import openlineage
from halocline_governance.lineage.openlineage import Event, Export
from tests.governance.lineage_told_world import World

SPEC = Path(__file__).with_name("openlineage")


def seven(_endpoint: str, _start: str, _end: str | None) -> int:
    return 7


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, embedded: Engine) -> Iterator[World]:
    """A run to its deployment, and one that is not at its end."""
    world = World(tmp_path_factory.mktemp("home"), embedded)
    world.run()
    world.put(PUBLIC, range(20, 22))
    world.run("r2", upto="begin")
    yield world
    world.journal.close()


@pytest.fixture(scope="module")
def events(world: World) -> list[Event]:
    return Export(world.lineage, world.told(), count=seven).events()


@pytest.fixture(scope="module")
def schemas(root: Path) -> Registry[Any]:
    """OpenLineage's schemas, and ours under the addresses that events name."""
    found: list[tuple[str, Resource[Any]]] = []
    own = root / "governance/halocline_governance/lineage/facets"
    for file in (*SPEC.rglob("*.json"), *own.glob("*.json")):
        content = json.loads(file.read_text())
        found.append((content["$id"], Resource.from_contents(content, DRAFT202012)))
    return Registry[Any]().with_resources(found)


def check(schemas: Registry[Any], address: str, value: object) -> None:
    """A value against the schema at an address, pointer included."""
    validator = Draft202012Validator(
        {"$ref": address}, registry=schemas, format_checker=FormatChecker()
    )
    validator.validate(value)


def facets_of(event: Event) -> Iterator[dict[str, Any]]:
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for holder in holders:
        for key in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(key, {}).values()


def test_every_event_and_every_facet_is_valid(events: list[Event], schemas: Registry[Any]) -> None:
    addresses: set[str] = set()
    for event in events:
        check(schemas, event["schemaURL"], event)
        check(schemas, "https://openlineage.io/spec/2-0-2/OpenLineage.json", event)
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
        for facet in facets_of(event):
            check(schemas, facet["_schemaURL"], facet)
            addresses.add(facet["_schemaURL"])
    assert len(events) == 4
    assert len([one for one in addresses if "Halocline" in one]) == 4


def test_a_facet_of_ours_that_lacks_something_is_not_valid(
    events: list[Event], schemas: Registry[Any]
) -> None:
    """The schemas say something: each required key is missed."""
    required = {"haloclineDataset": "labelId", "haloclineConsumption": "numConsumed"}
    (complete,) = (event for event in events if _is(event, "COMPLETE", "train"))
    for name, key in required.items():
        source = deepcopy(complete["inputs"][0])
        facet = {**source["facets"], **source["inputFacets"]}[name]
        del facet[key]
        with pytest.raises(ValidationError, match=key):
            check(schemas, facet["_schemaURL"], facet)


def test_schemas_of_ours_lie_where_their_addresses_say(events: list[Event], root: Path) -> None:
    blob = f"{openlineage.REPOSITORY}/blob/main/"
    own = {
        facet["_schemaURL"]
        for event in events
        for facet in facets_of(event)
        if facet["_schemaURL"].startswith(blob)
    }
    for address in own:
        path, _, pointer = address.removeprefix(blob).partition("#/$defs/")
        content = json.loads((root / path).read_text())
        assert content["$id"] == f"{blob}{path}"
        assert pointer in content["$defs"]
    assert own


def _is(event: Event, kind: str, job: str) -> bool:
    return event["eventType"] == kind and event["job"]["name"].startswith(job)


def test_a_run_has_its_inputs_and_its_model(world: World, events: list[Event]) -> None:
    (complete,) = (event for event in events if _is(event, "COMPLETE", "train"))
    rows = {row["dsv_id"]: row for row in world.lineage.rows("lineage.dataset_version")}
    told = {one["facets"]["haloclineDataset"]["dsvId"]: one for one in complete["inputs"]}

    recorded = world.lineage.rows("lineage.run_source")
    assert told.keys() == {row["dsv_id"] for row in recorded if row["run_id"] == "r1"}
    for dsv_id, one in told.items():
        row = rows[dsv_id]
        assert one["name"] == f"{row['compartment']}/{row['table']}"
        assert one["facets"]["version"]["datasetVersion"] == str(row["version"])
        assert one["inputFacets"]["inputStatistics"]["rowCount"] == row["num_rows"]
        assert one["inputFacets"]["haloclineConsumption"]["numConsumed"] == 20
        assert one["facets"]["haloclineDataset"]["fingerprint"] == row["fingerprint"]
    (model,) = complete["outputs"]
    assert (model["name"], model["facets"]["version"]["datasetVersion"]) == ("model/house", "1")


def test_what_runs_still_has_a_start_alone(world: World, events: list[Event]) -> None:
    by_run: dict[str, list[str]] = {}
    for event in events:
        named = event["run"]["facets"]["haloclineRun"]["runId"]
        by_run.setdefault(named, []).append(event["eventType"])
        assert uuid.UUID(event["run"]["runId"]).version == 5

    assert by_run["r1"] == ["START", "COMPLETE"]
    assert by_run["r2"] == ["START"]
    (serving,) = (kinds for named, kinds in by_run.items() if named.startswith("deployment:"))
    assert serving == ["START"]
    (service,) = (event for event in events if _is(event, "START", "serve"))
    assert service["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 7
    assert service["inputs"][0]["name"] == "model/house"


def test_the_same_lineage_gives_the_same_bytes(world: World, events: list[Event]) -> None:
    again = Export(world.lineage, world.told(), count=seven).events()

    assert "".join(openlineage.lines(again)) == "".join(openlineage.lines(events))
    for line in openlineage.lines(events):
        assert line.count("\n") == 1
        json.loads(line)


def test_no_name_of_a_source_nor_of_a_person_is_in_an_event(events: list[Event]) -> None:
    text = "".join(openlineage.lines(events))

    assert "readmes" not in text
    assert "svc:train" not in text
