"""One document's assessment: what cannot be checked stops, what is personal comes out keyed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from halocline_governance.detect import Detector, Span, Verdict
from halocline_governance.detect.face import ByText
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.verdict import Finding
from halocline_governance.errors import Refused
from halocline_governance.scrub import Mode, Scrubbing
from halocline_governance.scrub.pseudonym import TOKEN, PseudonymKey
from halocline_governance.scrub.ring import Ring
from halocline_governance.scrub.scrubber import TOO_MANY
from halocline_governance.scrub.sealed import REVERSIBLE, Token
from halocline_governance.scrub.vault import Vault
from halocline_pipelines.assessment import Assessor
from halocline_pipelines.recipes.curation import CurationRecipe, english
from halocline_pipelines.recipes.firm import Firm, FirmConfig, generate
from halocline_pipelines.scrub.clean import RULE

KEY = PseudonymKey.derive(b"m" * 32, "buy")
SCRUBBERS: tuple[Detector, ...] = (PiiDetector(), SecretDetector())
LENIENT = CurationRecipe(name="lenient", filters=())


@dataclass(frozen=True)
class Broken:
    """A detector whose `scan` does as it is told."""

    act: Callable[[str], Verdict]
    id: str = "broken@1"

    def scan(self, text: str) -> Verdict:
        return self.act(text)

    def holdback(self, text: str) -> int:
        return len(text)


def _raises(text: str) -> Verdict:
    raise RuntimeError(text)


def _unscanned(text: str) -> Verdict:
    return replace(PiiDetector().scan(text), detector="broken@1", status="unscanned", reason="late")


def _other_bytes(text: str) -> Verdict:
    return PiiDetector().scan(text + "!")


@pytest.fixture(scope="module")
def firm() -> Firm:
    return generate(FirmConfig(num_rationales=60, num_memos=20, num_tickets=20, canary_repeats=5))


@pytest.mark.parametrize("act", [_raises, _unscanned, _other_bytes])
@pytest.mark.parametrize("place", ["scrubbers", "scorers"])
def test_nothing_passes_unscanned(act: Callable[[str], Verdict], place: str) -> None:
    assessor = Assessor(LENIENT, KEY, **{place: (Broken(act),)})  # pyright: ignore[reportArgumentType]
    found = assessor.assess("A sentence that says nothing private at all.")
    assert (found.outcome, found.rule, found.text) == ("quarantined", "broken@1", "")
    assert found.reason.startswith("unscanned: ")
    assert "sentence" not in found.reason


def test_any_failure_is_a_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(text: str) -> tuple[str, float]:
        raise MemoryError(text)

    monkeypatch.setattr("halocline_pipelines.assessment.language", fails)
    found = Assessor(LENIENT, KEY).assess("private words")
    assert (found.outcome, found.reason, found.text) == ("quarantined", "failed: MemoryError", "")


def test_planted_values_come_out_and_near_misses_stay(firm: Firm) -> None:
    truth = firm.truth
    assessor = Assessor(LENIENT, KEY)
    texts = {one.external_id: one.text or "" for s in firm.sources for one in s.documents()}
    scrubbed = {name: assessor.assess(text) for name, text in texts.items()}
    for span in truth.pii:
        assert span.value not in scrubbed[span.external_id].text
    for span in truth.near_misses:
        assert span.value in scrubbed[span.external_id].text
    dirty = {span.external_id for span in truth.pii}
    for name, found in scrubbed.items():
        tokens = TOKEN.findall(found.text)
        assert found.num_pii == len(tokens)
        if name not in dirty:
            # The names' tagger takes a firm for a person here and there; nothing else is touched.
            assert all(token.startswith("<person:") for token in tokens)
            assert tokens or found.text == texts[name]
    clean = [name for name in texts if name not in dirty]
    assert sum(scrubbed[name].text != texts[name] for name in clean) < len(clean) / 4


def test_one_value_one_pseudonym_in_a_compartment_and_another_elsewhere() -> None:
    text = "Write to ana.lee@corp.example, that is Ana.Lee@corp.example."
    here = Assessor(LENIENT, KEY).assess(text).text
    there = Assessor(LENIENT, PseudonymKey.derive(b"m" * 32, "sell")).assess(text).text
    (one,) = set(TOKEN.findall(here))
    assert TOKEN.findall(here) == [one, one]
    assert one not in there


def test_secrets_and_personal_values_leave_together() -> None:
    text = "key AKIAIOSFODNN7EXAMQLE and mail bob@corp.example, thanks"
    assessor = Assessor(LENIENT, KEY)
    found = assessor.assess(text)
    assert all(one.scan(found.text).status == "clean" for one in SCRUBBERS)
    assert found.num_pii == sum(len(one.scan(text).spans) for one in SCRUBBERS) == 2
    again = assessor.assess(found.text)
    assert (again.text, again.num_pii) == (found.text, 0)


def test_what_cannot_be_scrubbed_is_refused() -> None:
    class Insatiable(ByText):
        """Finds something in whatever it is shown."""

        id, kinds = "insatiable@1", frozenset({"email"})

        def find(self, text: str) -> Finding:
            return Finding((Span(0, 1, "email", 1.0),))

        def holdback(self, text: str) -> int:
            return len(text)

    found = Assessor(LENIENT, KEY, scrubbers=(Insatiable(),)).assess("mail bob@corp.example")
    assert (found.outcome, found.rule, found.text) == ("quarantined", RULE, "")


def test_a_recipe_says_what_is_put_in_place_kind_by_kind() -> None:
    text = "Mail ana@corp.example or bob@corp.example, host 8.8.8.8."
    chosen = Scrubbing(Mode.KIND, (("ip", Mode.KEEP),))
    recipe = replace(LENIENT, scrubbing=chosen)
    assert Assessor(recipe, KEY).assess(text).text == "Mail <email> or <email>, host 8.8.8.8."
    strict = replace(LENIENT, scrubbing=replace(chosen, max_spans=1))
    found = Assessor(strict, KEY).assess(text)
    assert (found.outcome, found.reason, found.text) == ("dropped", TOO_MANY, "")
    assert len({one.id for one in (LENIENT, recipe, strict)}) == 3


def test_a_recipe_with_reversible_tokens_seals_into_the_vault(tmp_path: Path) -> None:
    recipe = replace(LENIENT, scrubbing=Scrubbing(by_kind=(("email", Mode.REVERSIBLE),)))
    vault = Vault(tmp_path / "vault", Ring(tmp_path / "keys"))
    with pytest.raises(Refused, match="vault"):
        Assessor(recipe, KEY)
    text = Assessor(recipe, KEY, vault=vault).assess("Mail ana@corp.example from 8.8.8.8.").text
    (sealed,) = (Token.parse(match[0]) for match in REVERSIBLE.finditer(text))
    assert sealed is not None
    assert vault.opened(sealed) == "ana@corp.example"
    assert len(TOKEN.findall(text)) == 1


def test_the_first_fault_is_the_reason(firm: Firm) -> None:
    assessor = Assessor(english(), KEY)
    texts = {one.external_id: one.text or "" for s in firm.sources for one in s.documents()}
    for name in firm.truth.foreign:
        assert assessor.assess(texts[name]).rule == "language@1"
    short = assessor.assess("This is an English sentence that is far too short for a document.")
    assert (short.outcome, short.rule) == ("dropped", "gopher_quality@1")
    assert short.reason == "words: 13, below 50"
    assert assessor.assess("").outcome == "dropped"


def test_recipe_ids_change_with_what_they_name() -> None:
    recipe = english()
    stricter = replace(recipe, filters=recipe.filters[:-1])
    coarser = replace(recipe, minhash=replace(recipe.minhash, num_bands=20))
    choosier = replace(recipe, minhash=replace(recipe.minhash, threshold=0.9))
    assert recipe.id == english().id
    assert len({one.id for one in (recipe, stricter, coarser, choosier)}) == 4
    assert recipe.signals_id == stricter.signals_id == choosier.signals_id != coarser.signals_id
