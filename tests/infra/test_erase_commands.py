"""Two officers erase a person by commands alone, from a name to the certificate."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from halocline_governance import keys
from halocline_governance.detect.segregation import FingerprintIndex, SegregationDetector
from halocline_governance.erasure.finding import CURATED, OUTPUTS, RAW
from halocline_governance.errors import HaloclineError, StorageUnavailable
from halocline_governance.identity import Issuer
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse_compact
from halocline_governance.records import AuditEvent, InferenceRecord, Kind
from halocline_governance.refs import DatasetRef, ModelRef
from halocline_governance.scrub.pseudonym import Pseudonyms
from halocline_governance.scrub.ring import Ring
from halocline_infra.cli import app
from tests.governance.erasure_world import LABELS, World, everything, word

PERSON = "Jane  DOE"
Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, rng: Any) -> World:
    """A home with documents, one of them about a person, and an answer that names her."""
    world = World(tmp_path, rng)
    world.fill(6, num_commits=1)
    pseudonyms = Pseudonyms(Ring(tmp_path / "keys" / "pseudonyms"))
    hers = pseudonyms.key("buy").subject_key("jane doe")
    raw = {**world.made[("buy", RAW)][0], "row_uid": 77, "subject_keys": [hers], "text": word(77)}
    world.write("buy", RAW, [raw])
    answer = {**world.made[("buy", OUTPUTS)][0], "row_uid": 78, "request_id": "req-jane"}
    world.write("buy", OUTPUTS, [{**answer, "output": f"It was jane doe. {word(78)}"}])
    assert set(InferenceRecord.__dataclass_fields__) == set(answer)
    return world


@pytest.fixture
def run(home: World) -> Run:
    kept = {name: val for name, val in os.environ.items() if not name.startswith("HALOCLINE_")}
    env = {**kept, "HALOCLINE_HOME": str(home.root), "HALOCLINE_POLICY": "embedded"}
    issuer = Issuer(keys.ed25519(home.root / "keys" / "identity.key"))
    for name, role in (
        ("cleo", "compliance"), ("omar", "compliance"), ("bea", "analyst"),
        ("selloff", "compliance"),
    ):  # fmt: skip
        sides = "sell" if name == "selloff" else "buy,sell"
        clearance = parse_compact(f"restricted sides={sides}")
        (home.root / name).write_text(issuer.issue(name, [role], clearance))

    def run(who: str | None, *words: str) -> Result:
        token = () if who is None else ("--token", str(home.root / who))
        return CliRunner().invoke(app, [*words, *token], env=env)

    return run


def told(done: Result) -> Any:
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def test_a_person_is_erased_from_a_name_to_the_certificate(home: World, run: Run) -> None:
    (home.root / "person").write_text(f" {PERSON}\n")
    (home.root / "answer").write_text("Jane Doe")

    found = told(run("cleo", "erase", "find", "--value-from", str(home.root / "person"), "--json"))
    named = told(run("cleo", "erase", "find", "--value-from", str(home.root / "answer"), "--json"))
    assert named["outputs"] == ["req-jane"]
    (hers,) = [one["key"] for one in found["keys"] if one["documents"]]
    asked = ("erase", "subject", hers, "--reason", "request 118", "--json")
    shown = told(run("cleo", *asked))
    assert (shown["rows"], shown["order"]) == (
        [{"compartment": "buy", "table": RAW, "rows": 1}], None,
    )  # fmt: skip
    ident = told(run("cleo", *asked, "--yes"))["order"]
    for who in ("cleo", "bea"):
        denied = run(who, "erase", "approve", ident)
        assert isinstance(denied.exception, HaloclineError)
    done = told(run("omar", "erase", "approve", ident, "--json"))

    assert done["removed"] == [{"compartment": "buy", "table": RAW, "rows": 1}]
    assert [step["subject"] for step in done["steps"]] == ["cleo", "omar", "omar", "omar"]
    lake = [(file, data) for file, data in everything(home.root / "lake")]
    assert not [file for file, data in lake if word(77).encode() in data]
    assert [file for file, data in lake if word(78).encode() in data]
    everywhere = b"".join(data for _, data in everything(home.root / "journal"))
    assert b"doe" not in everywhere.lower()
    assert run(None, "audit", "verify").exit_code == 0
    shown = run("cleo", *done["check"].split()[1:], "--json")
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [one["event"]["object"]["step"] for one in events][::-1] == [
        step["step"] for step in done["steps"]
    ]


def test_what_was_erased_is_recognised_no_more(home: World, run: Run) -> None:
    """The release checks know texts by fingerprints; those of others they still know."""
    source = home.made[("buy", RAW)][0]["source"]
    secret = keys.secret(home.root / "keys" / "fingerprints.secret")
    texts = {
        name: " ".join(f"{word(number + n)} said" for n in range(60))
        for number, name in ((900, "gone"), (1900, "left"))
    }
    like = home.made[("buy", CURATED)][0]
    for number, (name, text) in enumerate(texts.items()):
        row = {**like, "row_uid": 900 + number, "source": source, "text": text}
        home.write("buy", CURATED, [row if name == "gone" else {**row, "source": "other"}])
    index = FingerprintIndex.build("buy", texts.values(), secret, ["Project Falcon"])
    path = home.root / "lake" / "buy" / "_checks" / "fingerprints"
    index.save(path, secret)

    def found(text: str) -> bool:
        detector = SegregationDetector([FingerprintIndex.load(path, secret)], secret)
        return bool(detector.scan(text).findings)

    assert [found(text) for text in texts.values()] == [True, True]
    asked = ("erase", "source", source, "--reason", "licence ended", "--yes", "--json")
    ident = told(run("cleo", *asked))["order"]
    assert told(run("omar", "erase", "approve", ident, "--json"))["state"] == "done"

    assert [found(text) for text in texts.values()] == [False, True]
    assert FingerprintIndex.load(path, secret).names == index.names


def test_who_is_only_mentioned_is_found_by_who_is_cleared(home: World, run: Run) -> None:
    like = home.made[("buy", RAW)][1]
    text = "Minutes: present were Ada Poe,\n  jane   DOE and others."
    home.write("buy", RAW, [{**like, "row_uid": 79, "subject_keys": [], "text": text}])
    (home.root / "person").write_text(PERSON)
    words = ("erase", "find", "--value-from", str(home.root / "person"))

    found = told(run("cleo", *words, "--json"))
    other = told(run("selloff", *words, "--json"))

    row = {"compartment": "buy", "row_uid": "79", "source": like["source"]}
    assert found["mentions"] == [{**row, "subject_keys": list[str]()}]
    assert (found["hidden"], other["hidden"]) == (0, 1)
    assert "79" in run("cleo", *words).stdout
    assert other["mentions"] == []
    assert "buy" not in json.dumps(other)
    assert [one["compartment"] for one in other["keys"]] == ["public"]
    assert "req-jane" not in json.dumps(other)


def test_who_is_mentioned_is_erased_by_the_key_that_stands_on_the_row(
    home: World, run: Run
) -> None:
    """Her number is the key of the row, and her name stands in its text only."""
    number = f"subject:v1:{'q' * 16}"
    like = home.made[("buy", RAW)][1]
    row = {**like, "row_uid": 79, "subject_keys": [number], "text": "It is Jane Doe again."}
    home.write("buy", RAW, [row])
    beside = f"subject:v1:{'r' * 16}"
    (own,) = home.made[("buy", RAW)][-2]["subject_keys"]
    home.write("buy", RAW, [{**row, "row_uid": 80, "subject_keys": [own, beside], "text": "x"}])
    (home.root / "person").write_text(PERSON)
    words = ("erase", "find", "--value-from", str(home.root / "person"))

    found = told(run("cleo", *words, "--json"))

    keys = [
        (one["key"], one["documents"], one["own"])
        for one in found["keys"]
        if one["compartment"] == "buy"
    ]
    assert sorted(keys) == sorted([(own, 2, True), (number, 1, False), (beside, 1, False)])
    assert found["mentions"][0]["subject_keys"] == [number]
    shown = run("cleo", *words).stdout
    assert number in shown
    assert "halocline erase subject KEY" in shown
    assert number not in run("selloff", *words).output
    asked = ("erase", "subject", number, "--reason", "request 118", "--json")
    assert told(run("cleo", *asked))["rows"] == [{"compartment": "buy", "table": RAW, "rows": 1}]


def test_what_cannot_be_looked_into_is_said(home: World, run: Run) -> None:
    """A table that is away, and one whose log is lost."""
    signer = Signer(keys.ed25519(home.root / "keys" / "journal.key"))
    with Journal.open(home.root / "journal", signer) as journal:
        at = {"compartment": "buy", "table": RAW, "version": 0}
        journal.append(AuditEvent(Kind.FINGERPRINT, "svc", "audit", at))
    folder = home.lake.path("buy", RAW)
    folder.rename(home.root / "away")
    (home.root / "person").write_text(PERSON)
    words = ("erase", "find", "--value-from", str(home.root / "person"))
    assert "buy:raw.documents" in told(run("cleo", *words, "--json"))["away"]
    assert "1 tables" in run("selloff", *words).stdout
    assert "buy" not in run("selloff", *words).stdout
    (home.root / "away").rename(folder)
    for file in (home.lake.path("buy", OUTPUTS) / "_delta_log").iterdir():
        file.unlink()

    done = run("cleo", "erase", "output", "req-jane", "--reason", "request 118", "--yes")

    assert isinstance(done.exception, StorageUnavailable)
    assert "buy:serving.outputs is there and cannot be read" in str(done.exception)


def test_a_preview_shows_what_was_made_from_it_as_far_as_the_caller_is_cleared(
    home: World, run: Run
) -> None:
    """A source that is public went into a model that also knows the buy side."""
    both = LABELS["public"] | LABELS["buy"]
    own = (LABELS["public"].label_id,)
    row = home.made[("public", CURATED)][0]
    home.write(
        "public", RAW, [{**home.made[("public", RAW)][0], "row_uid": 81, "source": "handbook"}]
    )
    home.write("public", CURATED, [{**row, "row_uid": 81, "source": "handbook"}])
    held = home.lake.version("public", CURATED) or 0
    num, prints = home.lineage.fingerprint_of("public", CURATED, held)
    ref = DatasetRef(CURATED, "public", held, own, num, prints, "d-1")
    dsv_id = home.lineage.add_dataset(ref, LABELS["public"])
    home.lineage.add_mixture("mix", "{}", [(dsv_id, 1.0)])
    home.lineage.add_run("run-1", "mix", [(dsv_id, 1.0, 8, 8)])
    home.lineage.add_model(ModelRef("secretive", 1, "a" * 64, both), "run-1")
    asked = ("erase", "source", "handbook", "--reason", "licence ended", "--json")

    whole = told(run("cleo", *asked))
    seen = told(run("selloff", *asked))

    assert whole["exposed"][0]["models"] == {"num": 1, "first": ["secretive/1"]}
    assert whole["hidden"] == 0
    assert seen["exposed"][0]["models"] == {"num": 0, "first": []}
    assert seen["hidden"] > 0
    assert "secretive" not in json.dumps(seen)
    assert seen["rows"] == whole["rows"] != []


def test_a_hidden_name_is_answered_as_one_that_is_not_there(home: World, run: Run) -> None:
    """Whole: what is printed, the error and the exit code."""
    like = home.made[("buy", RAW)][0]
    home.write("buy", RAW, [{**like, "row_uid": 83, "source": "their-deal"}])
    for what, hidden, absent in (
        ("source", "their-deal", "no-deal"), ("output", "req-jane", "req-joan"),
    ):  # fmt: skip
        for more in ((), ("--yes",)):
            done = [
                run("selloff", "erase", what, name, "--reason", "request 118", *more)
                for name in (hidden, absent)
            ]
            seen, other = ((one.exit_code, one.output, repr(one.exception)) for one in done)
            assert seen == other
            assert isinstance(done[0].exception, HaloclineError)


def test_orders_about_another_side_say_nothing(home: World, run: Run) -> None:
    source = home.made[("buy", RAW)][0]["source"]
    asked = ("erase", "source", source, "--reason", "licence ended", "--json")
    first, second = (told(run("cleo", *asked, "--yes"))["order"] for _ in range(2))

    seen = told(run("cleo", "erase", "list", "--json"))
    other = run("selloff", "erase", "list", "--json")

    assert [one["id"] for one in seen] == [first, second]
    assert seen[0]["names"] == [source]
    assert [one["id"] for one in told(other)] == [first, second]
    assert source not in other.stdout
    assert "licence" not in other.stdout
    for words in (asked, ("erase", "certificate", first)):
        refused = run("selloff", *words)
        assert isinstance(refused.exception, HaloclineError)
        assert source not in refused.output


def test_an_answer_is_erased_and_its_reports_are_named(home: World, run: Run) -> None:
    (home.root / "reports").mkdir()
    (home.root / "reports" / "report-1.json").write_text('{"request_id": "req-jane"}')
    asked = ("erase", "output", "req-jane", "--reason", "request 118", "--yes", "--json")

    done = told(run("omar", "erase", "approve", told(run("cleo", *asked))["order"], "--json"))

    assert done["reports"] == ["report-1.json"]
    assert not [f for f, data in everything(home.root / "lake") if word(78).encode() in data]


def test_a_source_is_erased_and_does_not_come_back(home: World, run: Run) -> None:
    source = home.made[("buy", RAW)][0]["source"]
    asked = ("erase", "source", source, "--reason", "licence ended", "--yes", "--json")
    ident = told(run("cleo", *asked))["order"]
    assert told(run("omar", "erase", "approve", ident, "--json"))["state"] == "done"

    assert told(run("cleo", "firm", "show", "--json"))["withdrawn_sources"] == [source]
    question: dict[str, Any] = {
        "principal": {
            "subject": "svc", "roles": ["service"], "clearance": LABELS["buy"].as_json()
        },
        "purpose": "curation",
        "resource": {
            "source": source, "label": LABELS["buy"].as_json(), "compartment": "buy",
            "licence": {"expression": "MIT", "choices": [["MIT"]]},
        },
        "context": {"now": 1_700_000_000},
    }  # fmt: skip
    (home.root / "question").write_text(json.dumps(question))
    words = ("policy", "decide", "ingest", "--input", str(home.root / "question"), "--json")
    assert "withdrawn" in run(None, *words).stdout
    question["resource"]["source"] = "another"
    (home.root / "question").write_text(json.dumps(question))
    assert "withdrawn" not in run(None, *words).stdout


def test_a_value_is_never_an_argument(home: World, run: Run) -> None:
    for words in (("find", "--value-from", PERSON), ("subject", PERSON, "--reason", "x")):
        done = run("cleo", "erase", *words)
        assert isinstance(done.exception, HaloclineError)
        assert PERSON not in str(done.exception)
