"""The directory: it only ever narrows, takes effect on the next call, and is on record before."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from halocline_governance.errors import (
    JournalUnavailable,
    Refused,
    StateUnavailable,
    Unauthenticated,
)
from halocline_governance.label import AXES, PUBLIC, SENSITIVITIES, Label, parse_compact
from halocline_governance.principal import ROLES, Principal, is_subject
from halocline_governance.records import AuditEvent
from halocline_governance.state import Store
from halocline_governance.state import directory as directories
from halocline_governance.state.directory import MAY_CHANGE, Directory, Entry

TOP = parse_compact("restricted sides=buy,sell tenants=acme ndas=n1 issuers=initech")
OFFICER = Principal("cleo", ("compliance",), TOP)
ANA = Principal("ana", ("analyst", "banker"), parse_compact("confidential sides=buy,sell"), "t1")
NARROW = Entry("ana", ("analyst", "operator"), parse_compact("internal sides=buy tenants=acme"))


@dataclass
class Recording:
    """Where a change is recorded; `at` says what the epoch was when it was."""

    store: Store
    events: list[AuditEvent] = field(default_factory=list[AuditEvent])
    epochs: list[int] = field(default_factory=list[int])
    is_broken: bool = False

    def append(self, event: AuditEvent) -> None:
        if self.is_broken:
            raise JournalUnavailable("disk full")
        self.events.append(event)
        self.epochs.append(self.store.epoch())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/state/governance.sqlite")
    yield store
    store.close()


@pytest.fixture
def directory(store: Store) -> Directory:
    return Directory(store)


@pytest.fixture
def journal(store: Store) -> Recording:
    return Recording(store)


def names(*known: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(known)).map(lambda found: tuple(sorted(found)))


LABELS = st.builds(
    Label,
    st.sampled_from(SENSITIVITIES),
    *(names(*(f"{axis}-{letter}" for letter in "abc")) for axis in AXES),
)


@given(names(*ROLES), LABELS, names(*ROLES), LABELS, st.booleans())
def test_it_only_ever_narrows(
    held: tuple[str, ...], cleared: Label, roles: tuple[str, ...], clearance: Label, disabled: bool
) -> None:
    principal = Principal("ana", held, cleared, "t1")
    entry = Entry("ana", roles, clearance, disabled)
    if disabled:
        with pytest.raises(Unauthenticated):
            entry.narrow(principal)
        return
    left = entry.narrow(principal)

    assert set(left.roles) == set(held) & set(roles)
    assert left.clearance <= cleared
    assert left.clearance <= clearance
    # And it takes no more than it must: whatever both allow is left.
    for label in (cleared, clearance, PUBLIC, *_below(cleared)):
        assert (label <= left.clearance) == (label <= cleared and label <= clearance)
    assert (left.subject, left.token_id) == ("ana", "t1")
    assert entry.narrow(left) == left


def _below(label: Label) -> Iterator[Label]:
    for level in SENSITIVITIES:
        yield Label(level)
    for axis in AXES:
        for name in getattr(label, axis):
            yield Label("public", **{axis: (name,)})


def test_without_an_entry_the_token_stands_unless_the_directory_is_strict(store: Store) -> None:
    assert Directory(store).narrow(ANA) == ANA
    with pytest.raises(Unauthenticated, match="no entry"):
        Directory(store, strict=True).narrow(ANA)


def test_a_change_takes_effect_on_the_next_call(
    store: Store, directory: Directory, journal: Recording
) -> None:
    elsewhere = Directory(store)  # another process's, as good as
    assert elsewhere.narrow(ANA) == ANA

    directory.put(NARROW, OFFICER, journal)
    left = elsewhere.narrow(ANA)
    assert (left.roles, left.clearance) == (("analyst",), parse_compact("internal sides=buy"))

    directory.set_disabled("ana", True, OFFICER, journal)
    with pytest.raises(Unauthenticated, match="disabled"):
        elsewhere.narrow(ANA)

    directory.set_disabled("ana", False, OFFICER, journal)
    assert elsewhere.narrow(ANA) == left
    assert elsewhere.show("ana") == NARROW
    assert elsewhere.list() == (NARROW,)
    assert elsewhere.show("bob") is None


def test_a_lookup_costs_one_read_of_the_epoch(
    store: Store, directory: Directory, journal: Recording
) -> None:
    directory.put(NARROW, OFFICER, journal)
    directory.narrow(ANA)
    with store.read() as connection:
        engine = connection.engine
    statements: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    for _ in range(100):
        directory.narrow(ANA)
        directory.narrow(Principal("bob", (), PUBLIC))
    assert len([text for text in statements if "FROM directory" in text]) == 1  # bob's first


def test_what_is_remembered_is_bounded_and_changes_no_answer(
    store: Store, journal: Recording, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "_MAX_REMEMBERED", 8)
    directory, subjects = Directory(store), [f"s{number}" for number in range(30)]
    for subject in subjects[::3]:
        directory.put(replace(NARROW, subject=subject), OFFICER, journal)
    narrow = NARROW.narrow(ANA)
    for _ in range(300):
        number = rng.randrange(30)
        asked = replace(ANA, subject=subjects[number])
        expected = replace(narrow if number % 3 == 0 else ANA, subject=subjects[number])
        assert directory.narrow(asked) == expected
        assert len(directory._known[1]) <= 8  # pyright: ignore[reportPrivateUsage]


def test_no_thread_sees_an_old_entry_after_a_change_has_ended(
    directory: Directory, journal: Recording
) -> None:
    levels = ("public", "internal", "confidential")
    now_is, wrong, done = [0], list[str](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            at_least = now_is[0]
            seen = levels.index(directory.narrow(ANA).clearance.sensitivity)
            if seen < at_least:
                wrong.append(f"{seen} after {at_least}")

    threads = [threading.Thread(target=watch) for _ in range(4)]
    directory.put(Entry("ana", (), Label(levels[0])), OFFICER, journal)
    for thread in threads:
        thread.start()
    for step, level in enumerate(levels):
        for number in range(10):
            directory.put(Entry("bob", (), Label(level), owner=f"p{number}"), OFFICER, journal)
        directory.put(Entry("ana", (), Label(level)), OFFICER, journal)
        now_is[0] = step
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []


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


def test_an_entry_without_a_clearance_only_disables() -> None:
    for roles, disabled, owner in ((("analyst",), True, None), ((), False, None), ((), True, "o")):
        with pytest.raises(Refused):
            Entry("ana", roles, None, disabled, owner)
    for other in (NARROW, Entry("ana", (), Label("public"), disabled=True)):
        assert Entry("ana", (), None, disabled=True) <= other
        assert (other <= Entry("ana", (), None, disabled=True)) == other.disabled


def test_a_new_entry_enables_nobody(directory: Directory, journal: Recording) -> None:
    directory.put(NARROW, OFFICER, journal)
    directory.set_disabled("ana", True, OFFICER, journal)
    assert directory.put(NARROW, OFFICER, journal).disabled
    with pytest.raises(Unauthenticated):
        directory.narrow(ANA)


@pytest.mark.parametrize(
    "subject", ["", " ana", "ana\n", "an\u200ba", "a" * 256, "a\u0301na", "an\x00a", "ana\u00a0"]
)
def test_what_only_looks_like_a_name_is_none(subject: str) -> None:
    assert not is_subject(subject)
    with pytest.raises(Refused):
        Entry(subject, (), PUBLIC)
    with pytest.raises(Refused):
        Entry("ana", (), PUBLIC, owner=subject)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(Refused, match="king"):
        Entry("ana", ("king",), PUBLIC)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("clearance", "{}"),
        ("clearance", "null"),
        ("clearance", '{"sensitivity": "cosmic"}'),
        ("clearance", "x"),
        ("roles", '["king"]'),
        ("roles", "7"),
        ("subject", "ana "),
    ],
)
def test_an_entry_that_is_none_lets_nobody_in(
    store: Store, directory: Directory, journal: Recording, column: str, value: str
) -> None:
    directory.put(NARROW, OFFICER, journal)
    with store.change() as connection:
        connection.exec_driver_sql(f"UPDATE directory SET {column} = ?", (value,))
    with pytest.raises(StateUnavailable):
        directory.list()
    if column != "subject":
        with pytest.raises(StateUnavailable):
            directory.narrow(ANA)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(names(*ROLES), LABELS, st.booleans(), st.none() | st.just("olga"))
def test_an_entry_comes_back_as_it_was_put(
    directory: Directory,
    journal: Recording,
    roles: tuple[str, ...],
    clearance: Label,
    disabled: bool,
    owner: str | None,
) -> None:
    entry = Entry("ana", roles, clearance, disabled, owner)
    if directory.show("ana") is not None:
        directory.set_disabled("ana", False, OFFICER, journal)
    assert directory.put(entry, OFFICER, journal) == entry
    assert directory.show("ana") == entry
