"""Scrubbing, whatever is put in place: final, complete, and nothing else is touched."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect import Detector, Span
from halocline_governance.detect.face import ByText
from halocline_governance.detect.verdict import Finding
from halocline_governance.errors import Refused
from halocline_governance.scrub import Mode, Scrubber, Scrubbing
from halocline_governance.scrub.pseudonym import TOKEN, PseudonymKey
from halocline_governance.scrub.scrubber import MAX_ROUNDS
from tests.governance.scrub_world import DETECTORS, KEY, SOUP, VALUES, scrubber, vault

PSEUDONYM = scrubber(Mode.PSEUDONYM)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> dict[Mode, Scrubber]:
    held = vault(tmp_path_factory.mktemp("scrub"))
    return {mode: scrubber(mode, held) for mode in Mode}


def test_one_value_has_one_pseudonym_however_it_is_written() -> None:
    text = "Jo@Corp.example or jo@corp.example, (212) 555-0123 or 212-555-0123"

    done = PSEUDONYM.scrub(text)

    tokens = re.findall(r"<[^>]+>", done.text)
    assert done.counts == {"email": 2, "phone": 2}
    assert tokens[0] == tokens[1]
    assert tokens[2] == tokens[3]
    assert all(TOKEN.fullmatch(token) for token in tokens)


@settings(max_examples=40)
@given(text=SOUP, mode=st.sampled_from(Mode))
def test_scrubbing_twice_is_scrubbing_once(
    every: dict[Mode, Scrubber], text: str, mode: Mode
) -> None:
    once = every[mode].scrub(text)

    again = every[mode].scrub(once.text)

    assert (again.text, again.count, again.map.edits) == (once.text, 0, ())
    if mode in (Mode.KIND, Mode.PSEUDONYM, Mode.REVERSIBLE, Mode.DROP):
        assert all(one.scan(once.text).status == "clean" for one in DETECTORS)


@settings(max_examples=40)
@given(text=SOUP, mode=st.sampled_from(Mode))
def test_nothing_but_findings_is_touched_and_offsets_say_where(
    every: dict[Mode, Scrubber], text: str, mode: Mode
) -> None:
    done = every[mode].scrub(text)

    old, new = text.encode(), done.text.encode()
    for at, there, length in done.map.kept(len(old)):
        assert old[at : at + length] == new[there : there + length]
    rewritten, at = b"", 0
    for edit in done.map.edits:
        rewritten += old[at : edit.old_start] + new[edit.new_start : edit.new_end]
        at = edit.old_end
    assert rewritten + old[at:] == new
    assert (done.count == 0) == (not done.map.edits)


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.KEEP])
def test_no_value_is_left(every: dict[Mode, Scrubber], mode: Mode) -> None:
    text = "\n".join(f"{kind.replace('_', ' ')}: {value}" for kind, value in VALUES)

    done = every[mode].scrub(text)

    assert [value for _, value in VALUES if value in done.text] == []
    assert done.count == len(VALUES)
    assert done.text.count("\n") == text.count("\n")


def test_each_kind_has_its_own_mode() -> None:
    chosen = Scrubbing(Mode.DROP, (("email", Mode.KIND), ("ip", Mode.KEEP)))

    done = Scrubber(DETECTORS, KEY, chosen).scrub("a@corp.example at 8.8.8.8, SSN 536-90-4399.")

    assert done.text == "<email> at 8.8.8.8, SSN ."
    assert done.counts == {"email": 1, "us_ssn": 1}


def test_too_many_findings_drop_the_text_and_the_bound_itself_does_not() -> None:
    strict = Scrubber(DETECTORS, KEY, Scrubbing(max_spans=2))

    assert not strict.scrub("a@corp.example b@corp.example").dropped
    done = strict.scrub("a@corp.example b@corp.example c@corp.example")
    assert (done.dropped, done.text) == (True, "")


def test_tokens_of_two_compartments_do_not_join() -> None:
    there = Scrubber(DETECTORS, PseudonymKey.derive(bytes(range(32)), "sell"), Scrubbing())

    assert PSEUDONYM.scrub("jo@corp.example").text != there.scrub("jo@corp.example").text


def test_text_that_could_not_be_scanned_is_not_passed_on() -> None:
    with pytest.raises(Refused, match="undecodable"):
        PSEUDONYM.scrub("\ud800 jo@corp.example")


def test_verdicts_about_something_else_are_refused() -> None:
    mine = [one.scan("jo@corp.example") for one in DETECTORS]

    assert PSEUDONYM.scrub("jo@corp.example", mine).count == 1
    for text, verdicts in (("jo@corp.example!", mine), ("jo@corp.example", mine[::-1])):
        with pytest.raises(Refused, match="another text"):
            PSEUDONYM.scrub(text, verdicts)


def test_reversible_tokens_need_a_vault() -> None:
    with pytest.raises(Refused, match="vault"):
        Scrubber(DETECTORS, KEY, Scrubbing(by_kind=(("email", Mode.REVERSIBLE),)))


@dataclass(frozen=True)
class Told(ByText):
    """Finds what it is told, always."""

    spans: tuple[tuple[int, int], ...]
    id: str = "told@1"
    kinds: frozenset[str] = frozenset({"email"})

    def find(self, text: str) -> Finding:
        return Finding(tuple(Span(start, end, "email", 1.0) for start, end in self.spans))

    def holdback(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize("spans", [((3, 3),), ((0, 99),), ((-1, 2),), ((1, 2),)])
def test_spans_that_do_not_fit_are_refused(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(Refused, match="span"):
        scrubber(Mode.KIND, detectors=(Told(spans),)).scrub("\u00e9\u00e9\u00e9")


@pytest.mark.parametrize("mode", [Mode.KIND, Mode.PSEUDONYM, Mode.DROP])
def test_a_detector_that_never_comes_clean_is_refused(mode: Mode) -> None:
    with pytest.raises(Refused, match=f"after {MAX_ROUNDS} rewrites"):
        scrubber(mode, detectors=(Told(((0, 2),)),)).scrub("text " * 9)


@given(st.lists(st.sampled_from([*DETECTORS, Told(())]), max_size=4), SOUP)
def test_the_order_of_the_detectors_does_not_matter(found: list[Detector], text: str) -> None:
    one = scrubber(Mode.PSEUDONYM, detectors=found).scrub(text)

    assert scrubber(Mode.PSEUDONYM, detectors=found[::-1]).scrub(text) == one
