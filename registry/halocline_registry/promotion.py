"""The registry: packages become versions, and versions take aliases when the promote gate allows.

The ledger is the truth, MLflow follows it. Who may ask, approve or be an approver is policy and
decided at the gate from the recorded approvals, never here.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, Refused, Unverified
from halocline_governance.gates import Gate, Gates
from halocline_governance.lineage import Lineage
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.refs import ModelRef
from halocline_registry import standing
from halocline_registry.evidence import Evidence
from halocline_registry.ledger import Entry, Ledger, Step
from halocline_registry.package import Package, make_private, open_known, settle
from halocline_registry.standing import Request, Standing, Version
from halocline_registry.tracking import VERSION_TAG, Tracking

_ALIAS = re.compile(r"(?!latest\Z|v\d+\Z)[a-z][a-z0-9-]{0,31}\Z")
_KINDS = {Step.REGISTERED: Kind.REGISTER, Step.APPROVED: Kind.APPROVE}

Made = tuple[Step, Mapping[str, Any]]


class Registry:
    """One ledger with its packages and its MLflow projection.

    Args:
        ledger: of promotions.
        tracking: what follows it.
        gates: the promote gate, and the journal behind it.
        packages: where registered packages lie, a folder a compartment.
        lineage: learns of versions and of what an alias means from when on.
    """

    def __init__(
        self,
        ledger: Ledger,
        tracking: Tracking,
        gates: Gates,
        packages: Path,
        lineage: Lineage,
    ) -> None:
        self._ledger = ledger
        self._tracking = tracking
        self._gates = gates
        self._packages = packages
        self._lineage = lineage

    def register(self, package: Package, principal: Principal) -> ModelRef:
        """A version for a verified package: a new one, or the one that it has already."""
        folder = f"{package.label.compartment}/{package.name}/{package.manifest_sha256[:32]}"
        self._take_in(package, self._packages / folder)

        def register(entries: tuple[Entry, ...]) -> Made | None:
            now = standing.read(entries)
            if now.registered(package.manifest_sha256):
                return None
            number = 1 + max((v for name, v in now.versions if name == package.name), default=0)
            return Step.REGISTERED, {
                "subject": principal.subject,
                "model": package.name,
                "version": number,
                "weights_sha256": package.weights_sha256,
                "manifest_sha256": package.manifest_sha256,
                "label": package.label.as_json(),
                "run_id": package.run_id,
                "folder": folder,
            }

        self._ledger.add(register, self._record(principal))
        version = self._standing().registered(package.manifest_sha256)
        assert version is not None
        self._project_version(version)
        return version.ref

    def request(
        self, principal: Principal, model: ModelRef, alias: str, evidence: Evidence | None
    ) -> str:
        """Ask for an alias; gives the request's id. Asking again while it is open gives the same.

        Raises:
            Refused: no such version, or an alias that is none.
        """
        if not _ALIAS.match(alias):
            raise Refused("an alias is lower-case, of at most 32 letters, and not latest or v1")

        def open_request(entries: tuple[Entry, ...]) -> Made | None:
            now = standing.read(entries)
            if now.version(model.name, model.version).ref != model:
                raise Refused(f"{model.name} version {model.version} has other weights or label")
            if _open(now, principal, model, alias, evidence):
                return None
            name = f"{len(entries)} {model.name} {model.version} {alias} {principal.subject}"
            return Step.REQUESTED, {
                "subject": principal.subject,
                "request": "p" + hashlib.sha256(name.encode()).hexdigest()[:16],
                "model": model.name,
                "version": model.version,
                "alias": alias,
            }

        self._ledger.add(open_request, self._record(principal))
        found = _open(self._standing(), principal, model, alias, evidence)
        assert found is not None
        if evidence is not None:
            self._attach(principal, found.id, evidence)
        return found.id

    def approve(self, principal: Principal, request_id: str, evidence_sha256: str) -> None:
        """Record that somebody approves this request on exactly this evidence.

        Raises:
            Refused: no such request, or it was promoted already.
        """
        approval = {
            "subject": principal.subject,
            "roles": list(principal.roles),
            "evidence_sha256": evidence_sha256,
        }

        def approve(entries: tuple[Entry, ...]) -> Made:
            if standing.read(entries).request(request_id).step is Step.PROMOTED:
                raise Refused(f"request {request_id} was promoted already")
            return Step.APPROVED, {
                "subject": principal.subject,
                "request": request_id,
                "approval": approval,
            }

        self._ledger.add(approve, self._record(principal))

    def promote(self, principal: Principal, request_id: str) -> Decision:
        """Ask the gate; when it allows, the alias moves in one step of the ledger.

        Promoting what was promoted gives the decision it was promoted by.

        Raises:
            Denied: the gate said no; that is in the ledger too, and the request stays open.
            Unverified: the package on disk is not the registered one.
        """
        request = self._standing().request(request_id)
        if request.step is Step.PROMOTED and request.decision is not None:
            self.reconcile(principal, request.model.name)
            return request.decision
        self._verified(self._standing().version(request.model.name, request.model.version))
        decision = self._gates.ask(
            Gate.PROMOTE,
            principal,
            Purpose.PROMOTION,
            {
                "model": request.model.as_json(),
                "alias": request.alias,
                "requester": request.requester,
                "evidence": request.evidence,
                "approvals": [dict(approval) for approval in request.approvals],
            },
            {"evidence_sha256": request.evidence_sha256},
        )
        self._decide(principal, request, decision)
        if not decision.allow:
            raise Denied(Gate.PROMOTE.value, decision)
        self.reconcile(principal, request.model.name)
        return decision

    def resolve(self, name: str, alias: str) -> tuple[ModelRef, Path]:
        """What an alias means, and its verified package.

        Raises:
            Refused: no such model or alias; says what there is.
            Unverified: the package on disk is not the registered one.
        """
        version = self._standing().holder(name, alias)
        return version.ref, self._verified(version).path

    def reconcile(self, principal: Principal, only: str | None = None) -> list[str]:
        """Make MLflow and lineage say what the ledger says; gives what had to be repaired.

        Aliases of registered models that were moved, made or deleted around the ledger go back.
        """
        now = self._standing()
        repairs: list[str] = []
        for name in sorted({name for name, _ in now.versions if only in (None, name)}):
            numbers = {
                version.ref: self._project_version(version)
                for version in now.versions.values()
                if version.ref.name == name
            }
            wanted = {
                alias: numbers[version.ref]
                for (model, alias), version in now.aliases.items()
                if model == name
            }
            repairs += self._repair(principal, name, wanted)
        self._deploy(now)
        return repairs

    def versions(self) -> tuple[Version, ...]:
        """Every registered version, by name and number."""
        found = self._standing().versions
        return tuple(found[key] for key in sorted(found))

    def aliases(self) -> dict[tuple[str, str], ModelRef]:
        """What each (model, alias) means."""
        return {key: version.ref for key, version in sorted(self._standing().aliases.items())}

    def requests(self) -> tuple[Request, ...]:
        """Every promotion request, oldest first."""
        return tuple(self._standing().requests.values())

    def ledger_rows(self) -> list[dict[str, Any]]:
        """The ledger as plain JSON, for reports."""
        return [entry.as_json() for entry in self._ledger.entries()]

    def _attach(self, principal: Principal, request_id: str, evidence: Evidence) -> None:
        def attach(entries: tuple[Entry, ...]) -> Made | None:
            if standing.read(entries).request(request_id).evidence is not None:
                return None
            return Step.EVIDENCED, {
                "subject": principal.subject,
                "request": request_id,
                "evidence": evidence.as_json(),
                "evidence_sha256": evidence.sha256,
            }

        self._ledger.add(attach, self._record(principal))

    def _decide(self, principal: Principal, asked: Request, decision: Decision) -> None:
        def decide(entries: tuple[Entry, ...]) -> Made:
            if standing.read(entries).request(asked.id) != asked:
                raise Refused(f"request {asked.id} changed while the gate was asked; try again")
            return Step.PROMOTED if decision.allow else Step.REFUSED, {
                "subject": principal.subject,
                "request": asked.id,
                "model": asked.model.name,
                "version": asked.model.version,
                "alias": asked.alias,
                "evidence_sha256": asked.evidence_sha256,
                "decision": decision.as_json(),
            }

        self._ledger.add(decide, self._record(principal))

    def _record(self, principal: Principal) -> Any:
        """Journals a row before it is written."""

        def record(entry: Entry) -> None:
            self._journal(principal, _KINDS.get(entry.step, Kind.PROMOTE), {"row": entry.as_json()})

        return record

    def _journal(self, principal: Principal, kind: Kind, what: dict[str, Any]) -> None:
        event = AuditEvent(kind, principal.subject, Purpose.PROMOTION.value, what)
        self._gates.journal.append(event)

    def _standing(self) -> Standing:
        return standing.read(self._ledger.entries())

    def _verified(self, version: Version) -> Package:
        return open_known(self._packages / version.folder, version.manifest_sha256)

    def _take_in(self, package: Package, target: Path) -> None:
        """A copy of its own, verified where it lies: what was handed in may change later."""
        if not target.exists():
            make_private(target.parent)
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(package.path, draft, symlinks=True)
            try:
                open_known(draft, package.manifest_sha256)
            except Unverified:
                shutil.rmtree(draft)
                raise
            settle(draft, target)
        open_known(target, package.manifest_sha256)

    def _project_version(self, version: Version) -> str:
        ref = version.ref
        self._lineage.add_model(ref, version.run_id)
        tags = {
            VERSION_TAG: str(ref.version),
            "halocline.weights_sha256": ref.weights_sha256,
            "halocline.label_id": ref.label.label_id,
            "halocline.run_id": version.run_id,
        }
        source = self._packages / version.folder
        return self._tracking.ensure_version(
            ref.name, version.manifest_sha256, source, tags, version.run_id
        )

    def _repair(self, principal: Principal, name: str, wanted: dict[str, str]) -> list[str]:
        there = self._tracking.aliases(name)
        repairs: list[str] = []
        for alias in sorted({*there, *wanted}):
            should, is_now = wanted.get(alias), there.get(alias)
            if should == is_now:
                continue
            self._journal(
                principal,
                Kind.PROMOTE,
                {"projection": {"model": name, "alias": alias, "from": is_now, "to": should}},
            )
            if should is None:
                self._tracking.delete_alias(name, alias)
            else:
                self._tracking.set_alias(name, alias, should)
            repairs.append(f"{name}@{alias}: {is_now or 'none'} -> {should or 'none'}")
        return repairs

    def _deploy(self, now: Standing) -> None:
        """Tell lineage of the promotions that it has not heard of, oldest first."""
        heard: dict[str, str] = {}
        for row in self._lineage.rows("lineage.deployment"):
            heard[row["endpoint"]] = max(row["from_ts"], heard.get(row["endpoint"], ""))
        for entry in self._ledger.entries():
            if entry.step is not Step.PROMOTED:
                continue
            request = now.request(entry.body["request"])
            endpoint = f"{request.model.name}@{request.alias}"
            if entry.ts > heard.get(endpoint, ""):
                decision_id = str(entry.body["decision"]["id"])
                self._lineage.deploy(endpoint, request.model, decision_id, entry.ts)


def _open(
    now: Standing, principal: Principal, model: ModelRef, alias: str, evidence: Evidence | None
) -> Request | None:
    """The request that asking like this takes up again, if there is one."""
    wanted = evidence.sha256 if evidence else None
    for request in reversed(now.requests.values()):
        same = (request.model, request.alias, request.requester) == (
            model,
            alias,
            principal.subject,
        )
        if not same or request.step is Step.REFUSED:
            continue
        if request.evidence_sha256 not in (None, wanted):
            continue
        holder = now.aliases.get((model.name, alias))
        if request.step is not Step.PROMOTED or (holder and holder.ref == model):
            return request
    return None
