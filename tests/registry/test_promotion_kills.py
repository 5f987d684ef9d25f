"""The registry: whatever dies in between, one more call makes it whole."""

from __future__ import annotations

from typing import Any

import pytest

from halocline_registry.ledger import Ledger
from halocline_registry.promotion import Registry
from tests.registry.conftest import ALIAS, MIA, Place

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


class Killed(BaseException):
    """Stands for the process going away at this very point."""


class Dying:
    """A tracking or lineage that dies when it is told something."""

    def __init__(self, part: object, method: str) -> None:
        self._part, self._method = part, method

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            raise Killed
        return getattr(self._part, name)


def dying(place: Place, method: str) -> Registry:
    """The registry again, of a process that dies when it calls this method."""
    tracking: Any = Dying(place.tracking, method)
    lineage: Any = Dying(place.lineage, method)
    ledger = Ledger(place.home / "ledger.sqlite")
    return Registry(ledger, tracking, place.gates, place.home / "models", lineage)


@pytest.mark.parametrize("method", ["set_alias", "deploy"])
def test_killed_between_ledger_and_projection(place: Place, method: str) -> None:
    model, request = place.approved()
    with pytest.raises(Killed):
        dying(place, method).promote(MIA, request)
    assert place.registry.resolve("house", ALIAS)[0] == model
    place.registry.reconcile(MIA)

    assert place.tracking.aliases("house") == {ALIAS: "1"}
    (deployment,) = place.lineage.rows("lineage.deployment")
    assert deployment["version"] == 1
    assert place.steps().count("promoted") == 1
    assert place.registry.promote(MIA, request).allow


@pytest.mark.parametrize("method", ["add_model", "ensure_version"])
def test_killed_while_registering(place: Place, method: str) -> None:
    with pytest.raises(Killed):
        dying(place, method).register(place.package(), MIA)
    model = place.registry.register(place.package(), MIA)

    assert model.version == 1
    assert place.steps() == ["registered"]
    assert len(place.client.search_model_versions("name = 'house'")) == 1
    assert [row["version"] for row in place.lineage.rows("lineage.model_edge")] == [1]
