"""Nothing of a finding leaves, however the text is cut; what leaves was scanned and allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.decision import Decision
from halocline_governance.detect import Detector, Verdict
from halocline_governance.detect.canary import CanaryDetector, mint
from halocline_governance.detect.face import ByText
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Finding
from halocline_serving.release import HeldBack, Release, sha256

CANARY = mint(5, 1, "buy")[0]
CHECKS: list[Detector] = [CanaryDetector.of([CANARY], b"k" * 32), PiiDetector()]
LINK = "https://initech.example/news"
ADDRESS = "jane.doe@initech.example"


@dataclass
class Policy:
    """Allows what is clean, and keeps what it was asked; `tolerates` kinds of findings."""

    tolerates: frozenset[str] = frozenset()
    asked: list[tuple[str, Sequence[Verdict]]] = field(
        default_factory=list[tuple[str, Sequence[Verdict]]]
    )

    def __call__(self, digest: str, verdicts: Sequence[Verdict]) -> Decision:
        self.asked.append((digest, verdicts))
        kinds = {kind for verdict in verdicts for kind in verdict.findings}
        scanned = all(v.status != "unscanned" and v.sha256 == digest for v in verdicts)
        return Decision(scanned and kinds <= self.tolerates, (), id=f"d{len(self.asked)}")


def pieces_of(text: str, cuts: Sequence[int]) -> list[str]:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(ends)]


def released(release: Release, pieces: Sequence[str]) -> tuple[str, bool]:
    """What left, and whether it was held."""
    out = ""
    try:
        for piece in pieces:
            out += release.push(piece)
        return out + release.settle(), False
    except HeldBack:
        return out, True


LINES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="@"), max_size=30), max_size=12
).map("\n".join)
CUTS = st.lists(st.integers(0, 600), max_size=40)


@given(before=LINES, after=LINES, cuts=CUTS, secret=st.sampled_from([CANARY.text, ADDRESS]))
def test_no_byte_of_a_finding_leaves(before: str, after: str, cuts: list[int], secret: str) -> None:
    text = f"{before}\n{secret}\n{after}"
    policy = Policy()

    out, held = released(Release(CHECKS, policy, stride=40), pieces_of(text, cuts))

    assert held
    assert f"{before}\n".startswith(out)


@given(text=LINES, cuts=CUTS)
def test_what_leaves_was_allowed_as_exactly_these_bytes(text: str, cuts: list[int]) -> None:
    policy = Policy()
    release = Release(CHECKS, policy, stride=20)
    told = ""
    for piece in pieces_of(text, cuts):
        part = release.push(piece)
        told += part
        assert not part or policy.asked[-1][0] == sha256(told)
    found = any(check.scan(text).status == "found" for check in CHECKS)

    if found:
        with pytest.raises(HeldBack):
            release.settle()
    else:
        assert told + release.settle() == text
        assert policy.asked[-1][0] == sha256(text)
    assert text.startswith(told)


@given(text=LINES, cuts=CUTS)
def test_streaming_lets_out_what_not_streaming_lets_out(text: str, cuts: list[int]) -> None:
    pieces = pieces_of(text, cuts)

    out, held = released(Release(CHECKS, Policy(), stride=20), pieces)
    whole, held_whole = released(Release(CHECKS, Policy(), stride=None), pieces)

    assert held == held_whole
    assert out == whole or (held and whole == "")


def test_a_finding_that_policy_tolerates_leaves_at_the_end() -> None:
    text = f"Write to\n{ADDRESS}\n" + "and then wait for an answer.\n" * 40
    release = Release(CHECKS, Policy(frozenset({"email"})), stride=20)

    out, held = released(release, pieces_of(text, range(0, len(text), 7)))

    assert (out, held) == (text, False)


def test_a_check_that_fails_holds_the_answer() -> None:
    class Broken(ByText):
        id = "broken@1"
        kinds: frozenset[str] = frozenset()

        def find(self, text: str) -> Finding:
            raise RuntimeError

        def holdback(self, text: str) -> int:
            return 0

    out, held = released(Release([Broken()], Policy(), stride=1), ["One. ", "Two. "])

    assert (out, held) == ("", True)


def test_generation_stops_as_soon_as_a_finding_is_certain() -> None:
    release = Release(CHECKS, Policy(), stride=20)
    text = f"{CANARY.text}\n" + "calm words follow it here\n" * 40

    assert released(release, pieces_of(text, range(0, len(text), 9))) == ("", True)

    assert len(release.text) < 600, "the finding was certain long before the end"


@given(before=LINES, after=LINES, cuts=CUTS, address=st.booleans())
def test_a_finding_that_policy_bears_leaves_whole_as_the_answer_goes_on(
    before: str, after: str, cuts: list[int], address: bool
) -> None:
    text = f"{before}\nSee {LINK} there.\n" + "Calm words follow it here.\n" * 12 + after
    text += f"\n{ADDRESS}\n" if address else ""
    policy = Policy(frozenset({"url"}))
    release = Release(CHECKS, policy, stride=20)
    told = ""
    held = False
    try:
        for piece in pieces_of(text, cuts):
            part = release.push(piece)
            told += part
            assert not part or policy.asked[-1][0] == sha256(told)
            assert LINK in told or told in f"{before}\nSee "
        told += release.settle()
    except HeldBack:
        held = True

    assert text.startswith(told)
    assert "@" not in told
    assert held is not policy(sha256(text), [check.scan(text) for check in CHECKS]).allow
    assert held or told == text


def test_an_answer_goes_on_behind_what_policy_bears() -> None:
    release = Release(CHECKS, Policy(frozenset({"url"})), stride=20)
    text = f"See {LINK} there.\n" + "Calm words follow it here.\n" * 12 + f"See {LINK} too.\n"

    told = [release.push(piece) for piece in text]

    assert LINK in "".join(told)
    assert len([part for part in told if part]) > 8
    assert "".join(told) + release.settle() == text


def test_a_script_without_spaces_leaves_as_it_comes() -> None:
    release = Release(CHECKS[:1], Policy(), stride=200)

    told = [release.push(piece) for piece in "\u4eca\u65e5\u306f\u5929\u6c17\u3002" * 60]

    assert len([part for part in told if part]) > 8


def test_a_check_that_is_lost_while_asked_what_it_found_vouches_for_nothing() -> None:
    class Lost(Stream):
        def findings(self, upto: int) -> Finding:
            self._reason = "crashed"
            return Finding()

        def _look(self, chunk: bytes, final: bool) -> None:
            self._settled = self._size

        def _whole(self) -> Finding:
            return Finding()

    class Failing(Lost):
        def findings(self, upto: int) -> Finding:
            raise ValueError(ADDRESS)

    for stream in (Lost, Failing):

        class Check(PiiDetector):
            def stream(self) -> Stream:
                return stream(self.id)  # noqa: B023 - used within the loop only

        release = Release([Check()], Policy(), stride=1)
        assert [release.push(piece) for piece in ("One. ", "Two. ")] == ["", ""]
