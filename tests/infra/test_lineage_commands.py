"""`halocline lineage`: anything is found by its id, shown in every form, and checked."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake
from typer.testing import CliRunner

from halocline_governance.errors import HaloclineError, Refused
from halocline_governance.journal import read
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_infra.cli import app
from halocline_infra.commands.lineage_sight import sight_of
from halocline_infra.commands.lineage_thing import take
from halocline_infra.environment import from_env
from halocline_infra.platform import Platform
from tests.governance.lineage_told_world import World, telling

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

OUTPUT = "01a1fcba-cd3d-7ae8-a9b0-a2654be011ad"
ENDPOINT, MODEL = "house@champion", "house/1"


@dataclass(frozen=True)
class Home:
    """An installation with one run to its deployment, one output, and an officer."""

    folder: Path
    env: dict[str, str]
    facts: dict[str, str]

    def call(self, *words: object, token: str | None = None) -> tuple[int, str, str]:
        """Exit code, standard output, and what was told beside it."""
        env = self.env if token is None else {**self.env, "HALOCLINE_TOKEN": token}
        done = CliRunner().invoke(app, ["lineage", *map(str, words)], env=env)
        if isinstance(done.exception, HaloclineError):
            return 1, done.stdout, str(done.exception)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    def json(self, *words: object) -> Any:
        code, out, err = self.call(*words, "--json")
        assert code == 0, err
        return json.loads(out)


def make(folder: Path, **lies: Any) -> Home:
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    env = {**kept, "HALOCLINE_HOME": str(folder), "HALOCLINE_POLICY": "embedded"}
    for name, role, label in (
        ("cleo", "compliance", "restricted sides=buy"),
        ("sal", "compliance", "restricted sides=sell"),
        ("ana", "analyst", "public"),
    ):
        issue = ["token", "issue", "--sub", name, "--role", role, "--label", label]
        env[name] = CliRunner().invoke(app, issue, env=env).stdout.strip()
    engine = open_engine("embedded", None, {"restricted_issuers": []})
    world = World(folder, engine)
    world.run(**lies)
    world.answer(OUTPUT)
    world.journal.close()
    engine.close()
    facts = {"run": "r1"}
    for row in world.lineage.rows("lineage.dataset_version"):
        facts[row["compartment"]] = row["dsv_id"]
        facts[f"{row['compartment']} fingerprint"] = row["fingerprint"]
        facts[f"{row['compartment']} decision"] = row["decision_id"]
    facts["mixture"] = world.lineage.rows("lineage.mixture")[0]["mix_sha"]
    for _, seq, event in read(folder / "journal"):
        facts[f"{event['kind']} place"] = str(seq)
        facts[f"{event['kind']} event"] = event["event_id"]
        if event["object"].get("gate") == "train":
            facts["train decision"] = event["object"]["answer"]["id"]
    env["HALOCLINE_TOKEN"] = env["cleo"]
    return Home(folder, env, facts)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make(tmp_path_factory.mktemp("installation") / "home")


TAKEN = {
    OUTPUT: f"output:{OUTPUT}",
    f"output:{OUTPUT}": f"output:{OUTPUT}",
    "buy:curated.documents/100": "row:buy:curated.documents/100",
    "100": "row:buy:curated.documents/100",
    "3": "row:public:curated.documents/3",
    "readmes": "source:readmes",
    "source:readmes": "source:readmes",
    "MIT": "licence:MIT",
    ENDPOINT: f"endpoint:{ENDPOINT}",
    MODEL: f"model:{MODEL}",
    "a" * 64: f"model:{MODEL}",
    "{run}": "run:{run}",
    "{buy}": "dataset:{buy}",
    "{public fingerprint}": "dataset:{public}",
    "{mixture}": "mixture:{mixture}",
    "{train decision}": "run:{run}",
    "log-0000/{train place}": "run:{run}",
    "decision:{buy decision}": "dataset:{buy}",
    "{train event}": "run:{run}",
    "event:{register event}": f"model:{MODEL}",
    "{promote event}": f"model:{MODEL}",
}

NOT_TAKEN = {
    "nobody": "nothing here is called nobody; name it by its kind",
    "4711": "nothing here is called 4711",
    MODEL.partition("/")[0]: f"may be endpoint:{ENDPOINT} or model:{MODEL}: say which",
    "log-0000/99999": "no record log-0000/99999",
    "01a1fcba-0000-7ae8-a9b0-a2654be011ad": "no event or decision",
    "event:{read event}": "about nothing that lineage follows",
}


def test_anything_is_found_by_its_id(home: Home) -> None:
    env = {key: val for key, val in home.env.items() if key.startswith("HALOCLINE_")}
    with Platform(from_env(env)) as platform:
        sight = sight_of(platform, Label("restricted", ("buy",)))
        for given, wanted in TAKEN.items():
            taken = take(platform, sight, given.format_map(home.facts))
            assert taken.asked == wanted.format_map(home.facts), given
            assert platform.lineage.trace(taken.asked).root.id == taken.asked
        key = "subject:v1:abcdefghijklmnop"  # as it stands in tables
        assert take(platform, sight, key).asked == f"subject:{key}"
        for given, told in NOT_TAKEN.items():
            with pytest.raises(Refused, match=told):
                take(platform, sight, given.format_map(home.facts))


def test_each_kind_looks_where_people_look_first(home: Home) -> None:
    back = home.json("trace", OUTPUT)
    assert back["asked"] == {
        "thing": OUTPUT, "taken_for": f"output:{OUTPUT}", "at": None, "direction": "back"
    }  # fmt: skip
    assert back["flags"] == back["gaps"] == []
    forward = home.json("trace", "readmes")

    assert {one["kind"] for one in back["nodes"]} >= {"output", "model", "run", "dataset"}
    assert {one["kind"] for one in forward["nodes"]} >= {"source", "dataset", "run", "model"}
    only = home.json("trace", MODEL, "--backward")["nodes"]
    assert "deployment" not in {one["kind"] for one in only}


def test_an_endpoint_leads_forward_to_what_it_answered(home: Home) -> None:
    told = home.json("trace", ENDPOINT, "--forward")

    assert told["counts"]["output"] == 1
    assert [edge["kind"] for edge in told["edges"]] == ["was asked: 1 released"]


def test_before_it_was_made_it_was_not(home: Home) -> None:
    code, _, told = home.call("trace", MODEL, "--at", "2001-01-01T00:00:00Z")

    assert code == 1
    assert "not on record by 2001" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("trace", "house/7"), "model:house/7 is not on record; did you mean model:house/1"),
        (("trace", MODEL, "--both", "--forward"), "choose one of --forward"),
        (("trace", MODEL, "--mermaid", "--json"), "choose one of --json"),
        (("trace", "row:buy:raw.documents/1", "--rows"), "is a row"),
        (("check", "r9"), "no run r9"),
        (("trace", "row:nocomp:curated.documents/1"), "in a version of it that can still be read"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(
    home: Home, words: tuple[str, ...], told: str
) -> None:
    code, out, err = home.call(*(word.format_map(home.facts) for word in words))

    assert (code, out) == (1, "")
    assert told in err


@pytest.mark.parametrize("words", [("trace", OUTPUT), ("check",)])
def test_only_who_may_read_the_audit_record_is_answered(home: Home, words: tuple[str, ...]) -> None:
    code, out, err = home.call(*words, token=home.env["ana"])

    assert (code, out) == (1, "")
    assert "read gate: denied" in err


def test_a_tree_says_what_it_was_asked_about(home: Home) -> None:
    code, out, err = home.call("trace", OUTPUT)

    assert code == 0
    assert "taken for an output" in err
    assert out.splitlines()[0].startswith(f"output {OUTPUT}")
    assert "answered by: model house v1" in out


def test_mermaid_is_a_flowchart_of_declared_nodes(home: Home) -> None:
    _, out, _ = home.call("trace", MODEL, "--mermaid")
    first, *lines = out.splitlines()
    declared = {found[1] for line in lines if (found := re.fullmatch(r'  (n\d+)\["[^"]*"\]', line))}
    used = [re.fullmatch(r'  (n\d+) -->\|"[^"]*"\| (n\d+)', line) for line in lines]
    ends = {end for found in used if found for end in found.groups()}

    assert first == "flowchart LR"
    assert ends <= declared
    assert len(declared) + sum(found is not None for found in used) == len(lines)


def test_a_page_is_its_owners_alone(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    code, out, err = home.call("trace", OUTPUT, "--html", file)
    text = file.read_text()

    assert (code, out) == (0, "")
    assert f"wrote {file}" in err
    assert file.stat().st_mode & 0o777 == 0o600
    assert "buy:curated v0" in text
    assert "confidential · sides buy" in text


def test_rows_are_counted_exactly_and_streamed_whole(home: Home) -> None:
    told = home.json("trace", MODEL, "--rows")
    code, out, _ = home.call("trace", MODEL, "--rows", "--all")
    lines = [json.loads(line) for line in out.splitlines()]

    assert code == 0
    assert told["num_rows"] == told["shown"] == len(lines) == 8
    assert {line["row_uid"] for line in lines} == {
        uid for one in told["datasets"] for uid in one["first"]
    }
    (buy,) = (one for one in told["datasets"] if one["dsv_id"] == home.facts["buy"])
    assert (buy["sources"], buy["licences"], buy["num_rows"]) == ({"readmes": 3}, {"MIT": 3}, 3)


def test_rows_of_a_source_are_counted_and_streamed_too(home: Home) -> None:
    told = home.json("trace", "source:readmes", "--rows")
    code, out, _ = home.call("trace", "readmes", "--rows", "--all")
    lines = [json.loads(line) for line in out.splitlines()]

    assert code == 0
    assert lines == told["first"]
    assert {line["table"] for line in lines} == told["tables"].keys()
    for table, count in told["tables"].items():
        mine = [line for line in lines if line["table"] == table]
        assert len(mine) == count["ever"] > 0
        assert sum(line["there"] for line in mine) == count["now"]


def test_what_changes_if_a_source_must_go(home: Home) -> None:
    told = home.json("impact", "source:readmes")

    assert told["models"] == {"first": [MODEL], "num": 1}
    assert told["outputs"]["num"] == 1
    assert told["datasets"]["num"] == 2


def test_events_are_written_the_same_each_time(home: Home, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        assert home.json("export", "--openlineage", file)["events"] == 3
    first, second = (file.read_bytes() for file in files)

    assert first == second
    serving = [json.loads(line) for line in first.splitlines()][-1]
    rows = serving["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"]
    assert (serving["job"]["name"], rows) == (f"serve/{ENDPOINT}", 1)


def test_an_index_thrown_away_answers_the_same(home: Home) -> None:
    before = home.json("trace", "readmes")
    assert home.json("index", "--rebuild")["outputs"] == 1

    assert home.json("trace", "readmes") == before


def test_a_lie_is_flagged_in_check_trace_and_page(tmp_path: Path) -> None:
    def lower(said: dict[str, Any]) -> dict[str, Any]:
        return {**said, "label": PUBLIC.as_json()}

    home = make(tmp_path / "home", lie=telling("begin", lower))
    code, out, _ = home.call("check", "--json")
    (flag,) = (one for one in json.loads(out)["flags"] if not one["kind"].startswith("mlflow"))

    assert code == 1
    assert (flag["about"], flag["kind"]) == ("run:r1", "label")
    assert home.json("trace", OUTPUT)["flags"] == [flag]
    home.call("trace", OUTPUT, "--html", tmp_path / "page.html")
    assert escape(flag["what"]) in (tmp_path / "page.html").read_text()


def without(folder: Path, table: str, **values: object) -> None:
    """Overwrite a lineage table without the rows that have these values."""
    lake = Lake(folder / "lake")
    place = lake.location("system", table)
    kept = DeltaTable(place.uri).to_pyarrow_table()
    for column, value in values.items():
        kept = kept.filter(pc.not_equal(kept[column], value))
    write_deltalake(place.uri, kept, mode="overwrite")


@pytest.mark.parametrize("table", ["lineage.run_source", "lineage.model_edge"])
def test_a_lost_link_is_flagged_from_behind(tmp_path: Path, table: str) -> None:
    home = make(tmp_path / "home")
    lost = {
        "lineage.run_source": {"dsv_id": home.facts["buy"]},
        "lineage.model_edge": {"run_id": "r1"},
    }
    without(home.folder, table, **lost[table])
    file = tmp_path / "page.html"
    asked = f"dataset:{home.facts['buy']}"
    home.call("trace", asked, "--html", file)
    code, out, _ = home.call("impact", asked)

    flags = home.json("trace", asked, "--forward")["flags"]
    assert {"lineage.run_source": "run:r1", "lineage.model_edge": "model:house/1"}[table] in {
        flag["about"] for flag in flags
    }
    assert home.json("impact", "row:buy:curated.documents/100")["flags"] == flags
    assert code == 0
    assert "FLAGGED " in out
    assert "Nothing is missing" not in file.read_text()
    assert escape(flags[0]["what"]) in file.read_text()


def test_a_lost_dataset_version_is_flagged_from_its_source(tmp_path: Path) -> None:
    home = make(tmp_path / "home")
    without(home.folder, "lineage.dataset_version", compartment="buy")
    flags = home.json("trace", "row:buy:curated.documents/100", "--forward")["flags"]

    assert f"dataset version {home.facts['buy']} is not on record" in {f["what"] for f in flags}


SECRETS = ("house", "r1", "buy", OUTPUT)
# What is hers is told without the rest.
SIDE = {
    "dataset:{buy}": False, "run:r1": False, f"output:{OUTPUT}": False,
    f"endpoint:{ENDPOINT}": False, "row:buy:curated.documents/100": False, "source:readmes": True,
}  # fmt: skip


@pytest.mark.parametrize("thing", SIDE)
def test_the_other_sides_officer_is_told_nothing_of_it(home: Home, thing: str) -> None:
    asked, token = thing.format_map(home.facts), home.env["sal"]
    for words in (
        ("trace", asked, "--both", "--json"), ("impact", asked), ("trace", asked, "--rows", "--all")
    ):  # fmt: skip
        code, out, err = home.call(*words, token=token)
        assert (code, bool(out)) == ((0, True) if SIDE[thing] else (1, False)), words
        assert "buy" not in err.replace(asked, "")
        for secret in (*SECRETS, home.facts["buy"], home.facts["mixture"]):
            assert secret not in out, words


def test_a_check_does_not_end_well_where_mlflow_differs(home: Home) -> None:
    code, out, _ = home.call("check")
    told = [line.split(": ")[1] for line in out.splitlines() if line.startswith("FLAGGED")]

    assert code == 1
    assert told == ["mlflow_version_missing", "mlflow_run_missing"]
    assert "what to do: mlflow_run_missing: restore MLflow's store" in out
    assert out.splitlines()[-1] == "lineage NOT in order"


def test_the_other_sides_officer_exports_and_checks_her_own_alone(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "events"
    code, _, _ = home.call("export", "--openlineage", file, token=home.env["sal"])
    _, out, _ = home.call("check", "--json", token=home.env["sal"])
    told = json.loads(out)

    assert (code, file.read_text()) == (0, "")
    assert (told["flags"], told["unseen"] > 0) == ([], True)
