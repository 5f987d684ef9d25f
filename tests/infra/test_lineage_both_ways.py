"""`halocline lineage`: whatever has an id is traced both ways, and what is hidden is answered as
what is not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from halocline_governance.errors import Refused
from halocline_governance.label import Label
from halocline_infra.commands.lineage_sight import sight_of
from halocline_infra.commands.lineage_thing import take
from halocline_infra.environment import from_env
from halocline_infra.platform import Platform
from tests.infra.test_lineage_commands import ENDPOINT, MODEL, OUTPUT, Home, make

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

# By kind: a name that is there, one like it that is not, and what lies behind it and ahead of it.
KINDS = {
    "output": (OUTPUT, OUTPUT[:-1] + "0", {"model", "run", "mixture", "dataset"}, set[str]()),
    "row": (
        "buy:curated.documents/100", "buy:curated.documents/7",
        {"source", "licence"}, {"dataset", "run", "model", "deployment", "endpoint", "outputs"},
    ),
    "source": ("readmes", "readmee", set[str](), {"rows", "dataset", "run", "model", "outputs"}),
    "licence": ("MIT", "MIX", set[str](), {"rows", "dataset", "run", "model", "outputs"}),
    "dataset": ("{buy}", "d" * 64, set[str](), {"run", "mixture", "model", "outputs"}),
    "mixture": ("{mixture}", "e" * 64, {"dataset"}, {"run", "model", "outputs"}),
    "run": ("{run}", "r2", {"dataset", "mixture"}, {"model", "deployment", "endpoint"}),
    "model": (MODEL, "house/2", {"run", "dataset"}, {"deployment", "endpoint", "outputs"}),
    "deployment": ("{deployment}", "house@champion/x", {"model", "run"}, {"endpoint", "outputs"}),
    "endpoint": (ENDPOINT, "house@champio", {"deployment", "model", "run"}, {"outputs"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = make(tmp_path_factory.mktemp("both") / "home")
    nodes = made.json("trace", ENDPOINT)["nodes"]
    (deployment,) = (node["id"] for node in nodes if node["kind"] == "deployment")
    made.facts["deployment"] = deployment.partition(":")[2]
    return made


@pytest.fixture(scope="module")
def platform(home: Home) -> Iterator[Platform]:
    env = {key: val for key, val in home.env.items() if key.startswith("HALOCLINE_")}
    with Platform(from_env(env)) as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_traced_both_ways_and_has_an_impact(
    home: Home, platform: Platform, kind: str
) -> None:
    name, _, behind, ahead = KINDS[kind]
    sight = sight_of(platform, Label("restricted", ("buy",)))
    asked = take(platform, sight, f"{kind}:{name.format_map(home.facts)}").asked
    back, forth = (
        {node.kind for node in sight.asks.trace(asked, direction=way).nodes.values()} - {kind}
        for way in ("back", "forward")
    )
    told = sight.asks.impact(asked)

    assert back >= behind, back
    assert forth >= ahead, forth
    assert told.thing == asked
    assert told.outputs.num == ("outputs" in ahead or kind == "run")


def test_what_an_endpoint_gave_is_counted_by_label_in_its_intervals(home: Home) -> None:
    code, out, _ = home.call("impact", ENDPOINT)

    assert code == 0
    assert "1 of label=confidential · sides buy" in out
    assert f"endpoints now: 1\n    {ENDPOINT} since" in out


def answer(platform: Platform, thing: str) -> list[str]:
    """What the other side's officer is told, asking in every way."""
    sight = sight_of(platform, Label("restricted", ("sell",)))
    ways: list[Callable[[str], object]] = [
        lambda asked: sight.asks.trace(asked).as_json(),
        lambda asked: sight.asks.trace(asked, direction="forward").as_json(),
        lambda asked: sight.asks.impact(asked).as_json(),
        lambda asked: [*sight.asks.reached(asked, "dataset", forward=False)],
    ]
    told: list[str] = []
    for way in ways:
        try:
            told.append(str(way(take(platform, sight, thing).asked)))
        except Refused as refused:
            told.append(f"refused: {refused}")
    return told


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("source", "licence")])
def test_what_is_hidden_is_answered_as_what_is_not_there(
    home: Home, platform: Platform, kind: str
) -> None:
    name, missing, _, _ = KINDS[kind]
    name = name.format_map(home.facts)
    for own, other in ((name, missing), (f"{kind}:{name}", f"{kind}:{missing}")):
        there, none = answer(platform, own), answer(platform, other)
        assert there == [one.replace(missing, name) for one in none]
        assert all(one.startswith("refused: ") for one in there)


def test_records_of_what_is_hidden_are_answered_as_none(home: Home, platform: Platform) -> None:
    for ident in ("{train decision}", "{register event}", "{promote event}", "{buy decision}"):
        asked = ident.format_map(home.facts)
        none = answer(platform, f"event:{OUTPUT}")
        assert answer(platform, f"event:{asked}") == [one.replace(OUTPUT, asked) for one in none]


def test_the_command_too_answers_alike(home: Home, tmp_path: Path) -> None:
    file, token = tmp_path / "page.html", home.env["sal"]
    there, none = (
        home.call("trace", one, "--html", file, token=token) for one in ("run:r1", "run:r2")
    )
    assert there == (1, "", none[2].replace("r2", "r1"))
    assert none[:2] == (1, "")
    assert not file.exists()


def test_what_is_her_own_is_told_without_the_rest(home: Home) -> None:
    _, out, _ = home.call("trace", "source:readmes", "--json", token=home.env["sal"])
    own = json.loads(out)

    assert own["clearance"]["sides"] == ["sell"]
    assert {node["id"] for node in own["nodes"]} == {
        "source:readmes", "rows:public:curated.documents", f"dataset:{home.facts['public']}"
    }  # fmt: skip
    assert own["gaps"] == []
