"""Structured personal data: anchors by regex, shapes at the anchors, checksums, context words.

Knows no names of people and no policy. Hits that overlap are one finding: it covers them all, and
takes the kind of the longest hit, then the surest, then the first in `KINDS`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from halocline_governance.detect.face import ByText
from halocline_governance.detect.kinds import contact, identity, money, network, postal
from halocline_governance.detect.kinds.shape import REACH, RIGHT, Family, Hit
from halocline_governance.detect.verdict import Finding, Span, byte_offsets


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind is, what confirms it, and where that check is written down."""

    name: str
    what: str
    check: str
    source: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("email", "e-mail address, also spelt with [at] and [dot]", "form", "RFC 5321"),
        Kind("phone", "telephone or fax number", "libphonenumber", "ITU-T E.164"),
        Kind("ip", "IPv4 or IPv6 address, not loopback", "ranges", "RFC 791, RFC 4291"),
        Kind("mac", "network hardware address", "form", "IEEE 802"),
        Kind("credit_card", "payment card number", "Luhn, issuer, length", "ISO/IEC 7812-1"),
        Kind("iban", "international bank account", "mod 97, length by country", "ISO 13616"),
        Kind("us_ssn", "US social security number", "ranges", "SSA POMS RM 10201.035"),
        Kind("uk_nino", "UK national insurance number", "prefixes", "HMRC NIM39110"),
        Kind("de_tax_id", "German tax id, in context", "ISO 7064 mod 11,10", "AO section 139b"),
        Kind("es_nif", "Spanish DNI or NIE", "mod 23 letter", "Real Decreto 1553/2005"),
        Kind("fr_nir", "French social security number", "mod 97", "INSEE NIR"),
        Kind("it_codice_fiscale", "Italian tax code", "check letter", "DM 23/12/1976"),
        Kind("pl_pesel", "Polish PESEL, in context", "weighted mod 10, date", "Ustawa 2010"),
        Kind("in_aadhaar", "Indian Aadhaar number", "Verhoeff", "UIDAI"),
        Kind("au_tfn", "Australian tax file number, in context", "weighted mod 11", "ATO"),
        Kind("ca_sin", "Canadian social insurance number", "Luhn", "Service Canada"),
        Kind("sg_nric", "Singapore NRIC or FIN", "weighted mod 11 letter", "ICA"),
        Kind("date_of_birth", "date beside a word for birth", "context", "own"),
        Kind("url_credentials", "URL with user and password", "form", "RFC 3986 section 3.2.1"),
        Kind(
            "crypto_address", "Bitcoin or Ethereum address", "base58check, BIP 173, EIP-55", "BIPs"
        ),
        Kind("bank_account", "account number beside a word for it", "context", "own"),
        Kind("passport", "passport number beside a word for it", "context", "ICAO 9303"),
        Kind("street_address", "street line or post box", "form", "own"),
    )
}

LIMITS = (
    "names of people and organisations",
    "a national number without separators and without a word beside it",
    "identifiers broken over two lines",
)
"""What it cannot find: `docs/detectors.md`. A change of this changes the version below."""

_RANK = {name: rank for rank, name in enumerate(KINDS)}

_FAMILIES = (
    Family(
        re.compile(
            r"[0-9+(](?<!\w.)(?<!\d[-.,/:].)(?=(?:[ .()\-/]{0,3}[0-9]){5})",
        ),
        (money.CARD, *identity.BY_DIGIT, *contact.PHONES),
    ),
    Family(
        re.compile(r"[A-Z](?<!\w.)(?=[A-Z]{0,5}[ -]?[0-9][0-9LMNP-V])"),
        (money.IBAN, *identity.BY_UPPER),
    ),
    identity.BIRTH,
    identity.PASSPORT,
    money.ACCOUNT,
    money.CRYPTO,
    network.IPV4,
    network.COLONS,
    network.CISCO,
    postal.STREET,
)


@dataclass(frozen=True, slots=True)
class PiiDetector(ByText):
    """Every kind in `KINDS`, or the ones named."""

    kinds: frozenset[str] = frozenset(KINDS)
    id: str = "pii@1"

    def __post_init__(self) -> None:
        if unknown := sorted(self.kinds - set(KINDS)):
            raise ValueError(f"unknown kinds: {', '.join(unknown)}; choose from detect.pii.KINDS")

    def holdback(self, text: str) -> int:
        """No hit crosses a line end, none reaches further than REACH and the words beside it."""
        line = text.rpartition("\n")[2][-(REACH + RIGHT) :]
        return len(line.encode("utf-8", "surrogatepass"))

    def find(self, text: str) -> Finding:
        hits = merged(hit for hit in _hits(folded(text)) if hit.kind in self.kinds)
        offsets = byte_offsets(text, [at for hit in hits for at in (hit.start, hit.end)])
        return Finding(
            tuple(Span(offsets[hit.start], offsets[hit.end], hit.kind, hit.score) for hit in hits)
        )


def _hits(text: str) -> Iterator[Hit]:
    lowered = text.lower()
    yield from contact.emails(text, lowered)
    yield from contact.urls(text, lowered)
    for family in _FAMILIES:
        yield from family.hits(text, lowered)


def merged(hits: Iterator[Hit]) -> list[Hit]:
    """Overlapping hits as one, by the rule of this module; in order of their start."""
    result: list[Hit] = []
    cluster: list[Hit] = []
    end = 0
    for hit in sorted(hits, key=lambda hit: (hit.start, hit.end)):
        if cluster and hit.start >= end:
            result.append(_one(cluster))
            cluster = []
        cluster.append(hit)
        end = max(hit.end, end if len(cluster) > 1 else 0)
    return [*result, _one(cluster)] if cluster else result


def _one(cluster: list[Hit]) -> Hit:
    best = max(cluster, key=lambda hit: (hit.end - hit.start, hit.score, -_RANK[hit.kind]))
    start = min(hit.start for hit in cluster)
    return Hit(start, max(hit.end for hit in cluster), best.kind, best.score)


_TURKISH = {"\u0131": "i", "\u0130": "I"}


def folded(text: str) -> str:
    """The text with digits, dashes, spaces and wide letters in ASCII, character for character."""
    if text.isascii():
        return text
    for char in set(text):
        if not char.isascii() and (plain := _plain(char)) != char:
            text = text.replace(char, plain)
    return text


def _plain(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(char)
    if category in ("Zs", "Pd"):
        return " " if category == "Zs" else "-"
    plain = _TURKISH.get(char) or unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 and plain.isascii() else char
