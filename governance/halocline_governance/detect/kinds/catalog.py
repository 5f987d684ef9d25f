"""Every kind of structured personal data: what it is, what confirms it, where that is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind is, what confirms it, and where that check is written down.

    A kind that is not `personal` says nothing about a person by itself; scrubbing leaves it alone
    unless it is asked for.
    """

    name: str
    what: str
    check: str
    source: str
    personal: bool = True


_TABLE = (
    Kind("email", "e-mail address, also spelt with at and dot", "form", "RFC 5321"),
    Kind("phone", "telephone or fax number", "libphonenumber", "ITU-T E.164"),
    Kind("ip", "IPv4 or IPv6 address, not loopback", "ranges", "RFC 791, RFC 4291"),
    Kind("mac", "network hardware address", "form", "IEEE 802"),
    Kind("credit_card", "payment card number", "Luhn, issuer, length", "ISO/IEC 7812-1"),
    Kind("iban", "international bank account", "mod 97, length by country", "ISO 13616"),
    Kind("bic", "bank identifier, in context", "form, country", "ISO 9362", personal=False),
    Kind("us_ssn", "US social security number", "ranges", "SSA POMS RM 10201.035"),
    Kind("us_itin", "US individual taxpayer number", "ranges", "IRS Publication 1915"),
    Kind("us_ein", "US employer id, in context", "prefixes", "IRS Publication 1635"),
    Kind(
        "us_routing_number",
        "US bank routing number, in context",
        "weights 3 7 1",
        "ABA",
        personal=False,
    ),
    Kind("us_medicare", "US Medicare beneficiary id", "form", "CMS MBI format"),
    Kind("uk_nino", "UK national insurance number", "prefixes", "HMRC NIM39110"),
    Kind("uk_nhs", "UK NHS number, in context", "mod 11", "NHS Data Dictionary"),
    Kind("uk_utr", "UK taxpayer reference, in context", "weighted mod 11", "HMRC"),
    Kind("de_tax_id", "German tax id, in context", "ISO 7064 mod 11,10", "AO section 139b"),
    Kind("de_social_security", "German pension insurance number", "weighted mod 10", "VKVV"),
    Kind("es_nif", "Spanish DNI or NIE", "mod 23 letter", "Real Decreto 1553/2005"),
    Kind(
        "es_cif",
        "Spanish company tax id, in context",
        "control digit",
        "Orden EHA/451/2008",
        personal=False,
    ),
    Kind("fr_nir", "French social security number", "mod 97", "INSEE NIR"),
    Kind("it_codice_fiscale", "Italian tax code", "check letter", "DM 23/12/1976"),
    Kind("pl_pesel", "Polish PESEL, in context", "weighted mod 10, date", "Ustawa 2010"),
    Kind("nl_bsn", "Dutch citizen number, in context", "weighted mod 11", "RvIG"),
    Kind("se_personnummer", "Swedish personal number", "Luhn, date", "SKV 704"),
    Kind("ch_ahv", "Swiss social insurance number", "EAN-13", "ZAS"),
    Kind("br_cpf", "Brazilian CPF", "two check digits", "Receita Federal"),
    Kind("in_aadhaar", "Indian Aadhaar number", "Verhoeff", "UIDAI"),
    Kind("in_pan", "Indian permanent account number", "form, holder type", "Rule 114"),
    Kind("au_tfn", "Australian tax file number, in context", "weighted mod 11", "ATO"),
    Kind("au_abn", "Australian business number, in context", "weighted mod 89", "ABR"),
    Kind(
        "au_medicare",
        "Australian Medicare number, in context",
        "weighted mod 10",
        "Services Australia",
    ),
    Kind("ca_sin", "Canadian social insurance number", "Luhn", "Service Canada"),
    Kind("sg_nric", "Singapore NRIC or FIN", "weighted mod 11 letter", "ICA"),
    Kind("passport", "passport number beside a word for it", "context", "ICAO 9303"),
    Kind("driver_license", "driving licence number", "context, DVLA form", "own, DVLA"),
    Kind("date_of_birth", "date beside a word for birth", "context", "own"),
    Kind("url_credentials", "URL with user and password", "form", "RFC 3986 section 3.2.1"),
    Kind("url", "URL", "form", "RFC 3986", personal=False),
    Kind("crypto_address", "crypto-currency address", "base58check, BIP 173, EIP-55", "BIPs"),
    Kind("bank_account", "account number beside a word for it", "context", "own"),
    Kind("street_address", "street line or post box", "form", "own"),
    Kind("postcode", "postcode beside a word for it, or British", "context", "own, BS 7666"),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
PERSONAL = frozenset(kind.name for kind in _TABLE if kind.personal)

LIMITS = (
    "names of people and organisations",
    "a national number without separators and without a word beside it",
    "identifiers broken over more than two lines",
)
"""What it cannot find: `docs/detectors.md`. A change of this changes the detector's version."""
