"""National ids that hold letters: NINO, NIF, NIE, CIF, codice fiscale, NRIC, PAN, MBI and others.

A check letter makes most of them sure by themselves; those without one need their form in upper
case, or a word that names them.
"""

from __future__ import annotations

import re

from halocline_governance.detect.kinds.national import NIR, numbers
from halocline_governance.detect.kinds.shape import NOT_AFTER, Check, Shape, compact, tried
from halocline_governance.detect.kinds.words import Words, denied

_nino_words = Words("nino", "ni", "national insurance*", "insurance n*", "nat ins")
_NINO_VOID = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
_nif_words = Words("nif", "dni", "nie", "documento nacional*", "d.n.i.", "identidad", "n.i.f.")
_cif_words = Words("cif", "nif", "c.i.f.", "vat*", "iva", "tax id*", "empresa", "sociedad")
_nric_words = Words("nric", "fin", "identity card", "work permit", "ic", "singpass")
_pan_words = Words("pan", "permanent account*", "income tax*")
_mbi_words = Words("mbi", "medicare*", "beneficiary*")
_svnr_words = Words(
    "sozialvers*",
    "rentenvers*",
    "rvnr",
    "svnr",
    "sv nummer",
    "sv nr",
    "versicherungsnummer",
    "versicherungsnr",
    "vsnr",
)
_licence_words = Words("driv*", "licen*", "dvla", "dl")


def _nino(match: re.Match[str]) -> float:
    if compact(match[0])[:2] in _NINO_VOID:
        return 0.0
    near = _nino_words.near(match)
    if near:
        return 0.91 + near / 20
    return 0.7 if match[0].isupper() and not denied(match) else 0.0


def _by(module: str, words: Words, alone: float) -> Check:
    def check(match: re.Match[str]) -> float:
        if not numbers(module).is_valid(compact(match[0])):
            return 0.0
        near = words.near(match)
        if near:
            return 0.91 + near / 20
        return alone if match[0].upper() == match[0] and not denied(match) else 0.0

    return check


_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
_NRIC_SERIES = {"S": ("S", 0), "T": ("S", 4), "F": ("F", 0), "G": ("F", 4), "M": ("M", 3)}


def _nric(match: re.Match[str]) -> float:
    value = match[0].upper()
    letters, offset = _NRIC_SERIES[value[0]]
    total = offset + sum(
        weight * int(digit) for weight, digit in zip((2, 7, 6, 5, 4, 3, 2), value[1:8], strict=True)
    )
    if _NRIC_LETTERS[letters][total % 11] != value[8]:
        return 0.0
    if _nric_words.near(match):
        return 0.95
    return 0.75 if match[0].isupper() else 0.0


def svnr_valid(value: str) -> bool:
    """VKVV (German pension insurance): weights, digit sums, modulo 10; the letter as two digits."""
    number = value[:8] + f"{ord(value[8]) - 64:02d}" + value[9:11]
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    total = sum(sum(divmod(w * int(d), 10)) for w, d in zip(weights, number, strict=True))
    return total % 10 == int(value[11])


def _svnr(match: re.Match[str]) -> float:
    value = compact(match[0])
    if not svnr_valid(value) or not (1 <= int(value[4:6]) <= 12 and 1 <= int(value[2:4]) <= 81):
        return 0.0
    return 0.95 if _svnr_words.near(match) else 0.6


def _mbi(match: re.Match[str]) -> float:
    if _mbi_words.near(match):
        return 0.95
    return 0.6 if "-" in match[0] and not denied(match) else 0.0


def _nir(match: re.Match[str]) -> float:
    if not numbers("fr.nir").is_valid(compact(match[0])):
        return 0.0
    return 0.95 if NIR.near(match) else 0.85


def _dvla(match: re.Match[str]) -> float:
    month = int(match[0][6:8])
    if not (1 <= month <= 12 or 51 <= month <= 62) or not 1 <= int(match[0][8:10]) <= 31:
        return 0.0
    return 0.95 if _licence_words.near(match) else 0.75


def _shape(kind: str, pattern: str, check: Check) -> Shape:
    return Shape(kind, re.compile(pattern + NOT_AFTER, re.IGNORECASE), check)


_A = "[AC-HJKMNP-RT-Y]"
_AN = "[AC-HJKMNP-RT-Y0-9]"

LETTERED = tried(
    _shape(
        "uk_nino",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]",
        _nino,
    ),
    _shape("es_nif", r"\d{8}[- ]?[A-Z]", _by("es.dni", _nif_words, 0.8)),
    _shape("es_nif", r"\d{2}\.\d{3}\.\d{3}[- ]?[A-Z]", _by("es.dni", _nif_words, 0.8)),
    _shape("es_nif", r"[XYZ][- ]?\d{7}[- ]?[A-Z]", _by("es.nie", _nif_words, 0.8)),
    _shape("es_cif", r"[A-HJNP-SUVW][- ]?\d{7}[- ]?[0-9A-J]", _by("es.cif", _cif_words, 0.0)),
    _shape(
        "it_codice_fiscale",
        r"[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z]",
        _by("it.codicefiscale", Words("codice fiscale", "cf", "c.f."), 0.95),
    ),
    _shape("sg_nric", r"[STFGM]\d{7}[A-Z]", _nric),
    _shape("in_pan", r"[A-Z]{5}\d{4}[A-Z]", _by("in_.pan", _pan_words, 0.7)),
    _shape("us_medicare", rf"[1-9]{_A}{_AN}\d-?{_A}{_AN}\d-?{_A}{{2}}\d{{2}}", _mbi),
    _shape("de_social_security", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", _svnr),
    _shape("fr_nir", r"[12]([ .-]?)\d{2}\1\d{2}\1(?:2[AB])\1\d{3}\1\d{3}[ .-]?\d{2}", _nir),
    _shape("driver_license", r"[A-Z9]{5}\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}", _dvla),
)
