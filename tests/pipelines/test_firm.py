"""The generated firm is what its truth says, at any seed and size."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.canary import CanaryDetector
from halocline_governance.detect.pii import KINDS
from halocline_governance.errors import Refused
from halocline_governance.label import Label
from halocline_pipelines.dedup.minhash import shingles, words
from halocline_pipelines.recipes.firm import (
    GPL_SOURCE,
    UNLABELLED_SOURCE,
    Firm,
    FirmConfig,
    generate,
)
from halocline_pipelines.recipes.firm_pii import iban, luhn_digit

CONFIGS = st.builds(
    FirmConfig,
    seed=st.integers(0, 2**32),
    num_rationales=st.integers(24, 60),
    num_memos=st.integers(0, 30),
    num_tickets=st.integers(0, 30),
    share_exact=st.floats(0, 0.3),
    share_near=st.floats(0, 0.3),
    share_pii=st.floats(0, 1),
    num_canaries=st.integers(0, 3),
    canary_repeats=st.integers(1, 6),
)
SMALL = FirmConfig(num_rationales=40, num_memos=25, num_tickets=24, canary_repeats=8)


def texts(firm: Firm) -> dict[str, str]:
    found = [document for source in firm.sources for document in source.documents()]
    assert len({document.external_id for document in found}) == len(found)
    return {document.external_id: document.text or "" for document in found}


@settings(max_examples=20)
@given(CONFIGS)
def test_truth_holds(config: FirmConfig) -> None:
    firm = generate(config)
    truth, text = firm.truth, texts(firm)
    for span in (*truth.pii, *truth.near_misses):
        assert text[span.external_id].encode()[span.start : span.end].decode() == span.value
        assert span.kind in KINDS
    for pair in truth.exact_duplicates:
        assert text[pair.original] == text[pair.copy]
    for pair in truth.near_duplicates:
        left, right = (
            {*shingles(words(text[one]), 5).tolist()} for one in (pair.original, pair.copy)
        )
        assert text[pair.original] != text[pair.copy]
        assert len(left & right) / len(left | right) > 0.8
    for planted in truth.canaries:
        holding = [name for name, content in text.items() if planted.sentence in content]
        assert sorted(holding) == sorted(planted.external_ids)
        assert len(holding) == config.canary_repeats


@settings(max_examples=10)
@given(CONFIGS)
def test_same_configuration_same_firm(config: FirmConfig) -> None:
    one, two = generate(config), generate(config)
    assert texts(one) == texts(two)
    assert one.truth == two.truth


def test_another_seed_is_another_firm() -> None:
    assert not set(texts(generate(SMALL)).values()) & set(
        texts(generate(replace(SMALL, seed=8))).values()
    )


def test_sizes_are_the_configuration() -> None:
    firm = generate(SMALL)
    names = Counter(
        name.split("-")[0] for name in texts(firm) if not name.endswith(("copy", "edit"))
    )
    assert names["rationales"] == 40
    assert names["memos"] == 25
    assert names["tickets"] == 24
    doubled = generate(replace(SMALL, num_memos=50, share_exact=0.1))
    assert sum(name.startswith("memos") for name in texts(doubled)) == 55


def test_labels_keep_sides_and_customers_apart() -> None:
    labels = {source.name: source.label for source in generate(SMALL).sources}
    assert labels["firm:rationales"] == Label("confidential", sides=("buy",))
    assert labels["firm:memos-corvane"] == Label(
        "restricted", sides=("sell",), issuers=("corvane",)
    )
    compartments = {
        label.compartment: label for name, label in labels.items() if label and "firm" in name
    }
    assert set(compartments) == {"buy", "sell", "sell.acme", "sell.globex"}
    assert not compartments["sell.acme"] <= compartments["sell.globex"]


def test_two_sources_are_there_to_be_refused() -> None:
    firm = generate(SMALL)
    sources = {source.name: source for source in firm.sources}
    assert firm.truth.refused_sources == (GPL_SOURCE, UNLABELLED_SOURCE)
    assert sources[GPL_SOURCE].licence == "GPL-3.0-only"
    assert sources[UNLABELLED_SOURCE].label is None


def test_canaries_are_on_the_buy_side_only() -> None:
    firm = generate(SMALL)
    detector = CanaryDetector.of([one.canary for one in firm.truth.canaries], b"k" * 32)
    for source in firm.sources:
        hits = [detector.scan(document.text or "").spans for document in source.documents()]
        assert any(hits) == (source.name == "firm:rationales")


def test_policy_data_names_the_restricted_issuers() -> None:
    firm = generate(SMALL)
    listed = firm.policy_data()["restricted_issuers"]
    for source in firm.sources:
        assert source.label is None or set(source.label.issuers) <= set(listed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"share_pii": 1.5},
        {"num_memos": -1},
        {"canary_repeats": 0},
        {"canary_repeats": 1000},
        {"share_toxic": 0.6},
    ],
)
def test_impossible_configurations_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refused):
        FirmConfig(**wrong)  # pyright: ignore[reportArgumentType]


def test_check_digits_are_the_standards_own_examples() -> None:
    assert luhn_digit("7992739871") == "3"
    assert iban("GB", "WEST12345698765432") == "GB82WEST12345698765432"
    assert iban("DE", "370400440532013000") == "DE89370400440532013000"
