"""The firm's own facts, which policies see as `data.firm`: the restricted list, who competes, which
sources were withdrawn.

They lie in one file of the home. Whoever changes them is recorded first, and a change counts from
the next question on. Knows no policy.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import rfc8785

from halocline_governance import durable, strict_json
from halocline_governance.errors import Refused
from halocline_governance.gates import Sink
from halocline_governance.policy.origin import read
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind

MAY_CHANGE = ("compliance",)
NONE: Mapping[str, Any] = {"competitors": [], "restricted_issuers": []}

_FACTS = {"competitors", "own", "restricted_issuers", "withdrawn_sources"}
_TENANT = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_ISSUER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_SOURCE = re.compile(r"[^\x00-\x1f\x7f]{1,256}\Z")


class Firm:
    """The facts in one file.

    Args:
        path: the file, of JSON.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> None:
        """Say that the firm restricts nothing, unless it has said something."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        if not self._path.exists():
            self._write(NONE)

    def facts(self, read: Callable[[Path], bytes] = read) -> dict[str, Any]:
        """What the file says, checked and in one spelling.

        Args:
            read: how it is read.

        Raises:
            Refused: it is missing, which is not the same as empty, or it is malformed.
        """
        nothing = f"a firm that restricts nothing says {json.dumps(NONE)}"
        try:
            found: Any = strict_json.loads(read(self._path))
        except ValueError as error:
            raise Refused(f"{self._path} is not JSON ({type(error).__name__}); {nothing}") from None
        except Refused as error:
            raise Refused(f"{error}; {nothing}") from None
        if not isinstance(found, dict):
            raise Refused(f"{self._path} must be an object; {nothing}")
        try:
            return facts_of(cast("dict[str, Any]", found))
        except Refused as error:
            raise Refused(f"{self._path}: {error}") from None

    def shown(self, by: Principal) -> dict[str, Any]:
        """The facts, for who may change them.

        Raises:
            Refused: this caller may not, or the file is not as it must be.
        """
        _check_may(by)
        return self.facts()

    def restrict(self, issuers: Sequence[str], by: Principal, journal: Sink) -> dict[str, Any]:
        """Put issuers on the restricted list: who is not cleared for them loses sight of what
        names them. Returns the facts after it, as all of these.

        Raises:
            Refused: this caller may not, no id, or the file is not as it must be.
            JournalUnavailable: nothing was changed.
        """
        _check_names(issuers, _ISSUER)
        return self._change("restrict", by, journal, issuers, _with_issuers)

    def lift(self, issuers: Sequence[str], by: Principal, journal: Sink) -> dict[str, Any]:
        """Take issuers off the restricted list.

        Raises:
            Refused: as `restrict`; or one of them is not on the list.
            JournalUnavailable: nothing was changed.
        """
        return self._change("lift", by, journal, issuers, _without_issuers)

    def compete(self, tenants: Sequence[str], by: Principal, journal: Sink) -> dict[str, Any]:
        """Two tenants compete from now on: who touched one does not see the other.

        Raises:
            Refused: as `restrict`; or these are not two tenants.
            JournalUnavailable: nothing was changed.
        """
        _check_names(tenants, _TENANT)
        return self._change("compete", by, journal, tenants, _with_pair)

    def part(self, tenants: Sequence[str], by: Principal, journal: Sink) -> dict[str, Any]:
        """Two tenants compete no longer.

        Raises:
            Refused: as `restrict`; or they did not compete.
            JournalUnavailable: nothing was changed.
        """
        return self._change("part", by, journal, tenants, _without_pair)

    def withdraw(self, sources: Sequence[str], by: Principal, journal: Sink) -> dict[str, Any]:
        """Sources that must not come in, or come back: the ingest gate refuses them.

        Raises:
            Refused: as `restrict`.
            JournalUnavailable: nothing was changed.
        """
        _check_names(sources, _SOURCE)
        return self._change("withdraw", by, journal, sources, _with_withdrawn)

    def readmit(self, sources: Sequence[str], by: Principal, journal: Sink) -> dict[str, Any]:
        """These sources may come in again.

        Raises:
            Refused: as `restrict`; or one of them was not withdrawn.
            JournalUnavailable: nothing was changed.
        """
        return self._change("readmit", by, journal, sources, _without_withdrawn)

    def _change(
        self,
        step: str,
        by: Principal,
        journal: Sink,
        names: Sequence[str],
        changed: Callable[[dict[str, Any], list[str]], dict[str, Any]],
    ) -> dict[str, Any]:
        _check_may(by)
        named = sorted(set(names))
        with self._locked():
            before = self.facts()
            after = facts_of(changed(before, named))
            if after != before:
                what = {
                    "step": step,
                    "names": named,
                    "before": _hash(before),
                    "after": _hash(after),
                }
                journal.append(AuditEvent(Kind.FIRM, by.subject, Purpose.AUDIT.value, what))
                self._write(after)
        return after

    @contextmanager
    def _locked(self) -> Generator[None]:
        there = self._path.resolve()
        with there.with_name(f".{there.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, facts: Mapping[str, Any]) -> None:
        # Where homes share one file by a link, the file changes and the link stays.
        durable.write(self._path.resolve(), (json.dumps(facts, sort_keys=True) + "\n").encode())


def facts_of(firm: Mapping[str, Any]) -> dict[str, Any]:
    """The firm's own facts in one spelling.

    Raises:
        Refused: malformed.
    """
    listed = cast("object", firm.get("restricted_issuers"))
    if not isinstance(listed, list | tuple):
        raise Refused("the firm's data needs restricted_issuers, a list of ids; it may be empty")
    ids = list(cast("list[object]", listed))
    if not all(isinstance(one, str) and _ISSUER.match(one) for one in ids):
        raise Refused(f"restricted_issuers: an id must match {_ISSUER.pattern[:-2]}")
    if unknown := set(firm) - _FACTS:
        raise Refused(
            f"the firm's data: no fact {', '.join(sorted(map(str, unknown)))}; there are: "
            + ", ".join(sorted(_FACTS))
            + " (`own` is for policies of your own)"
        )
    whole = {**firm, "restricted_issuers": sorted(set(cast("list[str]", ids)))}
    if "competitors" in firm:
        whole["competitors"] = _pairs(firm["competitors"])
    if "withdrawn_sources" in firm:
        whole["withdrawn_sources"] = _sources(firm["withdrawn_sources"])
    try:
        rfc8785.dumps(whole)
    except rfc8785.CanonicalizationError as error:
        raise Refused(f"the firm's data is not JSON ({type(error).__name__})") from None
    return whole


def _sources(listed: object) -> list[str]:
    """Names of sources, each once."""
    names = list(cast("list[object]", listed)) if isinstance(listed, list | tuple) else [None]
    if not all(isinstance(name, str) and _SOURCE.match(name) for name in names):
        raise Refused("withdrawn_sources: a list of names of sources, each of one line")
    return sorted(set(cast("list[str]", names)))


def _pairs(listed: object) -> list[list[str]]:
    """Who competes with whom, each pair once."""
    wrong = Refused('competitors: a list of pairs of two tenants, such as [["acme", "globex"]]')
    if not isinstance(listed, list | tuple):
        raise wrong
    pairs: set[tuple[str, ...]] = set()
    for pair in cast("list[object]", listed):
        if not isinstance(pair, list | tuple):
            raise wrong
        names = list(cast("list[object]", pair))
        if len(names) != 2 or not all(isinstance(n, str) and _TENANT.match(n) for n in names):
            raise wrong
        if names[0] == names[1]:
            raise wrong
        pairs.add(tuple(sorted(cast("list[str]", names))))
    return [list(pair) for pair in sorted(pairs)]


def _check_may(by: Principal) -> None:
    if not set(by.roles) & set(MAY_CHANGE):
        raise Refused(f"the firm's facts are for the role {' or '.join(MAY_CHANGE)}")


def _check_names(names: Sequence[str], pattern: re.Pattern[str]) -> None:
    for name in names:
        if not pattern.match(name):
            raise Refused(f"a name must match {pattern.pattern[:-2]}")


def _with_issuers(facts: dict[str, Any], issuers: list[str]) -> dict[str, Any]:
    return {**facts, "restricted_issuers": [*facts["restricted_issuers"], *issuers]}


def _without_issuers(facts: dict[str, Any], issuers: list[str]) -> dict[str, Any]:
    listed: list[str] = facts["restricted_issuers"]
    if absent := [issuer for issuer in issuers if issuer not in listed]:
        raise Refused(f"not on the restricted list: {', '.join(absent)}; see halocline firm show")
    return {**facts, "restricted_issuers": [one for one in listed if one not in issuers]}


def _with_pair(facts: dict[str, Any], tenants: list[str]) -> dict[str, Any]:
    return {**facts, "competitors": [*facts.get("competitors", []), tenants]}


def _without_pair(facts: dict[str, Any], tenants: list[str]) -> dict[str, Any]:
    pairs: list[list[str]] = facts.get("competitors", [])
    if tenants not in pairs:
        raise Refused(f"these do not compete: {', '.join(tenants)}; see halocline firm show")
    return {**facts, "competitors": [pair for pair in pairs if pair != tenants]}


def _with_withdrawn(facts: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    return {**facts, "withdrawn_sources": [*facts.get("withdrawn_sources", []), *sources]}


def _without_withdrawn(facts: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    listed: list[str] = facts.get("withdrawn_sources", [])
    if [source for source in sources if source not in listed]:
        raise Refused("not all of these were withdrawn; see halocline firm show")
    return {**facts, "withdrawn_sources": [one for one in listed if one not in sources]}


def _hash(facts: Mapping[str, Any]) -> str:
    return "sha256:" + hashlib.sha256(rfc8785.dumps(dict(facts))).hexdigest()
