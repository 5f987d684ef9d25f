"""What decides is checked before it is loaded, and named by a hash of all of it."""

from __future__ import annotations

import copy
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.gates import Gate
from halocline_governance.policy import Engine
from halocline_governance.policy.bundle import POLICIES, Bundle, collect
from halocline_governance.policy.embedded import Embedded
from halocline_governance.principal import ROLES, Purpose
from halocline_governance.tables import TABLES

FIRM = {"restricted_issuers": ["initech"]}
Question = dict[str, Any]


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A copy of the policies, to be damaged."""
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies"


def test_the_revision_is_of_all_that_decides(policies: Path) -> None:
    revision = collect(FIRM, policies).revision
    assert revision == collect(FIRM).revision
    assert revision == collect({"restricted_issuers": ["initech", "initech"]}).revision

    assert collect({"restricted_issuers": []}, policies).revision != revision
    for path in sorted(policies.glob("*/*")):
        text = path.read_text()
        path.write_text(text + ("spare: 1\n" if path.suffix == ".yaml" else "# \n"))
        assert (collect(FIRM, policies).revision == revision) is ("_test" in path.name), path
        path.write_text(text)
    assert collect(FIRM, policies).revision == revision


@pytest.mark.parametrize("gate", list(Gate))
def test_a_gate_without_its_policy_is_refused(gate: Gate, policies: Path) -> None:
    (policies / gate / f"{gate}.rego").unlink()

    with pytest.raises(Refused, match=gate):
        collect(FIRM, policies)


@pytest.mark.parametrize("gate", list(Gate))
def test_a_gate_without_its_data_denies(
    gate: Gate, policies: Path, questions: dict[str, Question]
) -> None:
    (policies / gate / "data.yaml").unlink()
    engine = Embedded(collect(FIRM, policies))

    assert not engine.decide(gate, questions[gate]).allow


@pytest.mark.parametrize("gate", list(Gate))
def test_without_the_firms_facts_every_gate_denies(
    gate: Gate, bundle: Bundle, questions: dict[str, Question]
) -> None:
    data = {key: value for key, value in bundle.data.items() if key != "firm"}

    assert not Embedded(Bundle(bundle.modules, data)).decide(gate, questions[gate]).allow


@pytest.mark.parametrize(
    "firm", [{}, {"restricted_issuers": None}, {"restricted_issuers": "initech"}]
    + [{"restricted_issuers": [bad]} for bad in (1, "", "Initech", "a b", "a\n")]
    + [{"restricted_issuers": [], "opened": {1, 2}}],
)  # fmt: skip
def test_the_firms_facts_must_be_well_formed(firm: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        collect(firm)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "a: 1\na: 2\n",
        "a:\n  b: 1\n  b: 2\n",
        "a: 2020-01-01\n",
        "a: [\n",
        "1: a\n",
        "<<: {a: 1}\n",
        "a: &a {x: 1}\nb: {<<: *a}\n",
        "!!python/object:os.system {}",
        "",
    ],
)
def test_data_must_be_plain(text: str, policies: Path) -> None:
    (policies / "read/data.yaml").write_text(text)

    with pytest.raises(Refused):
        collect(FIRM, policies)


def test_malformed_rego_does_not_load(bundle: Bundle, capfd: pytest.CaptureFixture[str]) -> None:
    for source in ("package halocline.read\nallow :=\n", "package halocline.read\n}"):
        with pytest.raises(Refused):
            Embedded(Bundle({**bundle.modules, "read/read.rego": source}, bundle.data))
    assert capfd.readouterr() == ("", ""), "an engine prints nothing"


def test_an_undefined_decision_denies(bundle: Bundle, questions: dict[str, Question]) -> None:
    source = 'package halocline.read\n\ndecision := {"allow": true} if input.nothing\n'
    engine = Embedded(Bundle({**bundle.modules, "read/read.rego": source}, bundle.data))

    with pytest.raises(PolicyUnavailable):
        engine.decide("read", questions["read"])


@pytest.mark.parametrize(
    "extra",
    [
        {"context": {"now": object()}},
        {1: 2},
        {"padding": "x" * 5_000_000},
        {"text": "\ud800"},
        {"number": -(2**53) - 1},
        {"number": 1e17},
    ],
)
def test_what_is_not_json_is_not_asked(
    extra: Question, embedded: Engine, questions: dict[str, Question]
) -> None:
    with pytest.raises(PolicyUnavailable):
        embedded.decide("read", {**questions["read"], **extra})


def test_a_closed_engine_denies(bundle: Bundle, questions: dict[str, Question]) -> None:
    engine = Embedded(bundle)
    assert engine.decide("read", questions["read"]).allow

    engine.close()

    with pytest.raises(PolicyUnavailable):
        engine.decide("read", questions["read"])


def test_threads_get_their_own_answers(embedded: Engine, questions: dict[str, Question]) -> None:
    asked = questions["read"]

    def ask(i: int) -> bool:
        resource = {**asked["resource"], "labels": {f"l{i}": asked["resource"]["labels"]["l3"]}}
        answer = embedded.decide("read", {**asked, "resource": resource})
        return answer.obligations["label_ids"] == [f"l{i}"]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))


def test_every_decision_has_an_id_of_its_own(
    embedded: Engine, questions: dict[str, Question]
) -> None:
    ids = [embedded.decide("read", questions["read"]).id for _ in range(10)]
    assert ids == sorted(set(ids))


def _data(gate: str) -> dict[str, Any]:
    return yaml.safe_load((POLICIES / gate / "data.yaml").read_text())


def test_every_table_has_its_columns_in_the_read_policy() -> None:
    tables = _data("read")["tables"]
    assert set(TABLES) <= set(tables)
    for name, schema in TABLES.items():
        open_columns = {column for part in tables[name] for column in part["columns"]}
        assert open_columns == set(schema.column_names), name


@pytest.mark.parametrize("gate", list(Gate))
def test_roles_and_purposes_are_known(gate: Gate) -> None:
    roles = _data(gate)["roles"]
    assert set(roles) <= set(Purpose)
    assert {role for some in roles.values() for role in some} <= set(ROLES)


def test_every_setting_is_on_its_page(root: Path) -> None:
    for gate in Gate:
        page = (root / f"docs/policies/{gate}.md").read_text()
        missing = [key for key in _data(gate) if f"`data.{gate}.{key}`" not in page]
        assert not missing, gate
    shared = (root / "docs/policies/README.md").read_text()
    for key in _data("licence"):
        assert f"`data.licence.{key}`" in shared


@pytest.mark.parametrize("gate", list(Gate))
def test_every_reason_is_on_its_page(gate: Gate, root: Path) -> None:
    """The sentences a denial may give are documented, word for word."""
    source = (POLICIES / gate / f"{gate}.rego").read_text()
    body = source.split("needs := {")[1].split("\n}")[0]
    needs: dict[str, str] = dict(re.findall(r'"(\w+)": "([^"]+)"', body))
    page = (root / f"docs/policies/{gate}.md").read_text()

    assert "well_formed" in needs
    assert [fact for fact in needs if f"| `{fact}` |" not in page] == []
    assert [told for told in needs.values() if f"| {told} |" not in page] == []


@pytest.mark.parametrize("gate", list(Gate))
def test_the_examples_of_a_page_are_true(gate: Gate, root: Path, embedded: Engine) -> None:
    page = (root / f"docs/policies/{gate}.md").read_text()
    asked, allowed, *more = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    changes = list(zip(more[::2], more[1::2], strict=True))
    assert changes, "what is allowed, and what a change of it makes"

    for question, said in (
        (asked, allowed),
        *((changed(asked, how), said) for how, said in changes),
    ):
        decision = embedded.decide(gate, question).as_json()
        assert {key: decision[key] for key in said} == said


def changed(asked: Question, change: Question) -> Question:
    """The input with other values at dotted paths."""
    made: Any = copy.deepcopy(asked)
    for path, value in change.items():
        *parents, last = path.split(".")
        at = made
        for key in parents:
            at = at[key]
        at[last] = value
    return made


@pytest.mark.parametrize(
    "competitors",
    [
        "acme",
        [["acme"]],
        [["acme", "acme"]],
        [["a", "b", "c"]],
        [["a", 1]],
        ["ab"],
        None,
        [["A", "b"]],
    ],
    ids=str,
)
def test_competitors_that_are_no_pairs_are_refused(competitors: object) -> None:
    with pytest.raises(Refused, match="competitors"):
        collect({"restricted_issuers": [], "competitors": competitors})


def test_a_fact_that_nobody_reads_is_refused() -> None:
    """A typing error must not switch a wall off."""
    with pytest.raises(Refused, match="competitor"):
        collect({"restricted_issuers": [], "competitor": [["acme", "globex"]]})
