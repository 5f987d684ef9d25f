"""The report's JSON file: what people are shown, and beside it what proves it.

    format    which form this is
    content   everything that HTML and PDF show, the heads among it
    attest    the place of the record that has the content's hash
    seal      the head that this and the fingerprints stand under, and that it continues its log
    records   the records that the content cites, with proofs against the heads
    bound     the records of the building itself, with proofs against the seal

There is one way to write a document, so that no byte of it can be another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from halocline_governance.errors import Refused, Unverified
from halocline_governance.report.period.duty import Duty
from halocline_governance.report.period.question import Question
from halocline_governance.report.register import Period

FORMAT = "halocline-period-report@3"
_FORMS = "halocline-period-report@"
_MEMBERS = {"format", "content", "attest", "seal", "records", "bound"}


@dataclass(frozen=True, slots=True)
class Document:
    """One report. Its parts are as the file has them: nothing in them is verified yet."""

    content: Mapping[str, Any]
    attest: Mapping[str, Any]
    seal: Mapping[str, Any]
    records: list[Mapping[str, Any]]
    bound: list[Mapping[str, Any]]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From the file's bytes.

        Raises:
            Refused: no such report.
            Unverified: not written in the one way there is.
        """
        try:
            told = json.loads(data)
            form = str(told["format"])
            if form != FORMAT and form.startswith(_FORMS):
                raise Refused(
                    f"this report has another form ({form[:60]}, not {FORMAT}): verify it with the"
                    " release that made it"
                )
            found = cls(**{name: told[name] for name in _MEMBERS - {"format"}})
            is_one = told["format"] == FORMAT and set(told) == _MEMBERS
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Refused("this is no period report") from error
        if not is_one:
            raise Refused(f"this is no report of the form {FORMAT}")
        if found.dumps().encode("utf-8", "surrogatepass") != data:
            raise Unverified("the file is not written as a report is: something in it was changed")
        return found

    def dumps(self) -> str:
        """The file's text."""
        told = {name: getattr(self, name) for name in _MEMBERS - {"format"}}
        return (
            json.dumps({"format": FORMAT, **told}, sort_keys=True, indent=1, ensure_ascii=False)
            + "\n"
        )

    @property
    def question(self) -> Question:
        """What was asked.

        Raises:
            Refused: it says no such thing.
        """
        try:
            scope = self.content["scope"]
            return Question(Period(scope["from"], scope["to"]), Duty(scope["duty"]))
        except (ValueError, TypeError, KeyError) as error:
            raise Refused("this report does not say what it is about") from error

    @property
    def notes(self) -> dict[str, str]:
        """The signed head of each log that the content is about."""
        return {one["log"]: one["note"] for one in self.content["journal"]["heads"]}

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table, by `compartment:table`."""
        return {name: one["version"] for name, one in self._tables().items()}

    @property
    def places(self) -> dict[str, tuple[str, int]]:
        """Where the fingerprint of each table is recorded, by `compartment:table`."""
        return {name: _place(one) for name, one in self._tables().items()}

    @property
    def residue(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Where it is recorded what was found in texts, by dataset version (empty for all of a
        table) and compartment."""
        return {
            (one["residue"]["dsv_id"], one["compartment"]): _place(one)
            for one in self.content["figures"]
            if "residue" in one
        }

    @property
    def detectors(self) -> set[str]:
        """The detectors that looked at texts, as name@version."""
        return {one["residue"]["detector"] for one in self.content["figures"] if "residue" in one}

    def _tables(self) -> dict[str, Mapping[str, Any]]:
        figures = self.content["figures"]
        return {
            f"{one['compartment']}:{one['table']}": one for one in figures if "residue" not in one
        }


def _place(figure: Mapping[str, Any]) -> tuple[str, int]:
    proof = figure["proofs"][0]
    return proof["log"], proof["seq"]


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a report's content, as its record in the journal has it."""
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(plain.encode("utf-8", "surrogatepass"))


def sha256(data: bytes) -> str:
    """In lower-case hex."""
    return hashlib.sha256(data).hexdigest()
