"""Records that a forger writes behind the newest head, well framed and linked as far as can be.

Neither verifier may raise or hang on them, both say the same, and what is no record is named.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import Signer
from halocline_governance.journal.recovery import recover
from tests.governance.journal_world import SIGNER, Judged, framed, healthy, judged, read_event

LOGS = healthy(closed=False)  # of processes that were killed: what they wrote last is adopted
LOG = LOGS[2]
LAST = LOG.payloads[-1]
NEXT = len(LOG.payloads)
PLACE = f"{LOG.name} record {NEXT}"


def fitting(event: Any = None) -> dict[str, Any]:
    """The next record, that nothing is wrong with."""
    return LOG.record(read_event(99, "é") if event is None else event)


def without(member: str) -> bytes:
    return rfc8785.dumps({key: val for key, val in fitting().items() if key != member})


def having(**members: Any) -> bytes:
    return json.dumps(
        {**fitting(), **members}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode("utf-8", "surrogatepass")


def swapped(old: bytes, new: bytes) -> bytes:
    good = rfc8785.dumps(fitting())
    assert good.count(old) == 1
    return good.replace(old, new)


NO_RECORDS = {
    "empty object": b"{}",
    "not json": b"record",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1" * 100_000,
    "a deep list": b"[" * 200_000,
    "a deep object": b'{"event":' * 200_000,
    "a deep event": having(event={"x": 0}).replace(b"0}", b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "not utf-8": swapped("é".encode(), b"\xe9"),
    "a lone surrogate": having(event={"x": "\ud800"}),
    "an escaped surrogate": swapped("é".encode(), rb"\ud800"),
    "a byte order mark": b"\xef\xbb\xbf" + rfc8785.dumps(fitting()),
    "utf-16": json.dumps(fitting()).encode("utf-16"),
    "a space": rfc8785.dumps(fitting()).replace(b":", b": ", 1),
    "a line feed": rfc8785.dumps(fitting()) + b"\n",
    "an escape that is none": swapped("é".encode(), rb"\u00e9"),
    "another order": json.dumps(dict(reversed(fitting().items()))).encode(),
    "two records": rfc8785.dumps(fitting()) * 2,
    "a second event": swapped(b'"event":', b'"event":{},"event":'),
    "a second seq": swapped(b'"seq":', b'"seq":1,"seq":'),
    "a second head": swapped(b'"head":', b'"head":1,"head":'),
    "a fifth member": having(zero=0),
    "a fifth member behind the event": having(event2={}),
    "a fifth member of events": having(f={"g": [{}]}),
    **{f"no {member}": without(member) for member in ("event", "head", "prev", "seq")},
    "an event that is null": having(event=None),
    "an event that is a list": having(event=[]),
    "an event that is text": having(event="event"),
    "seq of the one before": having(seq=NEXT - 1),
    "seq of the one behind": having(seq=NEXT + 1),
    "seq true": having(seq=True),
    "seq as text": having(seq=str(NEXT)),
    "seq with a fraction": having(seq=NEXT + 0.5),
    "seq as float": swapped(b'"seq":%d' % NEXT, b'"seq":%d.0' % NEXT),
    "seq with an exponent": swapped(b'"seq":%d' % NEXT, b'"seq":%de0' % NEXT),
    "seq null": having(seq=None),
    "seq endless": swapped(b'"seq":%d' % NEXT, b'"seq":' + b"9" * 5000),
    "seq infinite": swapped(b'"seq":%d' % NEXT, b'"seq":Infinity'),
    "prev of another": having(prev="0" * 64),
    "prev in capitals": having(prev=fitting()["prev"].upper()),
    "prev null": having(prev=None),
    "head behind": having(head=LOG.sealed - 2),
    "head ahead": having(head=NEXT + 1),
    "head negative": having(head=-1),
    "head as text": having(head=str(LOG.sealed)),
    "head null": having(head=None),
    "head true": having(head=True),
    "head as float": swapped(b'"head":%d' % LOG.sealed, b'"head":%d.0' % LOG.sealed),
}


NOT_OURS: list[Any] = [
    {"log": "log-0001", "siblings": []},
    {"log": None, "siblings": []},
    {"log": LOG.name},
    {"log": LOG.name, "siblings": None},
    {"log": LOG.name, "siblings": {}},
    {"log": LOG.name, "siblings": [None]},
    {"log": LOG.name, "siblings": [{}]},
    {"siblings": []},
    [],
    None,
]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("forged") / "journal"
    for log in LOGS:
        log.put(directory)
    return directory


@pytest.fixture(scope="module")
def told(journal: Path) -> Callable[..., Judged]:
    """What the verifiers say of the journal with these payloads behind its newest head."""
    path = journal / LOG.name / f"{LOG.starts[-1]:012d}.seg"
    good = path.read_bytes()

    def judge(*payloads: bytes) -> Judged:
        path.write_bytes(good + b"".join(framed(payload) for payload in payloads))
        try:
            return judged(journal, journal.parent / "trust")
        finally:
            path.write_bytes(good)

    return judge


def test_a_record_that_fits_is_no_fault(told: Callable[..., Judged]) -> None:
    assert told(rfc8785.dumps(fitting())).ok
    assert told().ok


@pytest.mark.parametrize("name", NO_RECORDS)
def test_what_is_no_record_is_named(told: Callable[..., Judged], name: str) -> None:
    found = told(NO_RECORDS[name])

    assert not found.ok
    assert found.names(PLACE), found


def test_a_writer_goes_on_behind_none_of_them(journal: Path, tmp_path: Path) -> None:
    """Else it would sign them."""

    def put(name: str, payload: bytes) -> Path:
        shutil.copytree(journal / LOG.name, folder := tmp_path / name / LOG.name)
        with (folder / f"{LOG.starts[-1]:012d}.seg").open("ab") as file:
            file.write(framed(payload))
        return folder

    for name, payload in NO_RECORDS.items():
        folder = put(name, payload)
        before = (folder / f"{LOG.starts[-1]:012d}.seg").read_bytes()
        with pytest.raises(JournalCorrupt):
            recover(folder, SIGNER, None)
        assert (folder / f"{LOG.starts[-1]:012d}.seg").read_bytes() == before, name
    found = recover(put("one that fits", rfc8785.dumps(fitting())), SIGNER, None)
    found.kept.close()
    assert found.tree.size == NEXT + 1


@pytest.mark.parametrize("kind", ["journal.opened", "journal.siblings", "journal.closed"])
@pytest.mark.parametrize(
    ("log", "size", "root"),
    [
        ("log-0001", 1, "0" * 64),
        ("log-0001", 99, "0" * 64),
        ("log-0099", 1, "0" * 64),
        ("../log-0001", 1, "0" * 64),
        ("log-0001", -1, "0" * 64),
        ("log-0001", 1.5, "0" * 64),
        ("log-0001", "1", "0" * 64),
        ("log-0001", None, "0" * 64),
        ("log-0001", 1, None),
        ("log-0001", 1, 0),
        (None, 1, "0" * 64),
        ([], 1, "0" * 64),
    ],
)
def test_a_sibling_nobody_saw_is_named(
    told: Callable[..., Judged], kind: str, log: Any, size: Any, root: Any
) -> None:
    seen = {"log": LOG.name, "siblings": [{"log": log, "size": size, "root": root}]}
    event = {**read_event(1), "kind": kind, "object": seen}

    found = told(rfc8785.dumps(fitting(event)))
    assert not found.ok
    assert found.names(PLACE), found


@pytest.mark.parametrize("kind", ["journal.opened", "journal.siblings", "journal.closed"])
@pytest.mark.parametrize(
    "seen",
    NOT_OURS,
)
def test_a_record_of_another_log_is_named(
    told: Callable[..., Judged], kind: str, seen: Any
) -> None:
    found = told(rfc8785.dumps(fitting({**read_event(1), "kind": kind, "object": seen})))

    assert not found.ok
    assert found.names(PLACE), found


@pytest.mark.parametrize("key", [None, 1, "", "halocline", "a+b+c", [], "halocline+00000000+AQ=="])
def test_a_key_record_that_proves_nothing_trusts_nobody(
    told: Callable[..., Judged], key: Any
) -> None:
    seen = {"key": key, "by": key, "signature": key}
    told(rfc8785.dumps(fitting({**read_event(1), "kind": "journal.key", "object": seen})))


ENDORSED = Signer(Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
CHANGE = ENDORSED.endorse(SIGNER.public).as_json()  # by a key that nobody here trusts


def changing(change: Any) -> bytes:
    return rfc8785.dumps(fitting({**read_event(1), "kind": "journal.key", "object": change}))


@pytest.mark.parametrize(
    ("member", "text"),
    [
        *(
            ("by", by)
            for by in ("", "x", "x+", "+00000000", "x+0000000", "x+0000000A", "a b+00000000")
        ),
        *(
            ("by", by)
            for by in ("a+b+00000000", "x+00000000\n", "\x01+00000000", "\u2003+00000000")
        ),
        *(("signature", text) for text in ("", "AAAA", "!", CHANGE["signature"][:-2])),
        ("signature", CHANGE["signature"] + "\n"),
        ("key", CHANGE["key"] + " "),
    ],
)
def test_a_key_record_has_its_form_whoever_it_is_by(
    told: Callable[..., Judged], member: str, text: str
) -> None:
    assert told(changing(CHANGE)).ok
    found = told(changing({**CHANGE, member: text}))

    assert not found.ok
    assert found.names(PLACE), found


@pytest.mark.parametrize("name", ['a"b', "a\\b", "ä", "a/b"])
def test_a_key_may_have_any_name(told: Callable[..., Judged], name: str) -> None:
    key = Signer(ENDORSED.key, name)

    assert told(changing(SIGNER.endorse(key.public).as_json())).ok
    assert told(changing(key.endorse(SIGNER.public).as_json())).ok


SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=9)
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["log", "size", "root", "siblings", "x", "é"]), inner)
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(["journal.opened", "journal.siblings", "journal.closed", "journal.key"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_both_say_the_same_of_any_event(told: Callable[..., Judged], data: st.DataObject) -> None:
    event = read_event(1)
    for member in data.draw(st.lists(st.sampled_from(sorted(event)), max_size=2)):
        event[member] = data.draw(VALUES)
    event["kind"] = data.draw(KINDS | VALUES)
    event["object"] = data.draw(
        VALUES | st.fixed_dictionaries({"log": st.just(LOG.name), "siblings": VALUES})
    )
    assert told(rfc8785.dumps(fitting(event))).ok in (True, False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=60), st.integers(0, 400), st.integers(0, 400))
def test_both_say_the_same_of_any_payload(
    told: Callable[..., Judged], new: bytes, start: int, length: int
) -> None:
    good = rfc8785.dumps(fitting())
    start = min(start, len(good))
    payload = good[:start] + new + good[start + length :]
    if payload != good:
        assert told(payload, LAST).ok is False
