"""Finds records in the journal, newest first, without reading more of it than the answer needs.

Each log is read segment by segment from its end. A segment that lacks the question's bytes is
passed over whole; elsewhere only records that hold them are parsed. Newest is what was written
last: each log backwards, the logs merged by the time in their records. A clock that went back hides
nothing: a time says nothing of the records before it, so each is asked for its own.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from halocline_governance.audit.question import Question
from halocline_governance.audit.segment import Segment, backwards, forwards
from halocline_governance.errors import Refused
from halocline_governance.journal.evidence import logs

_PLACE = re.compile(r"(log-\d{4})/(\d{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """An event and where its record stands."""

    log: str
    seq: int
    event: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"log": self.log, "seq": self.seq, "event": self.event}


def newest(directory: Path, question: Question, count: int | None = None) -> Iterator[Found]:
    """The newest `count` answers, or all of them, the newest first.

    Raises:
        JournalCorrupt: the records cannot be read.
        Refused: the question is about no text.
    """
    found = [in_log(folder, question) for folder in logs(directory)]
    merged = heapq.merge(*found, key=lambda one: (one.event["ts"], one.log), reverse=True)
    return islice(merged, count)


def find(directory: Path, ident: str) -> Found:
    """The event of this id, the decision of this id, or the record at `LOG/SEQ`.

    Raises:
        Refused: there is none.
        JournalCorrupt: the records cannot be read.
    """
    if place := _PLACE.fullmatch(ident):
        return _at(directory, place[1], int(place[2]))
    for found in newest(directory, Question(text=ident)):
        answer = found.event["object"].get("answer")
        decided = answer.get("id") if isinstance(answer, dict) else None  # pyright: ignore
        if ident in (found.event["event_id"], decided):
            return found
    raise Refused(missing(ident))


def missing(ident: str) -> str:
    """That there is no such record."""
    if _PLACE.fullmatch(ident):
        return f"no record {ident} in this journal"
    return (
        f"no event or decision {ident} in this journal; `halocline audit search --text` looks for"
        " it in all that is recorded"
    )


def _at(directory: Path, log: str, seq: int) -> Found:
    for segment in backwards(directory / log):
        if segment.first > seq:
            continue
        if seq - segment.first < segment.num_records:
            return Found(log, seq, segment.event(seq - segment.first))
        break
    raise Refused(missing(f"{log}/{seq}"))


def in_log(folder: Path, question: Question) -> Iterator[Found]:
    """The answers in one log, the last first. Raises as `newest`."""
    for segment in backwards(folder):
        for number, event in _answers(segment, question):
            yield Found(folder.name, segment.first + number, event)


def in_order(
    folder: Path, question: Question, kinds: Sequence[str] = ()
) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of the answers in one log that are of these kinds, the first first.

    Args:
        kinds: none means all.

    Raises:
        JournalCorrupt, Refused: as `newest`.
    """
    asked = replace(question, kind=kinds[0]) if len(kinds) == 1 else question
    for segment in forwards(folder):
        found = [
            num for num, told in _answers(segment, asked) if not kinds or told["kind"] in kinds
        ]
        for number in reversed(found):
            yield segment.first + number, segment.payload(number)


def _answers(segment: Segment, question: Question) -> Iterator[tuple[int, dict[str, Any]]]:
    has_period = (question.start or question.end) is not None
    for number in segment.holding(question.needles()):
        if has_period and not question.is_in_period(segment.time(number)):
            continue
        event = segment.event(number)
        if question.matches(event):
            yield number, event
