"""Search by bytes finds exactly what a plain filter over all events finds, in the same order."""

from __future__ import annotations

import heapq
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.audit.question import Question, instant
from halocline_governance.audit.search import Found, find, in_order, newest
from halocline_governance.errors import JournalCorrupt, Refused

Event = dict[str, Any]
# Few values that contain one another, and what could be taken for a record's own bytes.
WORDS = ("a", "b", "ab", 'a"b', '"kind":"b"', '","ts":"2026', "é\n", "\U0001f41f", "buy:a", "")
TIMES = tuple(f"2026-11-{day:02}T00:00:00.000000Z" for day in range(1, 9))
word = st.sampled_from(WORDS)
named = st.one_of(
    word, st.fixed_dictionaries({"name": word, "version": st.just(1)}), st.lists(word, max_size=2)
)
thing = st.dictionaries(
    st.sampled_from(["model", "run_id", "request_id", "dsv_id", "table", "note"]), named
)


def decided(gate: str, allow: bool, reasons: list[str], resource: Event) -> Event:
    answer = {"allow": allow, "reasons": reasons, "id": gate}
    return {"gate": gate, "input": {"resource": resource}, "answer": answer}


def ended(reasons: list[str]) -> Event:
    return {"ended": {"reasons": reasons}}


several = st.lists(word, max_size=2)
what: st.SearchStrategy[Event] = st.one_of(
    st.builds(decided, word, st.booleans(), several, thing),
    st.builds(ended, several),
    thing,
    st.fixed_dictionaries({"row": thing}),
)
event: st.SearchStrategy[Event] = st.fixed_dictionaries(
    {
        "event_id": word,
        "kind": word,
        "subject": word,
        "purpose": word,
        "ts": st.sampled_from(TIMES),
        "object": what,
    }
)
journals = st.lists(st.lists(event, max_size=12), min_size=1, max_size=3)
maybe = st.none() | word
questions = st.builds(
    Question,
    kind=maybe, subject=maybe, purpose=maybe, gate=maybe, allowed=st.none() | st.booleans(),
    reason=maybe, model=maybe, request=maybe, run=maybe, dataset=maybe, table=maybe,
    start=st.none() | st.sampled_from(TIMES), end=st.none() | st.sampled_from(TIMES), text=maybe,
)  # fmt: skip
# One part at a time as well: of many at once, few events are an answer.
sparse = st.one_of(
    questions,
    *(st.builds(Question, **{name: word}) for name in ("kind", "gate", "model", "table", "text")),
    st.builds(Question, allowed=st.booleans(), reason=word),
)


def write(directory: Path, logs: list[list[Event]], a_segment: int = 3) -> Path:
    """A journal as the format has it, without heads, which nobody asks for here."""
    for number, events in enumerate(logs):
        folder = directory / f"log-{number:04d}"
        folder.mkdir(parents=True)
        for first in range(0, max(len(events), 1), a_segment):
            frames = b""
            for seq, one in enumerate(events[first : first + a_segment], first):
                record = {"event": one, "head": 0, "prev": "0" * 64, "seq": seq}
                payload = rfc8785.dumps(record)
                frames += struct.pack("<II", len(payload), zlib.crc32(payload)) + payload
            (folder / f"{first:012d}.seg").write_bytes(frames)
    return directory


def inner(value: Any) -> list[tuple[str, Any]]:
    """The members of an object, or the elements of a list."""
    if isinstance(value, dict):
        return [(str(key), one) for key, one in cast("Event", value).items()]
    return [("", one) for one in cast("list[Any]", value)] if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for _, one in inner(value) for text in strings(one)]


def names(value: Any, members: tuple[str, ...]) -> set[str]:
    """What an object names by these members, by plain recursion."""
    told = set[str]()
    for member, one in inner(value):
        told |= names(one, members)
        if member in members:
            several = [each for _, each in inner(one)] if isinstance(one, list) else [one]
            told |= {each["name"] if isinstance(each, dict) else each for each in several}
    return told


def is_answer(asked: Question, one: Event) -> bool:
    what = one["object"]
    answer = what.get("answer", {})
    told = [*strings(answer.get("reasons", [])), *strings(what.get("ended", {}))]
    by_name = {
        "model": ("model", "parent_model"), "request": ("request", "request_id"),
        "run": ("run", "run_id"), "dataset": ("dataset", "dsv_id"), "table": ("table",),
    }  # fmt: skip
    for member, keys in by_name.items():
        wanted = getattr(asked, member)
        found = names(what, keys)
        if wanted is not None and not any(n == wanted or n.endswith(":" + wanted) for n in found):
            return False
    return (
        asked.kind in (None, one["kind"])
        and asked.subject in (None, one["subject"])
        and asked.purpose in (None, one["purpose"])
        and asked.gate in (None, what.get("gate"))
        and (asked.allowed is None or answer.get("allow") is asked.allowed)
        and (not asked.reason or any(asked.reason in text for text in told))
        and (not asked.text or any(asked.text in text for text in strings(one)))
        and (asked.start or "") <= one["ts"] < (asked.end or "~")
    )


def told(found: Found) -> tuple[str, int, Event]:
    return found.log, found.seq, found.event


@given(journals, sparse, st.integers(1, 40))
def test_it_finds_what_a_plain_filter_finds(
    tmp_path_factory: pytest.TempPathFactory, logs: list[list[Event]], asked: Question, count: int
) -> None:
    # The clock goes back and forth: no time in `logs` says anything of the next.
    directory = write(tmp_path_factory.mktemp("journal") / "journal", logs)
    answers = [
        [(f"log-{n:04d}", seq, one) for seq, one in enumerate(events) if is_answer(asked, one)]
        for n, events in enumerate(logs)
    ]
    wanted = heapq.merge(
        *(reversed(one) for one in answers),
        key=lambda one: (one[2]["ts"], one[0]),
        reverse=True,
    )
    expected = list(wanted)

    assert [told(found) for found in newest(directory, asked)] == expected
    assert [told(found) for found in newest(directory, asked, count)] == expected[:count]


def plain(number: int, **members: Any) -> Event:
    return {
        "event_id": f"e-{number}", "kind": "read", "object": {}, "purpose": "audit",
        "subject": "ana", "ts": TIMES[0], **members,
    }  # fmt: skip


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_an_unfinished_last_write_is_no_record_yet(tmp_path: Path, cut: int) -> None:
    directory = write(tmp_path / "journal", [[plain(number) for number in range(5)]])
    last = directory / "log-0000" / "000000000003.seg"
    last.write_bytes(last.read_bytes()[:-cut])

    assert [found.seq for found in newest(directory, Question(kind="read"))] == [3, 2, 1, 0]
    with pytest.raises(Refused):
        find(directory, "log-0000/4")


def test_what_cannot_be_read_is_said_and_not_passed_over(tmp_path: Path) -> None:
    directory = write(tmp_path / "journal", [[plain(number) for number in range(9)]])
    first = directory / "log-0000" / "000000000000.seg"
    whole = first.read_bytes()
    for at in (0, 4, 40):  # a length, a checksum, a payload
        first.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(JournalCorrupt, match=r"log-0000 record \d .*000000000000\.seg"):
            list(newest(directory, Question()))
    first.write_bytes(whole)
    (directory / "log-0000" / "000000000003.seg").unlink()
    with pytest.raises(JournalCorrupt, match="does not lead to the next"):
        list(newest(directory, Question()))


def test_one_record_is_found_by_its_id_its_decision_or_its_place(tmp_path: Path) -> None:
    allowed = {"gate": "read", "input": {}, "answer": {"id": "d-1", "allow": True}}
    events = [plain(number, object={"note": "e-3 d-1"}) for number in range(5)]
    events[1] = plain(1, kind="decision", object=allowed)
    directory = write(tmp_path / "journal", [events])

    assert find(directory, "e-3").seq == 3
    assert find(directory, "d-1").seq == 1
    assert find(directory, "log-0000/4").event["event_id"] == "e-4"
    for absent in ("e-9", "log-0000/5", "log-0001/0", "../log-0000/1", "log-0000", "/0", ""):
        with pytest.raises(Refused):
            find(directory, absent)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        list(newest(write(tmp_path / "journal", [[plain(0)]]), Question(subject="\udc80")))


def test_a_day_begins_and_ends_and_a_time_has_a_zone() -> None:
    assert instant("2026-11-21") == "2026-11-21T00:00:00.000000Z"
    assert instant("2026-11-21", ends=True) == "2026-11-22T00:00:00.000000Z"
    assert instant("2026-11-21T01:00:00+01:00", ends=True) == "2026-11-21T00:00:00.000000Z"
    for wrong in ("yesterday", "2026-11-21T00:00:00", "2026-02-30", "9999-12-31"):
        with pytest.raises(Refused):
            instant(wrong, ends=True)


@given(logs=journals, asked=sparse, kinds=st.lists(word, max_size=3))
def test_in_order_are_the_answers_of_these_kinds_word_for_word(
    tmp_path_factory: pytest.TempPathFactory, logs: list[list[Event]], asked: Question,
    kinds: list[str],
) -> None:  # fmt: skip
    if kinds:
        asked = replace(asked, kind=None)
    directory = write(tmp_path_factory.mktemp("journal"), logs)
    found = list(in_order(directory / "log-0000", asked, kinds))
    told = [(seq, json.loads(payload)["event"]) for seq, payload in found]
    assert told == [
        (seq, one)
        for seq, one in enumerate(logs[0])
        if is_answer(asked, one) and (not kinds or one["kind"] in kinds)
    ]
