"""What somebody means by an id: a bare one is looked for among everything that has ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from halocline_governance.audit.search import Found
    from halocline_governance.lineage.questions import Questions
    from halocline_governance.lineage.sight import Sight
    from halocline_infra.platform import Platform

_ROW = re.compile(r"[a-z0-9][a-z0-9.-]*:[a-z_]+\.[a-z_]+/-?[0-9]+")
_PLACE = re.compile(r"log-[0-9]{4}/[0-9]{1,12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MODEL = re.compile(r"[^/\s]+/[0-9]+")
_KEY = re.compile(r"subject:v[0-9]+:[a-z0-9]+")
_RECORDS = ("decision", "event")
_TABLES = ("curated.documents", "raw.documents", "serving.outputs")
# Which records say what was done under a decision of a gate.
_DONE = {
    "read": ("dataset",), "train": ("train",), "promote": ("promote",),
    "serve": ("admit", "generate", "abort"), "release": ("admit", "generate", "abort"),
}  # fmt: skip
_ANSWERED = ("admit", "generate", "abort")
# A name of no form of its own may be one of these.
_NAMED = (
    "run",
    "dataset",
    "mixture",
    "deployment",
    "endpoint",
    "source",
    "licence",
    "subject",
    "output",
)
_NAMED_AT_ONCE = 5
_FORWARD = ("subject", "source", "licence")
_BACK = ("output", "deployment", "endpoint")


@dataclass(frozen=True, slots=True)
class Taken:
    """`asked` is `kind:name` as lineage takes it; `why` tells what an id was taken for."""

    asked: str
    why: str

    @property
    def kind(self) -> str:
        return self.asked.partition(":")[0]

    @property
    def direction(self) -> str:
        """Where people look who ask about such a thing."""
        return "forward" if self.kind in _FORWARD else "back" if self.kind in _BACK else "both"


def take(platform: Platform, sight: Sight, text: str) -> Taken:
    """What this names, which is there and may be seen: what may not is taken as what is not there.

    Raises:
        Refused: nothing, or several things; says what to write instead.
    """
    from halocline_governance.lineage.thing import KINDS

    if _KEY.fullmatch(text):  # whole as it stands in tables, which begins with its kind too
        text = f"subject:{text}"
    kind, colon, name = text.partition(":")
    if colon and kind in KINDS:
        if kind == "output" and not _is_there(sight.asks, text):
            _check_lost(platform, sight, name)
        return Taken(text, f"{_article(kind)} {kind}")
    if colon and kind in _RECORDS:
        return _recorded(platform, sight, name)
    if _ROW.fullmatch(text):
        return Taken(f"row:{text}", "a row")
    if _PLACE.fullmatch(text):
        return _recorded(platform, sight, text)
    if _UUID.fullmatch(text):
        return _of_uuid(platform, sight, text)
    found = [*_of_form(platform, sight, text)] or [*_of_name(sight.asks, text)]
    return _only(text, found or [*_of_model(platform, sight, text)])


def _of_form(platform: Platform, sight: Sight, text: str) -> Iterator[Taken]:
    """By what it looks like, as far as that is there."""
    if text.lstrip("-").isdecimal():
        for compartment in platform.lake.compartments():
            for table in _TABLES:
                asked = f"row:{compartment}:{table}/{text}"
                if _is_there(sight.asks, asked):
                    yield Taken(asked, f"a row of {compartment}:{table}")
                    break  # a curated row has the id of its raw row
    elif "@" in text:
        yield Taken(f"endpoint:{text}", "an endpoint")
    elif _MODEL.fullmatch(text):
        yield Taken(f"model:{text}", "a model's version")
    elif _SHA256.fullmatch(text):
        found = _of_hash(platform, text)
        yield from (taken for taken in found if sight.sees(taken.asked))


def _of_hash(platform: Platform, text: str) -> Iterator[Taken]:
    for row in platform.lineage.rows("lineage.mixture"):
        if row["mix_sha"] == text:
            yield Taken(f"mixture:{text}", "a mixture")
    for row in platform.lineage.rows("lineage.model_edge"):
        if row["weights_sha256"] == text:
            yield Taken(f"model:{row['model']}/{row['version']}", "the weights of a model")
    for row in platform.lineage.rows("lineage.dataset_version"):
        if row["fingerprint"] == text:
            yield Taken(f"dataset:{row['dsv_id']}", "the fingerprint of a dataset version")


def _of_name(asks: Questions, text: str) -> Iterator[Taken]:
    for kind in _NAMED:
        if _is_there(asks, f"{kind}:{text}"):
            yield Taken(f"{kind}:{text}", f"{_article(kind)} {kind}")


def _of_model(platform: Platform, sight: Sight, text: str) -> Iterator[Taken]:
    """Versions of a model of that name, and endpoints of it."""
    for row in platform.lineage.rows("lineage.model_edge"):
        asked = f"model:{row['model']}/{row['version']}"
        if row["model"] == text and sight.sees(asked):
            yield Taken(asked, "a model's version")
    for row in platform.lineage.rows("lineage.deployment"):
        asked = f"endpoint:{row['endpoint']}"
        if row["endpoint"].startswith(f"{text}@") and _is_there(sight.asks, asked):
            yield Taken(asked, "an endpoint")


def _is_there(asks: Questions, asked: str) -> bool:
    from halocline_governance.errors import Refused

    is_row = asked.startswith("row:")
    try:
        trace = asks.trace(asked, direction="back" if is_row else "both", limit=1)
    except Refused:
        return False
    if is_row:  # its raw row is told of too, where it is in no such table itself
        return trace.root.facts.get("versions") is not None
    # What nobody can look for is no reason to take an id for it.
    return bool(trace.edges or trace.root.facts)


def _only(text: str, found: list[Taken]) -> Taken:
    from halocline_governance.errors import Refused
    from halocline_governance.lineage.thing import KINDS

    there = {taken.asked: taken for taken in found}
    if len(there) == 1:
        return next(iter(there.values()))
    if there:
        first, more = sorted(there)[:_NAMED_AT_ONCE], len(there) - _NAMED_AT_ONCE
        rest = f" or {more} more" if more > 0 else ""
        raise Refused(f"{text} may be {' or '.join(first)}{rest}: say which")
    raise Refused(
        f"nothing here is called {text}; name it by its kind: {', '.join(KINDS.values())},"
        " decision:ID, event:ID"
    )


def _of_uuid(platform: Platform, sight: Sight, text: str) -> Taken:
    """An output, else a decision or an event."""
    if _is_there(sight.asks, f"output:{text}"):
        return Taken(f"output:{text}", "an output")
    _check_lost(platform, sight, text)
    return _recorded(platform, sight, text)


def _check_lost(platform: Platform, sight: Sight, request_id: str) -> None:
    """
    Raises:
        Refused: only the journal knows this output, whose label nobody can tell any more: said to
            who may see everything.
    """
    if not sight.is_whole:
        return
    from halocline_governance.audit.question import Question
    from halocline_governance.audit.search import newest
    from halocline_governance.errors import Refused
    from halocline_infra.commands import lineage_erased

    if erased := lineage_erased.of_output(platform, request_id):
        raise Refused(erased)
    asked = Question(request=request_id)
    if any(one.event["kind"] in _ANSWERED for one in newest(platform.environment.journal, asked)):
        raise Refused(
            f"output:{request_id} is in the journal and not in serving.outputs that can be read"
            f" here: halocline audit search --request {request_id}"
        )


def _recorded(platform: Platform, sight: Sight, ident: str) -> Taken:
    """What a record of the journal is about.

    Raises:
        Refused: there is no such record, or it is about nothing that lineage follows. One that is
            about what may not be seen is told as one that is not there.
    """
    from halocline_governance.audit.search import find, missing
    from halocline_governance.errors import Refused

    found = find(platform.environment.journal, ident)
    event = found.event
    is_decision = event["kind"] == "decision"
    what = f"the {event['object']['gate']} gate's decision" if is_decision else (
        f"a record of kind {event['kind']}")  # fmt: skip
    about = [*(_of_decision(platform, found) if is_decision else _of_event(event))]
    if not about:
        raise Refused(
            f"{ident} is {what}, which is about nothing that lineage follows: halocline audit show"
            f" {ident}"
        )
    seen = [asked for asked in about if _may_name(sight, asked)]
    if not seen:
        raise Refused(missing(ident))
    chosen = _only(ident, [Taken(asked, "") for asked in seen])
    return Taken(chosen.asked, f"{what} about {chosen.asked}")


def _may_name(sight: Sight, asked: str) -> bool:
    is_output = asked.startswith("output:")
    return sight.is_whole or (_is_there(sight.asks, asked) if is_output else sight.sees(asked))


def _of_event(event: Mapping[str, Any]) -> Iterator[str]:
    """What an event's own words name."""
    what = event["object"]
    row = what.get("row", {}).get("body", {})
    if event["kind"] == "train":
        yield f"run:{what['run_id']}"
    elif event["kind"] == "dataset" and "dsv_id" in what:
        yield f"dataset:{what['dsv_id']}"
    elif event["kind"] in ("register", "promote") and "model" in row:
        yield f"model:{row['model']}/{row['version']}"
    elif event["kind"] in ("admit", "generate", "abort") and "request_id" in what:
        yield f"output:{what['request_id']}"


def _of_decision(platform: Platform, found: Found) -> Iterator[str]:
    """What was done under a decision, by the records that name it."""
    from halocline_governance.audit.question import Question
    from halocline_governance.audit.search import newest

    what = found.event["object"]
    ident = str(what["answer"].get("id"))
    for kind in _DONE.get(what["gate"], ()):
        for other in newest(platform.environment.journal, Question(kind=kind, text=ident)):
            yield from _of_event(other.event)


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"
