"""What officers do with a vault: change its keys, forget a value, destroy all that a side sealed.

As with orders to erase, no gate decides: a policy that is wrong must not be able to destroy, nor to
keep officers from doing what the law asks. What cannot be undone takes two of them. Every step is
in the journal before it has an effect, and can be done again when it was interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from halocline_governance.errors import Refused
from halocline_governance.gates import Sink
from halocline_governance.person import is_same_person
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.scrub.pseudonym import Pseudonyms
from halocline_governance.scrub.reveal import OFFICER, check_reason, sealed_label
from halocline_governance.scrub.ring import check_compartment
from halocline_governance.scrub.vault import Vault


@dataclass(frozen=True, slots=True)
class Custody:
    """The steps of officers of role `compliance` who are cleared for all of a compartment.

    Args:
        vault: what they keep.
        journal: where each step is recorded first.
        pseudonyms: the keys of pseudonyms and surrogates, and of the subject keys on rows.
    """

    vault: Vault
    journal: Sink
    pseudonyms: Pseudonyms

    def holds(self, officer: Principal) -> list[dict[str, Any]]:
        """Keys that are not destroyed, and how many values lie in their compartment, as far as
        this officer is cleared.

        Raises:
            Refused: no officer.
        """
        _check_role(officer)
        return [
            {
                "key": key.number,
                "compartment": key.compartment,
                "values": self.vault.count(key.compartment),
            }
            for key in self.vault.ring.live()
            if sealed_label(key.compartment) <= officer.clearance
        ]

    def rotate(self, officer: Principal, compartment: str, reason: str) -> int:
        """Seal under a new key from now on; its number. Earlier tokens can still be revealed.

        Raises:
            Refused: this caller may not, or no reason.
            JournalUnavailable: nothing was changed.
        """
        self._check(officer, compartment, reason)
        self._tell(officer, "rotate", compartment, reason)
        return self.vault.ring.rotate(compartment).number

    def forget(
        self, officer: Principal, second: Principal, compartment: str, value: str, reason: str
    ) -> int:
        """Make every token of one value opaque for good, however the value was spelt; how many.

        Raises:
            Refused: they may not, are one person, or give no reason.
            JournalUnavailable: nothing was changed.
            StorageUnavailable: do it again.
        """
        self._check_two(officer, second, compartment, reason)
        self._tell(officer, "forget", compartment, reason, {"second": second.subject})
        return self.vault.forget(compartment, value)

    def destroy(
        self, officer: Principal, second: Principal, compartment: str, reason: str
    ) -> list[int]:
        """Destroy every key of a compartment, and what they sealed; the keys' numbers.

        Raises:
            Refused: they may not, are one person, or give no reason.
            JournalUnavailable: nothing was changed.
            StorageUnavailable: do it again.
        """
        self._check_two(officer, second, compartment, reason)
        self._tell(officer, "destroy", compartment, reason, {"second": second.subject})
        return self.vault.destroy(compartment)

    def sever(
        self, officer: Principal, second: Principal, compartment: str, reason: str
    ) -> list[int]:
        """Destroy a compartment's key of pseudonyms; the numbers of what was destroyed. What its
        tokens and subject keys stand for, nobody can find out or try any more.

        Raises:
            Refused: they may not, are one person, or give no reason.
            JournalUnavailable: nothing was changed.
        """
        self._check_two(officer, second, compartment, reason)
        self._tell(officer, "sever", compartment, reason, {"second": second.subject})
        return self.pseudonyms.ring.destroy(compartment)

    def _check_two(
        self, officer: Principal, second: Principal, compartment: str, reason: str
    ) -> None:
        self._check(officer, compartment, reason)
        self._check(second, compartment, reason)
        if is_same_person(officer.subject, second.subject):
            raise Refused("what cannot be undone takes another person's agreement")

    def _check(self, officer: Principal, compartment: str, reason: str) -> None:
        _check_role(officer)
        check_reason(reason)
        check_compartment(compartment)
        if not sealed_label(compartment) <= officer.clearance:
            raise Refused("this vault is for officers who are cleared for all of its compartment")

    def _tell(
        self,
        officer: Principal,
        step: str,
        compartment: str,
        reason: str,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        what = {"step": step, "compartment": compartment, "reason": reason, **(more or {})}
        self.journal.append(AuditEvent(Kind.VAULT, officer.subject, Purpose.AUDIT.value, what))


def _check_role(officer: Principal) -> None:
    if OFFICER not in officer.roles:
        raise Refused(f"a vault is kept by the role {OFFICER}")
