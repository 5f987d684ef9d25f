"""National and tax ids, passports and dates of birth. Checks: python-stdnum, and context words.

A number whose checksum one random number in ten passes counts only beside a word that names it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from halocline_governance.detect.kinds.shape import (
    NOT_AFTER,
    Check,
    Family,
    Shape,
    compact,
    context,
    digits,
)


class _Numbers(Protocol):
    def is_valid(self, number: str) -> bool: ...


@cache
def _numbers(module: str) -> _Numbers:
    return cast(_Numbers, import_module(f"stdnum.{module}"))


def _checked(module: str, sure: float, unsure: float, words: str) -> Check:
    """`sure` beside one of the words, `unsure` elsewhere; 0 if stdnum's check fails."""
    near = context(words)

    def check(match: re.Match[str]) -> float:
        if not _numbers(module).is_valid(compact(match)):
            return 0.0
        return sure if near(match) else unsure

    return check


_ssn_words = context(r"ssn|soc(?:ial)? sec(?:urity)?|social|tax ?payer|tin")
_SSN_VOID = {"078051120", "219099999", "123456789", "987654321"}


def _ssn(match: re.Match[str]) -> float:
    number = digits(match)
    area, group, serial = number[:3], number[3:5], number[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return 0.0
    if number in _SSN_VOID:
        return 0.0
    if _ssn_words(match):
        return 0.95
    return 0.8 if match[0][3] == "-" else 0.0


_nino_words = context(r"nino|national insurance|ni (?:no|number)|insurance n(?:o|umber)")
_NINO_VOID = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _nino(match: re.Match[str]) -> float:
    if compact(match)[:2] in _NINO_VOID:
        return 0.0
    return 0.95 if _nino_words(match) else 0.7


_aadhaar_words = context(r"aadha+r|uidai?|uid")
_YEARS = re.compile(r"(?:(?:19|20)\d\d ?){3}\Z")


def _aadhaar(match: re.Match[str]) -> float:
    if _YEARS.match(match[0]) or not _numbers("in_.aadhaar").is_valid(digits(match)):
        return 0.0
    if _aadhaar_words(match):
        return 0.95
    return 0.6 if not match[0].isdigit() else 0.0


_sin_words = context(r"sin|social insurance|num[eé]ro d'assurance sociale|nas")


def _sin(match: re.Match[str]) -> float:
    if not _numbers("ca.sin").is_valid(digits(match)):
        return 0.0
    if _sin_words(match):
        return 0.95
    return 0.6 if match[0][3] == "-" else 0.0


def _nif(match: re.Match[str]) -> float:
    value = compact(match)
    module = "es.nie" if value[0] in "XYZ" else "es.dni"
    return 0.8 if _numbers(module).is_valid(value) else 0.0


_nric_words = context(r"nric|fin|identity card|work permit")
_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
_NRIC_SERIES = {"S": ("S", 0), "T": ("S", 4), "F": ("F", 0), "G": ("F", 4), "M": ("M", 3)}


def _nric(match: re.Match[str]) -> float:
    letters, offset = _NRIC_SERIES[match[0][0]]
    total = offset + sum(
        weight * int(digit)
        for weight, digit in zip((2, 7, 6, 5, 4, 3, 2), match[0][1:8], strict=True)
    )
    if _NRIC_LETTERS[letters][total % 11] != match[0][8]:
        return 0.0
    return 0.95 if _nric_words(match) else 0.75


def _always(match: re.Match[str]) -> float:
    return 0.9


def _passport(match: re.Match[str]) -> float:
    return 0.85 if sum(map(str.isdigit, match["v"])) >= 5 else 0.0


def _shape(kind: str, pattern: str, check: Check, flags: int = 0) -> Shape:
    return Shape(kind, re.compile(pattern, flags), check)


BY_DIGIT = (
    _shape("us_ssn", rf"\d{{3}}([- ]?)\d{{2}}\1\d{{4}}{NOT_AFTER}", _ssn),
    _shape(
        "de_tax_id",
        rf"(?:\d{{11}}|\d{{2}} \d{{3}} \d{{3}} \d{{3}}){NOT_AFTER}",
        _checked(
            "de.idnr",
            0.95,
            0.0,
            r"steuer-?(?:id|identifikationsnummer|nummer|nr)|idnr|id-nr|tax id|tin|tax number",
        ),
    ),
    _shape("es_nif", rf"\d{{8}}-?[A-Z]{NOT_AFTER}", _nif),
    _shape(
        "fr_nir",
        rf"[12] ?\d{{2}} ?\d{{2}} ?\d[\dAB] ?\d{{3}} ?\d{{3}} ?\d{{2}}{NOT_AFTER}",
        _checked("fr.nir", 0.95, 0.85, r"nir|s[eé]curit[eé] sociale|insee|num[eé]ro de s[eé]cu"),
    ),
    _shape(
        "pl_pesel",
        rf"\d{{11}}{NOT_AFTER}",
        _checked("pl.pesel", 0.95, 0.0, r"pesel|nr ewidencyjny|national id"),
    ),
    _shape(
        "in_aadhaar", rf"(?<!\d )[2-9]\d{{3}}([ -]?)\d{{4}}\1\d{{4}}(?! \d){NOT_AFTER}", _aadhaar
    ),
    _shape(
        "au_tfn",
        rf"\d{{3}}([ -]?)\d{{3}}\1\d{{2,3}}{NOT_AFTER}",
        _checked("au.tfn", 0.95, 0.0, r"tfn|tax file(?: (?:number|no))?"),
    ),
    _shape("ca_sin", rf"\d{{3}}([ -]?)\d{{3}}\1\d{{3}}{NOT_AFTER}", _sin),
)

BY_UPPER = (
    _shape(
        "uk_nino",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]( ?)\d{2}\1\d{2}\1\d{2}\1[A-D]" + NOT_AFTER,
        _nino,
    ),
    _shape("es_nif", rf"[XYZ]-?\d{{7}}-?[A-Z]{NOT_AFTER}", _nif),
    _shape(
        "it_codice_fiscale",
        r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]" + NOT_AFTER,
        _checked("it.codicefiscale", 0.95, 0.95, r"codice fiscale"),
    ),
    _shape(
        "sg_nric",
        rf"[STFGM]\d{{7}}[A-Z]{NOT_AFTER}",
        _nric,
    ),
)

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|m[aä]rz|mai|okt|dez|f[eé]v|avr"
    r"|juin|juil|ao[uû]t|enero|ene|abr|ago|dic)[a-zé]{0,7}\.?"
)
_DATE = (
    r"(?:\d{1,2}(?P<a>[-/.])\d{1,2}(?P=a)(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}(?P<b>[-/.])\d{1,2}(?P=b)\d{1,2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?{_MONTH},? (?:19|20)\d{{2}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}})"
)
_BORN = (
    r"(?:birth(?: ?(?:day|date))?|(?<![^\W_])(?:born|d\.?o\.?b\b\.?|geboren|geburtsdatum|n[eé]e? le"
    r"|naissance|nacimiento|nacid[oa]|nascita|nat[oa] il))"
)
_FILLER = r"[^\w\n<>]{0,4}(?:(?:on|is|was|am|the|el|le|il)\b[^\w\n<>]{0,3}){0,2}"

BIRTH = Family(
    ("birth", "born", "dob", "d.o.b", "geb", "né", "ne le", "nee le", "nai", "nac", "nas", "nat"),
    (_shape("date_of_birth", rf"{_BORN}{_FILLER}(?P<v>{_DATE})(?!\w)", _always, re.IGNORECASE),),
)

_PASS = r"(?i:passport|passeport|reisepass|pasaporte|passaporto)"
PASSPORT = Family(
    ("passport", "passeport", "reisepass", "pasaporte", "passaporto"),
    (
        _shape(
            "passport",
            rf"{_PASS}(?:(?i:-?nummer))?[ \t:#.()-]{{0,4}}"
            rf"(?i:(?:number|num|no|nr|id|is|was|n[°º])[ \t:#.()-]{{1,4}}){{0,3}}"
            rf"(?P<v>[A-Z]{{0,3}}\d{{5,9}}[A-Z]{{0,2}}|[A-Z0-9]{{8,9}}){NOT_AFTER}",
            _passport,
        ),
    ),
)
