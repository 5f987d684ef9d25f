"""Who appears in the demo: people with tokens, and the services that run jobs for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from halocline_governance.label import Label, join
from halocline_governance.principal import Principal


@dataclass(frozen=True, slots=True)
class Cast:
    """Clearances follow from the labels in play, so that other data needs no other cast."""

    analyst: Principal
    banker: Principal
    officer: Principal
    engineer: Principal
    approvers: tuple[Principal, Principal]
    application: Principal

    def barred_from(self, label: Label) -> Principal:
        """Somebody of another side: who may not see what this label marks."""
        return self.analyst if label <= self.banker.clearance else self.banker

    @staticmethod
    def adviser(labels: Iterable[Label]) -> Principal:
        """Somebody cleared for all of these, as who serves two competing customers may be."""
        return Principal("adam.advisory", ("banker",), join(labels))

    def service(self, job: str, clearance: Label) -> Principal:
        """The service principal that runs one job up to one clearance."""
        place = ".".join([*clearance.sides, *clearance.tenants]) or "public"
        return Principal(f"svc:{job}/{place}", ("service",), clearance)


def assemble(labels: Iterable[Label], home: Label) -> Cast:
    """People around these labels: one on each side, one who may see everything for audit, and
    an application that uses a model of label `home`."""
    everything = join(labels)
    whole = Label("restricted", *(getattr(everything, axis) for axis in _AXES))
    buy = Label("confidential", sides=("buy",))
    one_issuer = everything.issuers[:1]
    sell = Label("restricted", sides=("sell",), issuers=one_issuer)
    return Cast(
        analyst=Principal("ana.buy", ("analyst",), buy),
        banker=Principal("ben.sell", ("banker",), sell),
        officer=Principal("cleo.compliance", ("compliance",), whole),
        engineer=Principal("mia.models", ("ml-engineer",), whole),
        approvers=(
            Principal("omar.risk", ("approver",), whole),
            Principal("pia.validation", ("approver",), whole),
        ),
        application=Principal("app:research", ("application",), home),
    )


_AXES = ("sides", "tenants", "ndas", "issuers")
