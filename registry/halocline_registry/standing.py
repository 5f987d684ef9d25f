"""Where things stand, read off the ledger's rows: versions, requests, and what each alias means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import Refused
from halocline_governance.label import parse
from halocline_governance.person import is_same_person
from halocline_governance.refs import ModelRef
from halocline_registry.ledger import Entry, Step


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version. `folder` lies below the registry's packages."""

    ref: ModelRef
    manifest_sha256: str
    run_id: str
    folder: str
    registered_by: str
    ts: str


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to move an alias, and what was added to it. `step` is the last one taken."""

    id: str
    model: ModelRef
    alias: str
    requester: str
    step: Step
    evidence: Mapping[str, Any] | None = None
    evidence_sha256: str | None = None
    approvals: tuple[Mapping[str, Any], ...] = ()
    decision: Decision | None = None


@dataclass(slots=True)
class Standing:
    """The sum of all rows."""

    versions: dict[tuple[str, int], Version] = field(default_factory=dict[tuple[str, int], Version])
    requests: dict[str, Request] = field(default_factory=dict[str, Request])
    aliases: dict[tuple[str, str], Version] = field(default_factory=dict[tuple[str, str], Version])

    def request(self, request_id: str) -> Request:
        """Raises:
        Refused: there is no such request.
        """
        if request_id not in self.requests:
            raise Refused(f"no promotion request {request_id}; open one first")
        return self.requests[request_id]

    def version(self, name: str, number: int) -> Version:
        """Raises:
        Refused: no such version; says what there is.
        """
        if (name, number) not in self.versions:
            raise Refused(f"no model {name} version {number}; there are: {self._told()}")
        return self.versions[name, number]

    def holder(self, name: str, alias: str) -> Version:
        """The version that an alias means.

        Raises:
            Refused: no such model or alias; says what there is.
        """
        if (name, alias) not in self.aliases:
            raise Refused(f"no model {name}@{alias}; there are: {self._told()}")
        return self.aliases[name, alias]

    def registered(self, manifest_sha256: str) -> Version | None:
        """The version that was registered with this manifest."""
        same = (v for v in self.versions.values() if v.manifest_sha256 == manifest_sha256)
        return next(same, None)

    def _told(self) -> str:
        names = [f"{name}@{alias}" for name, alias in sorted(self.aliases)]
        names += [f"{name} version {number}" for name, number in sorted(self.versions)]
        return ", ".join(names) or "none, train and register one first"


def read(entries: Iterable[Entry]) -> Standing:
    """Rows applied one after the other."""
    standing = Standing()
    for entry in entries:
        if entry.step is Step.REGISTERED:
            version = _version(entry)
            standing.versions[version.ref.name, version.ref.version] = version
        elif entry.step is Step.REQUESTED:
            body = entry.body
            model = standing.version(body["model"], body["version"]).ref
            request = Request(body["request"], model, body["alias"], body["subject"], entry.step)
            standing.requests[request.id] = request
        else:
            _advance(standing, entry)
    return standing


def _advance(standing: Standing, entry: Entry) -> None:
    body, request = entry.body, standing.request(entry.body["request"])
    if entry.step is Step.EVIDENCED:
        request = replace(
            request, evidence=body["evidence"], evidence_sha256=body["evidence_sha256"]
        )
    elif entry.step is Step.APPROVED:
        approval = {**body["approval"], "subject": _person(request, body["approval"]["subject"])}
        request = replace(request, approvals=(*request.approvals, approval))
    else:
        request = replace(request, decision=_decision(body["decision"]))
    standing.requests[request.id] = replace(request, step=entry.step)
    if entry.step is Step.PROMOTED:
        model = request.model
        holder = standing.version(model.name, model.version)
        standing.aliases[model.name, request.alias] = holder


def _person(request: Request, name: str) -> str:
    """Somebody by the name under which they first took part: another spelling of it is no other
    person, so the gate counts it as none."""
    known = (request.requester, *(approval["subject"] for approval in request.approvals))
    return next((one for one in known if is_same_person(one, name)), name)


def _version(entry: Entry) -> Version:
    body = entry.body
    label = parse(body["label"])
    return Version(
        ref=ModelRef(body["model"], body["version"], body["weights_sha256"], label),
        manifest_sha256=body["manifest_sha256"],
        run_id=body["run_id"],
        folder=body["folder"],
        registered_by=body["subject"],
        ts=entry.ts,
    )


def _decision(answer: Mapping[str, Any]) -> Decision:
    return Decision(
        answer["allow"],
        tuple(answer["reasons"]),
        answer["obligations"],
        answer["revision"],
        answer["id"],
    )
