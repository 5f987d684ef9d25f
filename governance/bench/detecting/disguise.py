"""One value as different people write it: grouped, spaced, with other digits, over two lines.

Knows no kind's check. A disguise keeps what a person would still read as the same value.
"""

import random
import re

_DIGITS = ("٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९")
_NBSP, _NNBSP, _DASHES = "\u00a0", "\u202f", ("\u2011", "\u2013", "\u2010")

# How each kind is grouped where people group it: sizes, and what stands between.
GROUPS: dict[str, tuple[tuple[int, ...], str]] = {
    "us_ssn": ((3, 2, 4), "-"),
    "us_itin": ((3, 2, 4), "-"),
    "uk_nino": ((2, 2, 2, 2, 1), " "),
    "uk_nhs": ((3, 3, 4), " "),
    "de_tax_id": ((2, 3, 3, 3), " "),
    "es_nif": ((8, 1), "-"),
    "fr_nir": ((1, 2, 2, 2, 3, 3, 2), " "),
    "in_aadhaar": ((4, 4, 4), " "),
    "au_tfn": ((3, 3, 3), " "),
    "ca_sin": ((3, 3, 3), "-"),
    "us_ein": ((2, 7), "-"),
    "us_medicare": ((4, 3, 4), "-"),
    "uk_utr": ((5, 5), " "),
    "nl_bsn": ((4, 2, 3), "."),
    "se_personnummer": ((6, 4), "-"),
    "ch_ahv": ((3, 4, 4, 2), "."),
    "au_abn": ((2, 3, 3, 3), " "),
    "au_medicare": ((4, 5, 1), " "),
}


def grouped(kind: str, value: str, by: str = "") -> str:
    """The value in its usual groups; an IBAN in fours."""
    if kind == "iban":
        sizes, usual = (4,) * (len(value) // 4), " "
    elif kind in GROUPS:
        sizes, usual = GROUPS[kind]
    else:
        return value
    parts: list[str] = []
    for size in sizes:
        parts.append(value[:size])
        value = value[size:]
    return (by or usual).join([*parts, value] if value else parts)


def usual(rng: random.Random, kind: str, value: str) -> str:
    """Grouped or not, as it is usually seen; a US number always with its dashes."""
    if kind in ("us_ssn", "us_itin", "us_ein", "se_personnummer"):
        return grouped(kind, value)
    if kind == "br_cpf":
        return f"{value[:3]}.{value[3:6]}.{value[6:9]}-{value[9:]}"
    if kind == "es_nif":
        return grouped(kind, value) if value[0].isdigit() and rng.random() < 0.3 else value
    if kind == "ca_sin":
        return grouped(kind, value, rng.choice("- "))
    return grouped(kind, value) if rng.random() < 0.6 else value


def disguised(rng: random.Random, value: str) -> str:
    """Separators or digits changed. What has neither separators nor digits stays."""
    form = rng.randrange(7)
    if form == 0 and " " in value:
        return value.replace(" ", rng.choice([_NBSP, _NNBSP]))
    if form == 1 and "-" in value:
        return value.replace("-", rng.choice(_DASHES))
    if form == 2 and re.search(r"\d", value):
        return value.translate(str.maketrans("0123456789", rng.choice(_DIGITS)))
    if form == 3 and re.search(r"\d[ -]\d", value):
        return re.sub(r"[ -]", rng.choice([".", "-", " "]), value)
    if form == 4 and re.search(r"\d[ -]\d", value):
        return re.sub(r"(?<=\d)[ -](?=\d)", " - " if rng.random() < 0.4 else "  ", value)
    if form == 5 and re.search(r"\d \d", value):
        gaps = [match.start() + 1 for match in re.finditer(r"\d \d", value)]
        at = rng.choice(gaps)
        return value[:at] + "\n" + value[at + 1 :]
    return value
