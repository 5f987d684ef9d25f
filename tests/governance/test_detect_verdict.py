"""The contract of every detector: what was not scanned is never clean, and no value leaks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect import Detector, Span, Verdict, batch, guarded, scan_all, stream
from halocline_governance.detect import verdict as verdicts
from halocline_governance.detect.batch import BatchVerdict, Texts
from halocline_governance.detect.face import ByText
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Finding, byte_offsets, judged

SECRET = "jo.doe@example.org"


@dataclass(frozen=True)
class Raising(ByText):
    """Raises at every face, and says what it read."""

    id: str = "raising@1"
    kinds: frozenset[str] = frozenset()

    def find(self, text: str) -> Finding:
        raise ValueError(f"cannot read {text}")

    def holdback(self, text: str) -> int:
        raise ValueError(text)


@dataclass(frozen=True)
class RaisingOutside(Raising):
    def scan(self, text: str) -> Verdict:
        raise ValueError(text)

    def scan_batch(self, texts: Texts) -> BatchVerdict:
        raise ValueError(texts.text(0))

    def stream(self) -> Stream:
        raise ValueError(SECRET)


@dataclass(frozen=True)
class OtherBytes(Raising):
    def scan(self, text: str) -> Verdict:
        return judged(self.id, text + "!", lambda _: Finding())

    def scan_batch(self, texts: Texts) -> BatchVerdict:
        return PiiDetector().scan_batch(Texts.of(["other"] * len(texts)))


@pytest.mark.parametrize("detector", [Raising(), RaisingOutside()])
def test_a_detector_that_raises_has_scanned_nothing_at_any_face(detector: Detector) -> None:
    kept = guarded(detector)
    stream = kept.stream()
    assert stream.feed(SECRET.encode()) == 0
    digest = hashlib.sha256(SECRET.encode()).hexdigest()

    verdicts = [kept.scan(SECRET), *kept.scan_batch(Texts.of([SECRET])), stream.finish()]

    for verdict in verdicts:
        assert (verdict.status, verdict.reason) == ("unscanned", "failed: ValueError")
        assert verdict.sha256 == digest
        assert SECRET not in repr(verdict) + json.dumps(verdict.as_json())


def test_a_batch_about_other_bytes_is_not_taken() -> None:
    verdicts = guarded(OtherBytes()).scan_batch(Texts.of(["text", "more"]))

    assert [verdict.status for verdict in verdicts] == ["unscanned", "unscanned"]


def test_a_detector_that_raises_has_not_scanned_and_its_message_is_dropped() -> None:
    (verdict,) = scan_all([Raising()], SECRET)

    assert (verdict.status, verdict.reason) == ("unscanned", "failed: ValueError")
    assert verdict.sha256 == hashlib.sha256(SECRET.encode()).hexdigest()
    assert SECRET not in repr(verdict) + json.dumps(verdict.as_json())


def test_a_verdict_about_other_bytes_is_not_taken() -> None:
    assert guarded(OtherBytes()).scan("text").status == "unscanned"


def test_lone_surrogates_are_undecodable() -> None:
    verdict = PiiDetector().scan("\ud800 " + SECRET)

    assert (verdict.status, verdict.reason) == ("unscanned", verdicts.UNDECODABLE)


def test_oversize_text_is_unscanned(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (verdicts, batch, stream):
        monkeypatch.setattr(module, "MAX_BYTES", 10)
    fed = PiiDetector().stream()
    fed.feed(SECRET.encode())

    said = [PiiDetector().scan(SECRET), fed.finish(), judged("x@1", SECRET, lambda _: Finding())]

    for verdict in said:
        assert (verdict.status, verdict.reason) == ("unscanned", verdicts.OVERSIZE)


def test_a_verdict_carries_offsets_counts_and_hash_but_no_text() -> None:
    text = f"\u00fcber {SECRET}, {SECRET}"

    verdict = PiiDetector().scan(text)

    assert verdict.as_json() == {
        "detector": PiiDetector().id,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "status": "found",
        "findings": {"email": 2},
        "score": None,
        "spans": [
            {"kind": "email", "start": 6, "end": 24, "score": 0.98},
            {"kind": "email", "start": 26, "end": 44, "score": 0.98},
        ],
        "reason": None,
    }


@given(st.text(), st.data())
def test_byte_offsets_are_those_of_the_encoded_prefixes(text: str, data: st.DataObject) -> None:
    at = data.draw(st.lists(st.integers(0, len(text)), max_size=5))

    assert byte_offsets(text, at) == {n: len(text[:n].encode()) for n in at}


@given(st.text(st.characters()))
def test_no_text_makes_a_detector_raise(text: str) -> None:
    for verdict in scan_all([PiiDetector(), SecretDetector()], text):
        assert verdict.status in ("clean", "found", "unscanned")
        size = len(text.encode("utf-8", "surrogatepass"))
        assert all(0 <= span.start < span.end <= size for span in verdict.spans)


def test_spans_are_sorted() -> None:
    spans = (Span(5, 6, "b", 1.0), Span(0, 2, "a", 1.0))

    assert judged("x@1", "abcdefgh", lambda _: Finding(spans)).spans == spans[::-1]


def test_importing_the_package_loads_neither_numpy_nor_a_model() -> None:
    heavy = "{'numpy', 'torch', 'phonenumbers', 'stdnum', 'py3langid', 'safetensors', 'pyarrow'}"
    names = "canary language pii quality secrets segregation stream toxicity"
    code = (
        "import sys, importlib\n"
        f"for name in {names!r}.split():\n"
        "    importlib.import_module('halocline_governance.detect.' + name)\n"
        f"print({heavy} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
