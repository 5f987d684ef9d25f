"""The directory: it only ever narrows, takes effect on the next call, and is on record before."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from halocline_governance.errors import (
    Refused,
    StateUnavailable,
    Unauthenticated,
)
from halocline_governance.label import AXES, PUBLIC, SENSITIVITIES, Label, parse_compact
from halocline_governance.principal import ROLES, Principal, is_subject
from halocline_governance.state import Store
from halocline_governance.state import directory as directories
from halocline_governance.state.directory import Directory, Entry
from tests.governance.directory_people import ANA, NARROW, OFFICER, Recording


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
