"""Who may change the directory, and that a change is on record before it counts."""

from __future__ import annotations

import pytest

from halocline_governance.errors import (
    JournalUnavailable,
    Refused,
    Unauthenticated,
)
from halocline_governance.label import PUBLIC, Label
from halocline_governance.principal import ROLES, Principal
from halocline_governance.state import Store
from halocline_governance.state.directory import MAY_CHANGE, Directory, Entry
from tests.governance.directory_people import ANA, NARROW, OFFICER, TOP, Recording


def test_it_is_on_record_before_it_takes_effect(
    store: Store, directory: Directory, journal: Recording
) -> None:
    before = store.epoch()
    directory.put(NARROW, OFFICER, journal)
    directory.set_disabled("ana", True, OFFICER, journal)

    assert journal.epochs == [before, before + 1]
    first, second = (event.as_json() for event in journal.events)
    assert (first["kind"], first["subject"], first["purpose"]) == ("directory", "cleo", "audit")
    assert first["object"] == {"outcome": "changed", "before": None, "after": NARROW.as_json()}
    assert second["object"]["before"] == NARROW.as_json()
    assert second["object"]["after"]["disabled"] is True


def test_what_cannot_be_recorded_is_not_changed(
    store: Store, directory: Directory, journal: Recording
) -> None:
    before = store.epoch()
    journal.is_broken = True
    with pytest.raises(JournalUnavailable):
        directory.put(NARROW, OFFICER, journal)
    assert (store.epoch(), directory.list()) == (before, ())


@pytest.mark.parametrize("role", ROLES)
def test_who_may_change_it(directory: Directory, journal: Recording, role: str) -> None:
    by = Principal("bob", (role,), TOP)
    if role in MAY_CHANGE:
        directory.put(NARROW, by, journal)
        assert directory.show("ana") == NARROW
        return
    with pytest.raises(Refused, match="roles"):
        directory.put(NARROW, by, journal)
    assert directory.show("ana") is None
    assert [event.object["outcome"] for event in journal.events] == ["refused"]


WIDER = [
    Entry("cleo", ("compliance", "operator"), Label("internal")),
    Entry("cleo", ("compliance",), Label("confidential")),
    Entry("cleo", ("compliance",), Label("internal", sides=("buy",))),
]


@pytest.mark.parametrize("wider", WIDER, ids=str)
def test_nobody_widens_their_own_entry(
    directory: Directory, journal: Recording, wider: Entry
) -> None:
    own = Entry("cleo", ("compliance",), Label("internal"))
    directory.put(own, OFFICER, journal, sure=True)  # a first one takes nothing but away
    with pytest.raises(Refused, match="own entry"):
        directory.put(wider, OFFICER, journal)
    assert directory.show("cleo") == own

    directory.put(Entry("cleo", ("compliance",), PUBLIC), OFFICER, journal, sure=True)
    with pytest.raises(Refused, match="own entry"):
        directory.put(own, OFFICER, journal)
    directory.put(own, Principal("otto", ("operator",), TOP), journal)
    directory.set_disabled("cleo", True, OFFICER, journal, sure=True)
    with pytest.raises(Refused, match="own entry"):
        directory.set_disabled("cleo", False, OFFICER, journal)


def test_who_has_no_entry_can_be_disabled_and_then_has_none_again(
    directory: Directory, journal: Recording
) -> None:
    with pytest.raises(Refused, match="no such entry"):
        directory.set_disabled("ana", False, OFFICER, journal)
    assert journal.events == []

    for _ in range(2):
        directory.set_disabled("ana", True, OFFICER, journal)
        with pytest.raises(Unauthenticated):
            directory.narrow(ANA)
    (entry,) = directory.list()
    assert entry.as_json()["clearance"] is None
    assert directory.set_disabled("ana", False, OFFICER, journal) is None
    assert directory.narrow(ANA) == ANA
    assert directory.list() == ()
    assert [event.object["after"] is None for event in journal.events] == [False, False, True]

    directory.set_disabled("ana", True, OFFICER, journal)
    directory.put(NARROW, OFFICER, journal)
    directory.set_disabled("ana", False, OFFICER, journal)
    assert directory.show("ana") == NARROW, "what was said since stays"


def test_disabled_without_an_entry_nobody_enables_themselves(
    directory: Directory, journal: Recording
) -> None:
    otto = Principal("otto", ("operator",), TOP)
    directory.set_disabled("otto", True, OFFICER, journal)
    with pytest.raises(Refused, match="own entry"):
        directory.set_disabled("otto", False, otto, journal)
    with pytest.raises(Unauthenticated):
        directory.narrow(otto)


def test_nobody_shuts_themselves_or_the_last_officer_out_unawares(
    store: Store, directory: Directory, journal: Recording
) -> None:
    otto = Principal("otto", ("operator",), TOP)
    before = store.epoch()
    with pytest.raises(Refused, match=r"disable yourself.*--yes"):
        directory.set_disabled("cleo", True, OFFICER, journal)
    assert (store.epoch(), directory.list(), journal.events) == (before, (), [])

    lesser = Entry("cleo", ("analyst",), TOP)
    # Nothing that she holds gets less.
    directory.put(Entry("cleo", ("analyst", *OFFICER.roles), OFFICER.clearance), OFFICER, journal)
    with pytest.raises(Refused, match=r"nobody with an entry.*--yes"):
        directory.put(lesser, OFFICER, journal)
    directory.put(Entry("otto", ("operator",), TOP, disabled=True), OFFICER, journal)
    with pytest.raises(Refused, match="nobody with an entry"):
        directory.put(lesser, OFFICER, journal)
    directory.set_disabled("otto", False, OFFICER, journal)
    for less in (lesser, Entry("cleo", OFFICER.roles, PUBLIC)):  # he may change it, she not widen
        with pytest.raises(Refused, match=r"hold less.*--yes"):
            directory.put(less, OFFICER, journal)
    directory.put(lesser, OFFICER, journal, sure=True)
    with pytest.raises(Refused, match="disable yourself"):
        directory.set_disabled("otto", True, otto, journal)
    directory.set_disabled("otto", True, otto, journal, sure=True)
    assert directory.show("otto") == Entry("otto", ("operator",), TOP, disabled=True)
    bob = Principal("bob", ("analyst",), TOP)
    with pytest.raises(Refused, match="roles"):
        directory.set_disabled("bob", True, bob, journal)


def test_an_entry_is_removed_by_another_and_lets_nobody_in_unawares(
    store: Store, directory: Directory, journal: Recording
) -> None:
    with pytest.raises(Refused, match="no such entry"):
        directory.remove("ana", OFFICER, journal)
    directory.put(NARROW, OFFICER, journal)
    assert directory.narrow(ANA) != ANA
    before = store.epoch()
    with pytest.raises(Refused, match="roles"):
        directory.remove("ana", Principal("bob", ("analyst",), TOP), journal)
    with pytest.raises(Refused, match="roles"):
        directory.remove("ana", ANA, journal)
    assert (store.epoch(), directory.show("ana")) == (before, NARROW)
    directory.remove("ana", OFFICER, journal)
    assert store.epoch() > before
    assert directory.narrow(ANA) == ANA
    assert [event.object["outcome"] for event in journal.events] == [
        "changed", "refused", "refused", "changed",
    ]  # fmt: skip
    assert journal.events[-1].object["before"] == NARROW.as_json()
    assert journal.events[-1].object["after"] is None

    for entry in (NARROW, None):
        if entry is not None:
            directory.put(entry, OFFICER, journal)
        directory.set_disabled("ana", True, OFFICER, journal)
        with pytest.raises(Refused, match=r"as their token says.*--yes"):
            directory.remove("ana", OFFICER, journal)
        with pytest.raises(Unauthenticated):
            directory.narrow(ANA)
        directory.remove("ana", OFFICER, journal, sure=True)
        assert directory.list() == ()

    directory.put(Entry("cleo", OFFICER.roles, OFFICER.clearance), OFFICER, journal)
    with pytest.raises(Refused, match="own entry"):
        directory.remove("cleo", OFFICER, journal, sure=True)
