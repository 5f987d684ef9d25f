"""Every error the platform raises on purpose, as one tree.

HaloclineError
├── MalformedLabel           a label that is not one: never guessed at, never repaired
├── UnknownLabel             a label id that nobody interned
├── Unauthenticated          no token, or one that does not verify
├── IssuerUnavailable        the keys to verify a token by cannot be had: the caller is denied
├── Denied                   a gate said no; carries the decision
├── PolicyUnavailable        no gate could answer: the caller is denied
├── StateUnavailable         directory, crossings or history cannot be read: the caller is denied
├── StorageUnavailable       object storage does not answer, or not to this credential
├── NoCompartment            a label of several sides or tenants, and no crossing names one
├── LeaseHeld                another process writes this table
├── TableMissing             no such table in any compartment the caller may name
├── JournalUnavailable       a record could not be made durable: the act must not happen
├── JournalCorrupt           the journal on disk is not what was written; names the place
├── Unverified               bytes whose hash or signature is not the recorded one
└── Refused                  bad input, told with what to do next

Messages say what, where and what to do next, and never hold a governed value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halocline_governance.decision import Decision


class HaloclineError(Exception):
    """Root of every deliberate error. `code` is the closed public reason a caller may see."""

    code = "malformed"


class MalformedLabel(HaloclineError):
    """A label with an unknown level, key or type, or with a duplicate."""


class UnknownLabel(HaloclineError):
    """A label id that was never interned where it was looked for."""

    code = "denied"


class Unauthenticated(HaloclineError):
    """A token that is missing, expired, or signed by somebody else."""

    code = "unauthenticated"


class IssuerUnavailable(HaloclineError):
    """The issuer's keys cannot be fetched, and those that were have expired."""

    code = "unavailable"


class Denied(HaloclineError):
    """A gate refused. The reasons stay in the decision: they are for purpose `audit` only."""

    code = "denied"

    def __init__(self, gate: str, decision: Decision) -> None:
        super().__init__(f"{gate} gate: denied (decision {decision.id})")
        self.gate = gate
        self.decision = decision


class PolicyUnavailable(HaloclineError):
    """The policy engine did not give a well-formed answer in time."""

    code = "unavailable"


class StateUnavailable(HaloclineError):
    """The directory, the crossings or the history could not be read or changed."""

    code = "unavailable"


class StorageUnavailable(HaloclineError):
    """The object storage failed or refused the compartment's credential: nothing was read."""

    code = "unavailable"


class NoCompartment(HaloclineError):
    """A label that spans sides or tenants has nowhere to lie without a crossing."""

    code = "denied"


class LeaseHeld(HaloclineError):
    """Another process holds the write lease of this table."""

    code = "unavailable"


class TableMissing(HaloclineError):
    """No compartment holds this table."""


class JournalUnavailable(HaloclineError):
    """The audit record is not durable, so the act it describes must not take place."""

    code = "unavailable"


class JournalCorrupt(HaloclineError):
    """The journal's bytes differ from what was written; `place` says where."""

    code = "unavailable"

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}")
        self.place = place


class Unverified(HaloclineError):
    """A file whose hash or signature is not the one on record."""

    code = "denied"


class Refused(HaloclineError):
    """Input that cannot be used. The message says what to do next."""
