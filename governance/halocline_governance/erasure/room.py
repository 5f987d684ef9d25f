"""Where rows are ordered to be erased, by one person and another, and where that is carried out.

Laws: an order is approved by another person than asked for it; every step is in the journal before
it has an effect; an order that was begun can be run again, whenever it was killed, and ends the
same; it is done when nothing is found any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halocline_governance.erasure import away, exposed, finding, officers, removal, spools
from halocline_governance.erasure.certificate import certificate
from halocline_governance.erasure.exposed import Seen
from halocline_governance.erasure.finding import Found
from halocline_governance.erasure.order import (
    Order,
    Placed,
    Standing,
    What,
    check_words,
    standings,
)
from halocline_governance.errors import Refused
from halocline_governance.gates import Sink
from halocline_governance.journal import read
from halocline_governance.lake import Lake, Location
from halocline_governance.lineage import Lineage, keyed
from halocline_governance.person import is_same_person
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind

_STAGING = "staging"
_TEXTS = (finding.RAW, finding.CURATED)
_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Site:
    """What an erasure works on.

    Args:
        lake: whose rows go.
        journal_dir: where orders are read.
        journal: where their steps are written.
        lineage: what was made from what must go; it forgets what is gone.
        withdraw: says that sources must not come back; only asked for orders on sources.
        recover: moves outputs that a dead process left in spools.
        renew: makes what is derived from a compartment's texts anew from those that are left.
        reports: a folder of reports, which may show an output.
        wait_s: how long other processes are waited for: their leases, and each their spools.
    """

    lake: Lake
    journal_dir: Path
    journal: Sink
    lineage: Lineage
    withdraw: Callable[[Sequence[str], Principal], object]
    recover: Callable[[], None] = field(default=lambda: None)
    renew: Callable[[str], object] = field(default=lambda _compartment: None)
    reports: Path | None = None
    wait_s: float = 60.0


class ErasureRoom:
    """The steps of orders, for whoever takes them.

    Args:
        site: what it works on.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def all(self) -> list[Standing]:
        """Every order, the oldest first."""
        return list(standings(self._events()).values())

    def one(self, order_id: str) -> Standing:
        """An order by its id.

        Raises:
            Refused: there is none.
        """
        found = standings(self._events()).get(order_id)
        if found is None:
            raise Refused("no such order; see halocline erase list")
        return found

    def look(self, principal: Principal, order: Order) -> dict[str, Any]:
        """What an order would remove, and what was made from it. Changes nothing.

        Raises:
            Refused: a name has no rows, or not only such as the caller is cleared for; or a table
                is away.
        """
        found = self._asked(principal, order)
        return {"rows": found.counts(), **self._exposed(order, found)}

    def request(self, principal: Principal, order: Order) -> Standing:
        """Ask for an erasure. It removes nothing.

        Raises:
            Refused: this caller may not, asks in another's name, not in plain words, or for what
                is not there.
            JournalUnavailable: nothing was asked for.
        """
        officers.check_role(principal)
        if order.requester != principal.subject:
            raise Refused("an order is asked for in one's own name")
        found = self._asked(principal, order)
        self._tell(principal, order, "request", _touches(found))
        return self.one(order.id)

    def approve(self, principal: Principal, order_id: str) -> Standing:
        """Approve another's order. It may be run from now on. Idempotent.

        Raises:
            Refused: this caller may not, or asked for it.
            JournalUnavailable: nothing was approved.
        """
        standing = self._taken(principal, order_id)
        if is_same_person(standing.order.requester, principal.subject):
            raise Refused("another person than asked for it must approve an erasure")
        if not standing.is_approved:
            self._tell(principal, standing.order, "approve")
        return self.one(order_id)

    def withdraw(self, principal: Principal, order_id: str) -> Standing:
        """End an order before anything is removed: who asked takes it back, or another officer
        refuses it. Idempotent.

        Raises:
            Refused: this caller may not, or it was begun.
            JournalUnavailable: it stands as it did.
        """
        officers.check_role(principal)
        standing = self.one(order_id)
        officers.check_cleared(principal, self._site.lake, officers.touched_by(standing))
        if standing.state in ("begun", "done"):
            raise Refused("rows of this order may be gone already: finish it")
        if standing.state != "withdrawn":
            self._tell(principal, standing.order, "withdraw")
        return self.one(order_id)

    def run(self, principal: Principal, order_id: str) -> dict[str, Any]:
        """Carry an approved order out, or finish what was begun; returns the certificate.

        Raises:
            Refused: this caller may not, the order is not approved, or rows keep coming in.
            LeaseHeld: another process writes one of the tables; run it again when it is done.
            JournalUnavailable, StorageUnavailable: run it again.
        """
        standing = self._taken(principal, order_id)
        if not standing.is_approved:
            raise Refused(
                "this order is not approved; another person must: halocline erase approve"
            )
        order = standing.order
        if standing.state != "done":
            if order.what is What.SOURCE:
                self._site.withdraw(order.names, principal)
            if order.what is What.OUTPUT:
                spools.settle(self._site.lake, order.names, self._site.recover, self._site.wait_s)
            self._remove(principal, standing)
        return certificate(self.one(order_id))

    def certificate(self, principal: Principal, order_id: str) -> dict[str, Any]:
        """What an order removed and what it could not, as far as it has come.

        Raises:
            Refused: there is no such order, or the caller is not cleared for all of it.
        """
        standing = self.one(order_id)
        officers.check_cleared(principal, self._site.lake, officers.touched_by(standing))
        return certificate(standing)

    def sees(self, principal: Principal, standing: Standing) -> bool:
        """Whether somebody is cleared for all that an order is known to touch."""
        return officers.is_cleared(principal, self._site.lake, officers.touched_by(standing))

    def _taken(self, principal: Principal, order_id: str) -> Standing:
        """An order that goes on, for an officer who may take part in it."""
        officers.check_role(principal)
        standing = self.one(order_id)
        _check_stands(standing)
        officers.check_cleared(principal, self._site.lake, officers.touched_by(standing))
        if standing.state != "done":
            self._check_found(principal, standing.order, _begun(standing))
        return standing

    def _check_found(
        self, principal: Principal, order: Order, begun: Iterable[tuple[str, str]]
    ) -> None:
        self._check_here(principal, order, begun)
        found = officers.find(principal, self._site.lake, order.what, order.names)
        officers.check_cleared(principal, self._site.lake, officers.touched(found))

    def _check_here(
        self, principal: Principal, order: Order, begun: Iterable[tuple[str, str]]
    ) -> None:
        away.check(principal, self._site.lake, self._site.journal_dir, order.what, begun)

    def _asked(self, principal: Principal, order: Order) -> Found:
        """What an order that is not recorded yet would touch. A name that lies in hidden rows is
        answered as one that nothing has."""
        check_words(order)
        lake = self._site.lake
        self._check_here(principal, order, ())
        found = officers.find(principal, lake, order.what, order.names)
        unknown, places = set(order.names) - found.names, set[str]()
        if order.what is What.OUTPUT:
            spooled = {name: spools.holding(lake, name) for name in unknown}
            unknown = {name for name, held in spooled.items() if not held}
            places = {place for held in spooled.values() for place in held}
        touched = officers.touched(found) | {(place, "") for place in places}
        officers.check_known(principal, lake, touched, found=not unknown)
        return found

    def _remove(self, principal: Principal, standing: Standing) -> None:
        site, order = self._site, standing.order
        begun = _begun(standing)
        for _ in range(_MAX_ROUNDS):
            wanted = officers.find(principal, site.lake, order.what, order.names).places | begun
            with self._leased(order, wanted) as places:
                _check_stands(self.one(order.id))  # it may have been withdrawn while we waited
                self._check_here(principal, order, wanted)
                found = officers.find(principal, site.lake, order.what, order.names)
                if not found.places <= wanted:
                    continue
                officers.check_cleared(principal, site.lake, officers.touched(found))
                if wanted or not standing.of("begin"):
                    self._tell(principal, order, "begin", self._told(order, found, begun))
                self._clear_staging(order)
                mine = {at: places[at] for at in wanted}
                _empty(mine, found, order.id)
                for at in sorted(mine):
                    site.lineage.forget(*at)
                for compartment in sorted({place for place, table in mine if table in _TEXTS}):
                    site.renew(compartment)
                left = officers.find(principal, site.lake, order.what, order.names)
                self._check_here(principal, order, wanted)
                removed = _removed(mine, order.id)
            if not left.selections:
                self._tell(
                    principal, order, "done", {"rows": removed, "reports": self._reports(order)}
                )
                return
            begun |= wanted
        raise Refused("rows of it keep coming in: end the jobs that write them, then run it again")

    def _told(self, order: Order, found: Found, begun: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """What `begin` says: rows by place, those of an earlier beginning included."""
        counted = found.counts()
        there = {(row["compartment"], row["table"]) for row in counted}
        earlier = [{"compartment": c, "table": t, "rows": 0} for c, t in sorted(set(begun) - there)]
        return {"rows": counted + earlier, **_touches(found), **self._exposed(order, found)}

    def _exposed(self, order: Order, found: Found) -> dict[str, Any]:
        """What was made from each thing, and what may have been."""
        site = self._site
        seen = Seen(site.lineage, site.journal_dir, site.lake.compartments())
        return exposed.told(seen, order, set(found.documents))

    @contextmanager
    def _leased(
        self, order: Order, wanted: Iterable[tuple[str, str]]
    ) -> Generator[dict[tuple[str, str], Location]]:
        """The tables' leases, all at once: nothing is made from a row while it goes."""
        at = set(wanted)
        if order.what is not What.OUTPUT:
            at |= {(name, finding.RAW) for name in self._staged()}
        lake, wait_s = self._site.lake, self._site.wait_s
        with ExitStack() as stack:
            yield {one: stack.enter_context(keyed.lease(lake, *one, wait_s)) for one in sorted(at)}

    def _staged(self) -> list[str]:
        """Compartments in which an ingest is going on, or was killed."""
        lake = self._site.lake
        return [c for c in lake.compartments() if any(lake.work(c, _STAGING).iterdir())]

    def _clear_staging(self, order: Order) -> None:
        """What a killed ingest left; one that runs holds the lease, so we would not be here."""
        if order.what is not What.OUTPUT:
            for compartment in self._staged():
                for entry in self._site.lake.work(compartment, _STAGING).iterdir():
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _reports(self, order: Order) -> list[str]:
        """Files of reports that show one of these outputs: they are told, not removed."""
        folder = self._site.reports
        if order.what is not What.OUTPUT or folder is None or not folder.is_dir():
            return []
        names = [name.encode() for name in order.names]
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        return [file.name for file in files if any(name in file.read_bytes() for name in names)]

    def _tell(
        self, principal: Principal, order: Order, step: str, more: Mapping[str, Any] | None = None
    ) -> None:
        what = {"order": order.as_json(), "step": step, **(more or {})}
        event = AuditEvent(Kind.ERASE, principal.subject, Purpose.AUDIT.value, what)
        self._site.journal.append(event)

    def _events(self) -> Iterable[Placed]:
        return read(self._site.journal_dir)


def _begun(standing: Standing) -> set[tuple[str, str]]:
    """Compartment and table of each from which rows may be gone already."""
    return {
        (row["compartment"], row["table"])
        for _, _, event in standing.of("begin")
        for row in event["object"]["rows"]
    }


def _check_stands(standing: Standing) -> None:
    if standing.state == "withdrawn":
        raise Refused("this order was withdrawn: ask for another")


def _empty(places: Mapping[tuple[str, str], Location], found: Found, order_id: str) -> None:
    """Raw rows last: by them the others are found."""
    order = sorted(places, key=lambda at: (finding.TABLES.index(at[1]), at))
    for at in order:
        mine = [one for one in found.selections if (one.compartment, one.table) == at]
        removal.remove(places[at], mine, order_id)
        removal.sweep(places[at])


def _removed(places: Mapping[tuple[str, str], Location], order_id: str) -> list[dict[str, Any]]:
    counted = {at: removal.num_removed(place, order_id) for at, place in places.items()}
    return [
        {"compartment": compartment, "table": table, "rows": rows}
        for (compartment, table), rows in sorted(counted.items())
    ]


def _touches(found: Found) -> dict[str, Any]:
    return {"touches": officers.as_json(officers.touched(found))}
