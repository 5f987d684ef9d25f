"""The blind set: its gold holds the values, its numbers hold or fail the published checks."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable

import pytest
from bench.detecting import (
    accounts,
    blindset,
    contacts,
    identifiers,
    nameset,
    secretset,
    toxicset,
    values,
)
from bench.detecting.gold import IGNORE, Document
from stdnum import bitcoin, iban, luhn
from stdnum.au import abn, tfn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs, utr
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ein, itin, ssn

Check = Callable[[str], bool]


def spanish(value: str) -> bool:
    return dni.is_valid(value) or nie.is_valid(value)


def medicare(value: str) -> bool:
    """python-stdnum has no Australian card: the weighted sum of eight digits is the ninth."""
    total = sum(int(a) * b for a, b in zip(value, (1, 3, 7, 9, 1, 3, 7, 9), strict=False))
    return len(value) == 10 and value[0] in "23456" and total % 10 == int(value[8])


CHECKS: dict[str, Check] = {
    "credit_card": luhn.is_valid,
    "iban": iban.is_valid,
    "us_ssn": ssn.is_valid,
    "us_itin": itin.is_valid,
    "uk_nhs": nhs.is_valid,
    "de_tax_id": idnr.is_valid,
    "es_nif": spanish,
    "fr_nir": nir.is_valid,
    "it_codice_fiscale": codicefiscale.is_valid,
    "pl_pesel": pesel.is_valid,
    "in_aadhaar": aadhaar.is_valid,
    "in_pan": pan.is_valid,
    "au_tfn": tfn.is_valid,
    "ca_sin": sin.is_valid,
    "us_ein": ein.is_valid,
    "uk_utr": utr.is_valid,
    "nl_bsn": bsn.is_valid,
    "se_personnummer": personnummer.is_valid,
    "ch_ahv": ahv.is_valid,
    "br_cpf": cpf.is_valid,
    "au_abn": abn.is_valid,
    "au_medicare": medicare,
}


def bare(value: str) -> str:
    """Digits as ASCII, nothing but letters and digits."""
    plain = "".join(str(unicodedata.digit(char, char)) for char in value)
    return re.sub(r"[^A-Za-z0-9]", "", plain).upper()


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return blindset.blind(seed=7, size=400)


@pytest.mark.parametrize("kind", sorted(set(CHECKS) & (set(values.BARE) | {"credit_card"})))
def test_numbers_hold_in_another_implementation(kind: str, rng: random.Random) -> None:
    make = values.BARE.get(kind, accounts.card)
    made = [make(rng) for _ in range(200)]
    assert [value for value in made if not CHECKS[kind](value)] == []


@pytest.mark.parametrize("kind", sorted(set(CHECKS) & set(values.NEAR)))
def test_near_misses_fail_in_another_implementation(kind: str, rng: random.Random) -> None:
    made = [values.NEAR[kind](rng) for _ in range(200)]
    assert [value for value in made if CHECKS[kind](value)] == []


def test_addresses_of_coins_hold_and_near_misses_fail(rng: random.Random) -> None:
    old = [value for _ in range(200) if not (value := accounts.btc(rng)).startswith("bc1p")]
    assert all(map(bitcoin.is_valid, old))
    assert not any(bitcoin.is_valid(accounts.bad_btc(rng)) for _ in range(100))
    # BIP 350's vector of a taproot address, EIP-55's of mixed case, Keccak's of nothing.
    key = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    taproot = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
    assert accounts.bech32("bc", 1, key, 0x2BC830A3) == taproot
    mixed = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
    assert accounts.eip55(mixed[2:].lower()) == mixed
    assert accounts.keccak256(b"").hex().startswith("c5d2460186f7233c927e7db2dcc703c0")
    assert accounts.bad_eth(rng) != accounts.eip55(accounts.bad_eth(rng)[2:].lower())


@pytest.mark.parametrize("valid", ["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K"])
def test_singapore_letters_are_the_published_ones(valid: str) -> None:
    assert identifiers.nric_holds(valid)
    assert sum(identifiers.nric_holds(valid[:-1] + c) for c in "ABCDEFGHIJKLMNPQRTUWXZ") == 1


def test_the_gold_stands_where_it_says(documents: list[Document]) -> None:
    for document in documents:
        ends = 0
        for mark in document.marks:
            value = document.text[mark.start : mark.end]
            assert mark.start >= ends
            assert value == value.strip() != ""
            assert mark.kind == IGNORE or mark.kind in values.KINDS
            ends = mark.end
        assert "[[" not in document.text


def test_the_gold_of_checked_kinds_holds_under_every_disguise(documents: list[Document]) -> None:
    seen: set[str] = set()
    for document in documents:
        for mark in document.marks:
            if mark.kind in CHECKS:
                value = document.text[mark.start : mark.end]
                assert CHECKS[mark.kind](bare(value)), (mark.kind, value)
                seen.add(mark.kind)
    assert seen == set(CHECKS) & set(values.KINDS)


def test_the_set_holds_every_kind_and_clean_texts(documents: list[Document]) -> None:
    marked = {mark.kind for document in documents for mark in document.marks}
    assert set(values.KINDS) <= marked
    assert sum(not document.marks for document in documents) > len(documents) / 6
    assert max(len(document.text) for document in documents) > 5_000
    assert any(each.marks and each.marks[0].start == 0 for each in documents)
    assert any(each.marks and each.marks[-1].end == len(each.text) for each in documents)


def test_the_set_is_a_function_of_its_seed() -> None:
    assert blindset.blind(seed=3, size=20) == blindset.blind(seed=3, size=20)
    assert blindset.blind(seed=3, size=20) != blindset.blind(seed=4, size=20)


def test_filler_is_nobodys_number(rng: random.Random) -> None:
    for what in ("order", "invoice", "digits", "long", "tracking", "moment"):
        for _ in range(100):
            assert not values.any_holds(values.filler(rng, what, "en_US"))


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "de_DE", "fr_FR", "it_IT", "pl_PL", "en_AU"])
def test_telephone_numbers_exist(locale: str, rng: random.Random) -> None:
    import phonenumbers

    region = contacts.REGION.get(locale, locale[-2:])
    for _ in range(25):
        number = contacts.phone(rng, locale)
        assert phonenumbers.is_valid_number(phonenumbers.parse(number, region)), number


def test_secrets_stand_where_the_gold_says(seed: int) -> None:
    found = secretset.secrets(seed, 150)
    values_ = [d.text[m.start : m.end] for d in found for m in d.marks]
    assert min(map(len, values_)) >= 8
    assert len(set(values_)) > len(values_) * 0.95
    keys = [value for value in values_ if "PRIVATE KEY" in value]
    assert keys
    assert all(re.search(r"PRIVATE KEY-{5}\Z", value) for value in keys)
    assert all(d.text.count("[[") == 0 for d in found)


def test_names_stand_where_the_gold_says(seed: int) -> None:
    for part in nameset.names(seed, 150).values():
        for document in part:
            ends = 0
            for mark in document.marks:
                assert ends <= mark.start < mark.end <= len(document.text)
                assert mark.kind in (*nameset.KINDS, IGNORE)
                ends = mark.end
        assert {m.kind for d in part for m in d.marks} >= set(nameset.KINDS)


def test_every_group_is_attacked_and_named_alike() -> None:
    said = toxicset.functional()
    for attack in (True, False):
        counts = {
            g: sum(s.group == g and s.attack == attack for s in said) for g in toxicset.GROUPS
        }
        assert len(set(counts.values())) == 1
    assert not {s.text for s in said if s.attack} & {s.text for s in said if not s.attack}


def test_a_stream_has_its_share_of_toxic_texts() -> None:
    mixed = toxicset.stream(["good"], ["bad"], 1_000)
    assert (len(mixed), mixed.count("bad")) == (1_000, 20)
