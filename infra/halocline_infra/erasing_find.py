"""Finding a person's rows, for an officer: only what the officer is cleared for is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Denied
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_infra.platform import Platform

_OUTPUTS, _RAW = "serving.outputs", "raw.documents"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person.

    Args:
        keys: by compartment, the pseudonymous key and how many documents are under it.
        mentions: (compartment, row id as text) of other raw documents whose text holds the value.
        outputs: ids of answers that hold it; None when the read gate opens no output.
        hidden: compartments that the officer is not cleared for, or not for all that is found.
    """

    keys: list[dict[str, Any]]
    mentions: list[tuple[str, str]]
    outputs: list[str] | None
    hidden: int

    def as_json(self) -> dict[str, Any]:
        mentions = [{"compartment": place, "row_uid": uid} for place, uid in self.mentions]
        return {
            "keys": self.keys, "mentions": mentions, "outputs": self.outputs, "hidden": self.hidden,
        }  # fmt: skip


def person(platform: Platform, officer: Principal, value: str) -> Person:
    """Look for a name or an address wherever the officer is cleared.

    Raises:
        StorageUnavailable: a bucket did not answer.
    """
    from halocline_governance.detect.pseudonym import PseudonymKey
    from halocline_governance.erasure import What, officers
    from halocline_governance.erasure.finding import find

    secret, lake = platform.secret("pseudonyms"), platform.lake
    keys, mentions, hidden = list[dict[str, Any]](), list[tuple[str, str]](), 0
    for name in lake.compartments():
        key = PseudonymKey.derive(secret, name).subject_key(value)
        if not officers.is_cleared(officer, lake, {(name, "")}):
            hidden += 1
            continue
        found = find(lake, What.SUBJECT, [key])
        if not officers.is_cleared(officer, lake, officers.touched(found)):
            hidden += 1
            continue
        own = found.documents.get(name, frozenset())
        keys.append({"compartment": name, "key": key, "documents": len(own)})
        mentioned = _mentions(platform, officer, name, value)
        mentions += [(name, str(uid)) for uid in sorted(set(mentioned) - own)]
    return Person(keys, mentions, outputs_with(platform, officer, value), hidden)


def outputs_with(platform: Platform, officer: Principal, value: str) -> list[str] | None:
    """Request ids of the outputs that this officer may read and whose texts hold the value,
    whatever its case; None when the read gate opens no output to them.
    """
    wanted, found = _plain(value), list[str]()
    columns = ["request_id", "prompt", "output"]
    try:
        plan = platform.guard.plan(officer, Purpose.AUDIT, _OUTPUTS, columns)
    except Denied:
        return None
    for batch in platform.guard.batches(plan):
        for row in batch.to_pylist():
            if wanted in _plain(row["prompt"]) or wanted in _plain(row["output"]):
                found.append(row["request_id"])
    return sorted(found)


def _mentions(
    platform: Platform, officer: Principal, compartment: str, value: str
) -> Iterator[int]:
    """Raw rows whose text holds the value. Texts are looked through as whoever removes rows sees
    them, past the guard: nothing of them is told but the id, and that only within the clearance."""
    lake, wanted = platform.lake, _plain(value)
    if not lake.exists(compartment, _RAW):
        return
    labels = lake.labels(compartment)
    seen = {id_ for id_, label in labels.items() if label <= officer.clearance}
    place, columns = lake.location(compartment, _RAW), ["row_uid", "label_id", "text"]
    with place.reached():
        for batch in place.delta().to_pyarrow_dataset().to_batches(columns=columns):
            for row in batch.to_pylist():
                if row["label_id"] in seen and wanted in _plain(row["text"]):
                    yield row["row_uid"]


def _plain(text: str) -> str:
    """Whatever its case, and however its words are spaced."""
    return " ".join(text.casefold().split())
