"""What lies behind a reversible token, for who may have it: decided, recorded, then given.

Laws (tests/governance/test_scrub_reveal.py): no value leaves before its record is durable; a denial
looks nothing up, and says the same as a token that was never made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import Refused
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import SENSITIVITIES, Label
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.scrub.sealed import REVERSIBLE, Token
from halocline_governance.scrub.vault import Vault

VALUES = "vault.values"
OFFICER = "compliance"
_COLUMN = "value"
_MAX_REASON = 2000
_MAX_TOKENS = 1000
_NOBODYS = "public"


@dataclass(frozen=True, slots=True)
class Revealed:
    """A text in which tokens were replaced by their values.

    Args:
        text: with every token that may be revealed.
        count: how many tokens were.
        record: id of the event in the journal.
    """

    text: str = field(repr=False)
    count: int
    record: str


@dataclass(frozen=True, slots=True)
class Door:
    """The one way into a vault.

    Args:
        vault: whose tokens are revealed.
        gates: the read gate is asked about `vault.values`; their journal gets the record.
    """

    vault: Vault
    gates: Gates

    def reveal(self, principal: Principal, purpose: Purpose, token: str, reason: str) -> str:
        """The value behind one token.

        Raises:
            Refused: it is no token or gives no reason; or there is nothing behind it that this
                caller may see for this purpose, which says nothing of whether there is something.
            PolicyUnavailable, StateUnavailable, StorageUnavailable, JournalUnavailable: no value.
        """
        parsed = Token.parse(token)
        if parsed is None:
            raise Refused("a reversible token is one that says <kind:rN:letters>, whole")
        values, record = self._opened(principal, purpose, [parsed], reason)
        if parsed not in values:
            raise Refused(f"nothing that you may see is behind this token (record {record})")
        return values[parsed]

    def restore(self, principal: Principal, purpose: Purpose, text: str, reason: str) -> Revealed:
        """A text with every token in it that this caller may have revealed; others stay.

        Raises:
            Refused: no reason, or more than 1,000 different tokens.
            PolicyUnavailable, StateUnavailable, StorageUnavailable, JournalUnavailable: no value.
        """
        found = {one: Token.parse(one) for one in {m[0] for m in REVERSIBLE.finditer(text)}}
        tokens = {one: token for one, token in found.items() if token is not None}
        if len(tokens) > _MAX_TOKENS:
            raise Refused(f"at most {_MAX_TOKENS} tokens at once: cut the text")
        values, record = self._opened(principal, purpose, list(tokens.values()), reason)
        given = {one: values[token] for one, token in tokens.items() if token in values}
        count = sum(match[0] in given for match in REVERSIBLE.finditer(text))
        return Revealed(
            REVERSIBLE.sub(lambda match: given.get(match[0], match[0]), text), count, record
        )

    def _opened(
        self, principal: Principal, purpose: Purpose, tokens: Sequence[Token], reason: str
    ) -> tuple[dict[Token, str], str]:
        """Values by token, once it is on record that they are given."""
        check_reason(reason)
        places = {token: self._place(token) for token in tokens}
        wanted = sorted(set(places.values()))
        decisions = {place: self._asked(principal, purpose, place, reason) for place in wanted}
        opened = {one: _opens(decision, one) for one, decision in decisions.items()}
        if OFFICER not in principal.roles:  # a service that may read for audit reveals nothing
            opened = dict.fromkeys(opened, False)
        values: dict[Token, str] = {}
        for token, place in places.items():
            if opened[place]:
                value = self.vault.opened(token)
                if value is not None:
                    values[token] = value
        told = [
            _told(token, places[token], decisions, opened, token in values)
            for token in sorted(tokens, key=str)
        ]
        event = AuditEvent(
            Kind.VAULT,
            principal.subject,
            purpose.value,
            {"step": "reveal", "reason": reason, "tokens": told},
        )
        self.gates.journal.append(event)
        return values, event.event_id

    def _place(self, token: Token) -> str:
        """The compartment to ask about. For a number that no key has that is `public`: asking costs
        what it costs for any other token, and fails as it does."""
        key = self.vault.ring.key(token.number)
        return key.compartment if key is not None else _NOBODYS

    def _asked(
        self, principal: Principal, purpose: Purpose, compartment: str, reason: str
    ) -> Decision:
        label = sealed_label(compartment)
        resource = {
            "table": VALUES,
            "compartment": compartment,
            "columns": [_COLUMN],
            "labels": {label.label_id: label.as_json()},
        }
        return self.gates.ask(Gate.READ, principal, purpose, resource, {"reason": reason})


def sealed_label(compartment: str) -> Label:
    """What whoever opens a vault must be cleared for: a value may be of any row there."""
    side, _, tenant = compartment.partition(".")
    sides = () if side == "public" else (side,)
    return Label(SENSITIVITIES[-1], sides, (tenant,) if tenant else ())


def check_reason(reason: str) -> None:
    """
    Raises:
        Refused: not one line of printable text.
    """
    if not reason.strip() or len(reason) > _MAX_REASON or not reason.isprintable():
        raise Refused(
            f"give a reason: one line of at most {_MAX_REASON} characters, which names nobody"
        )


def _opens(decision: Decision, compartment: str) -> bool:
    """Whether the value itself may be given: a column that is to be masked is not opened."""
    told = decision.obligations
    return (
        decision.allow
        and _COLUMN in told.get("columns", ())
        and _COLUMN not in told.get("transforms", ())
        and sealed_label(compartment).label_id in told.get("label_ids", ())
    )


def _told(
    token: Token,
    place: str,
    decisions: Mapping[str, Decision],
    opened: Mapping[str, bool],
    given: bool,
) -> dict[str, Any]:
    """One token's part of the record; never its value."""
    denied = not opened[place]
    return {
        "sha256": token.sha256,
        "kind": token.kind,
        "key": token.number,
        "compartment": place,
        "decision_id": decisions[place].id,
        "outcome": "given" if given else "denied" if denied else "nothing",
    }
