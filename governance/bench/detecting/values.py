"""A value for each slot of a template: gold kinds by maker and form, near misses, and filler.

What is meant to be no personal data is drawn again when by accident it is a valid card, account
or national number: a set's gold must not hang on luck.
"""

import random
import re
from collections.abc import Callable

from bench.detecting import accounts, contacts, decoys, identifiers, taxnumbers
from bench.detecting.disguise import disguised, grouped, usual
from bench.detecting.identifiers import Maker, changed_digit

Localised = Callable[[random.Random, str], str]


def luhn_holds(value: str) -> bool:
    return identifiers.luhn(value[:-1]) == value


def tax_id_holds(value: str) -> bool:
    carry = 10
    for char in value[:-1]:
        carry = (carry + int(char)) % 10 or 10
        carry = carry * 2 % 11
    return str((11 - carry) % 10) == value[-1]


def pesel_holds(value: str) -> bool:
    return identifiers.weighted(value, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def tfn_holds(value: str) -> bool:
    return identifiers.weighted(value, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def aadhaar_holds(value: str) -> bool:
    return identifiers.verhoeff(value[:-1]) == value[-1]


def nir_holds(value: str) -> bool:
    return 97 - int(value[:13]) % 97 == int(value[13:])


def any_holds(value: str) -> bool:
    """Whether bare digits pass a check that might make them somebody's number."""
    bare = re.sub(r"\D", "", value)
    size = len(bare)
    checks = {
        9: (luhn_holds, tfn_holds, taxnumbers.bsn_holds),
        10: (luhn_holds, nhs_holds, taxnumbers.utr_holds, taxnumbers.medicare_holds),
        11: (pesel_holds, tax_id_holds, taxnumbers.cpf_holds, taxnumbers.abn_holds),
        12: (aadhaar_holds,),
        13: (taxnumbers.ahv_holds,),
        15: (nir_holds,),
    }
    held = any(check(bare) for check in checks.get(size, ()))
    return held or (12 <= size <= 19 and luhn_holds(bare))


def nhs_holds(value: str) -> bool:
    return identifiers.weighted(value, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


BARE: dict[str, Maker] = {
    "us_ssn": identifiers.ssn,
    "us_itin": identifiers.itin,
    "us_ein": taxnumbers.ein,
    "us_medicare": taxnumbers.mbi,
    "uk_utr": taxnumbers.utr,
    "nl_bsn": taxnumbers.bsn,
    "se_personnummer": taxnumbers.personnummer,
    "ch_ahv": taxnumbers.ahv,
    "br_cpf": taxnumbers.cpf,
    "au_abn": taxnumbers.abn,
    "au_medicare": taxnumbers.medicare,
    "uk_nino": identifiers.nino,
    "uk_nhs": identifiers.nhs,
    "de_tax_id": identifiers.de_tax_id,
    "es_nif": identifiers.es_nif,
    "fr_nir": identifiers.fr_nir,
    "it_codice_fiscale": identifiers.codice_fiscale,
    "pl_pesel": identifiers.pesel,
    "in_aadhaar": identifiers.aadhaar,
    "in_pan": identifiers.pan,
    "au_tfn": identifiers.tfn,
    "ca_sin": identifiers.sin,
    "sg_nric": identifiers.nric,
    "iban": accounts.iban,
    "bic": accounts.bic,
}
NEAR: dict[str, Maker] = {
    "credit_card": changed_digit(accounts.card, any_holds),
    "iban": changed_digit(accounts.iban, accounts.iban_holds),
    "us_ssn": identifiers.bad_ssn,
    "uk_nino": identifiers.bad_nino,
    "de_tax_id": changed_digit(identifiers.de_tax_id, any_holds),
    "es_nif": identifiers.bad_es_nif,
    "fr_nir": changed_digit(identifiers.fr_nir, any_holds),
    "it_codice_fiscale": changed_digit(
        identifiers.codice_fiscale, lambda value: identifiers.cf_check(value[:-1]) == value[-1]
    ),
    "pl_pesel": changed_digit(identifiers.pesel, any_holds),
    "in_aadhaar": changed_digit(identifiers.aadhaar, any_holds),
    "in_pan": identifiers.bad_pan,
    "au_tfn": changed_digit(identifiers.tfn, any_holds),
    "ca_sin": changed_digit(identifiers.sin, any_holds),
    "uk_nhs": changed_digit(identifiers.nhs, any_holds),
    "uk_utr": changed_digit(taxnumbers.utr, any_holds),
    "nl_bsn": changed_digit(taxnumbers.bsn, any_holds),
    "se_personnummer": changed_digit(taxnumbers.personnummer, any_holds),
    "ch_ahv": changed_digit(taxnumbers.ahv, any_holds),
    "br_cpf": changed_digit(taxnumbers.cpf, any_holds),
    "au_abn": changed_digit(taxnumbers.abn, any_holds),
    "au_medicare": changed_digit(taxnumbers.medicare, any_holds),
    "sg_nric": changed_digit(identifiers.nric, lambda value: identifiers.nric_holds(value)),
}
LOCAL: dict[str, Localised] = {
    "email": contacts.email,
    "mac": contacts.mac,
    "url": contacts.url,
    "url_credentials": contacts.url_credentials,
    "postcode": contacts.postcode,
    "passport": identifiers.passport,
    "date_of_birth": contacts.date_of_birth,
}
KINDS: tuple[str, ...] = (
    *("email", "phone", "ip", "mac", "credit_card", "iban", "bic", "us_ssn", "uk_nino"),
    *("de_tax_id", "es_nif", "fr_nir", "it_codice_fiscale", "pl_pesel", "in_aadhaar", "in_pan"),
    *("au_tfn", "ca_sin", "sg_nric", "passport", "driver_license", "date_of_birth"),
    *("bank_account", "crypto_address", "url_credentials", "url", "street_address", "postcode"),
    *("us_itin", "us_ein", "us_medicare", "uk_nhs", "uk_utr", "nl_bsn", "se_personnummer"),
    *("ch_ahv", "br_cpf", "au_abn", "au_medicare"),
)
"""The structured kinds that the set holds: those the detector publishes, by its names."""

DISGUISED = 0.15


def gold(rng: random.Random, kind: str, form: str, locale: str) -> str:
    """The value as it stands in the text; some are disguised."""
    value = shown(rng, kind, form, locale)
    wrapped = kind in _NUMBERS and rng.random() < DISGUISED
    return disguised(rng, value) if wrapped else value


_NUMBERS = frozenset(BARE) - {"bic"} | {"phone", "credit_card"}


def shown(rng: random.Random, kind: str, form: str, locale: str) -> str:
    if kind in _FORMED:
        return _FORMED[kind](rng, form, locale)
    if kind in LOCAL:
        value = LOCAL[kind](rng, locale)
        return value.upper() if form == "upper" else value
    value = BARE[kind](rng)
    if form == "bare":
        return value
    if form == "lower":
        return value.lower()
    return grouped(kind, value) if form == "grouped" else usual(rng, kind, value)


def _email(rng: random.Random, form: str, locale: str) -> str:
    if form == "hidden":
        return contacts.hidden_email(rng, locale)
    value = contacts.email(rng, locale)
    return value.upper() if form == "upper" else value


def _phone(rng: random.Random, form: str, locale: str) -> str:
    if form == "fake":
        return contacts.seeded(locale, rng).phone_number()
    return contacts.phone(rng, locale, form)


def _card(rng: random.Random, form: str, locale: str) -> str:
    value = accounts.card(rng)
    return value if rng.random() < 0.35 else accounts.grouped_card(rng, value)


def _account(rng: random.Random, form: str, locale: str) -> str:
    if form == "sort":
        return "-".join(identifiers.digits(rng, 2) for _ in range(3))
    if form == "aba":
        return identifiers.digits(rng, 9, "0123")
    return identifiers.digits(rng, 8) if form == "8" else accounts.account(rng)


def _licence(rng: random.Random, form: str, locale: str) -> str:
    if form == "uk":
        return identifiers.licence_uk(rng)
    if form == "de":
        body = identifiers.letters(rng, 1) + identifiers.digits(rng, 2)
        return body + identifiers.letters(rng, 7, "0123456789ABCDEFGHJK") + "7"
    return identifiers.licence_us(rng)


def _crypto(rng: random.Random, form: str, locale: str) -> str:
    make = {"btc": accounts.btc, "eth": accounts.eth}.get(form)
    return (make or rng.choice([accounts.btc, accounts.eth]))(rng)


def _street(rng: random.Random, form: str, locale: str) -> str:
    while True:
        value = contacts.street(rng, locale)
        if form != "strasse" or "straße" in value or "str." in value:
            return value


_FORMED: dict[str, Callable[[random.Random, str, str], str]] = {
    "email": _email,
    "phone": _phone,
    "ip": lambda rng, form, locale: contacts.ip(rng, locale, form),
    "credit_card": _card,
    "bank_account": _account,
    "driver_license": _licence,
    "crypto_address": _crypto,
    "street_address": _street,
}


def near(rng: random.Random, kind: str) -> str:
    """A near miss: the form of the kind with a check that fails."""
    if kind == "crypto_address":
        return accounts.bad_btc(rng)
    if kind == "credit_card":
        value = NEAR[kind](rng)
        return value if rng.random() < 0.4 else accounts.grouped_card(rng, value)
    return usual(rng, kind, NEAR[kind](rng))


def filler(rng: random.Random, what: str, locale: str) -> str:
    """Names, towns, amounts, codes: nothing of a structured kind."""
    if what in decoys.DECOYS:
        while any_holds(value := decoys.DECOYS[what](rng)):
            pass
        return value
    fake = contacts.seeded(locale, rng)
    makers: dict[str, Callable[[], str]] = {
        "name": fake.name,
        "first": fake.first_name,
        "last": fake.last_name,
        "country": contacts.seeded("en_US", rng).country,
        "company": fake.company,
        "city": fake.city,
        "job": fake.job,
        "word": contacts.seeded("en_US", rng).word,
        "state": contacts.seeded("en_US", rng).state_abbr,
        "date": lambda: contacts.dated(rng, locale, fake.date_between("-15y", "+1y")),
        "prose": lambda: fake.paragraph(nb_sentences=5),
    }
    return makers[what]()
