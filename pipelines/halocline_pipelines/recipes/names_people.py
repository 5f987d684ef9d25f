"""Draws people, firms and places for the templates, in the many ways that they are written."""

from __future__ import annotations

import random
from dataclasses import dataclass

from halocline_pipelines.recipes import names_words as words
from halocline_pipelines.recipes.names_lexicon import Pools
from halocline_pipelines.recipes.names_words import listed

_STARTS = listed(
    "Ax Bel Cor Dyn En Fin Gal Hel In Jun Kal Lum Max Nov Om Pro Quan Ret Sol Tel Un Ver Wex "
    "Xen Yor Zen Alt Bright Clear Data Deep Ever Fair Green High Iron Key Lake Moon North "
    "Open Pine Quick Red Silver Stone True Blue Cloud Core Edge First Gold Oak Peak River Sky "
    "Star Summit Sun Swift Wild"
)
_ENDS = listed(
    "a ia ix ex on um is ara ento era ix ora us tek tech soft ware ly ify io sys net gen core "
    "mark point path wave stone field bridge light works craft forge base hub line link wood "
    "port view"
)
_TRADES = listed(
    "Systems Technologies Solutions Partners Capital Holdings Group Industries Logistics "
    "Foods Pharmaceuticals Energy Consulting Labs Networks Software Media Airlines Insurance "
    "Motors Securities Ventures Analytics Robotics Textiles Properties Healthcare Biosciences "
    "Mining Steel Trading Construction Electronics Hotels Shipping Beverages Chemicals "
    "Services International Global Bank Studios Interactive Dynamics Materials Instruments "
    "Aerospace Brewing Farms Outfitters"
)
_ENDINGS = listed(
    "Inc.|Inc|, Inc.|, Inc|Corp.|Corporation|LLC|, LLC|Ltd.|Ltd|Limited|PLC|plc|"
    "GmbH|AG|S.A.|SA|S.p.A.|B.V.|NV|AB|Oy|A/S|ASA|SE|Pty Ltd|Pvt. Ltd.|"
    "Private Limited|& Co.|Co.|Company|LLP|, L.P.|LP|GmbH & Co. KG|K.K.|Sdn Bhd|"
    "S.à r.l.|Sp. z o.o.|Group|Holdings"
)
_BODIES = listed(
    "University of {C}|{C} University|{C} General Hospital|Bank of {C}|{C} City Council|"
    "{C} Police Department|St. {F} Hospital|{L} Foundation|{L} Institute|Ministry of {T}|"
    "Department of {T}|{C} Chamber of Commerce|{N} Football Association|{C} High School|"
    "{L} & {L} LLP|{C} United|National Bank of {N}|{L} College|{C} School District|"
    "{L} Museum of Art|{C} Symphony Orchestra|Royal {T} Society|{N} Airlines|{C} Times|"
    "{C} Herald|{C} Daily News|First {L} Bank|{L} Family Trust|Institute for {T} Studies|"
    "{C} Medical Center|International {T} Agency|{T} Workers Union|{C} Credit Union|"
    "{L} Brothers|{L}'s|The {L} Group|{C} Public Library|{C} Municipal Court"
)
_TOPICS = listed(
    "Health Education Energy Agriculture Transport Justice Labor Defense Finance Housing "
    "Commerce Science Fisheries Tourism Trade Veterans Research Water Youth Climate"
)
_PARTICLES = (
    "de", "van", "von", "van der", "de la", "del", "da", "dos", "di", "al-", "El", "bin", "ter",
    "Le", "Mac", "Mc", "O'", "O’", "D'", "St.",
)  # fmt: skip
_SUFFIXES = ("Jr.", "Sr.", "III", "II", "IV", ", Jr.", "Jr")


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `full` is how the text mostly writes the name."""

    first: str
    last: str
    full: str

    def handle(self, rng: random.Random) -> str:
        """The local part of an address."""
        first, last = self.first.lower().split()[0], self.last.lower().split()[-1]
        forms = (
            f"{first}.{last}",
            f"{first[:1]}{last}",
            f"{first}_{last}",
            first,
            f"{last}{first[:1]}",
        )
        return "".join(c for c in rng.choice(forms) if c.isascii() and c not in "'’ ")


def person(rng: random.Random, pools: Pools) -> Person:
    culture = rng.randrange(len(pools.first))
    first = rng.choice(pools.first[culture])
    last = rng.choice(pools.last[culture] if rng.random() < 0.85 else rng.choice(pools.last))
    draw = rng.random()
    if draw < 0.06:
        particle = rng.choice(_PARTICLES)
        last = f"{particle}{'' if particle[-1] in '-cC’' + chr(39) else ' '}{last}"
    elif draw < 0.12:
        last = f"{last}-{rng.choice(pools.last[culture])}"
    elif draw < 0.15:
        first = f"{first}-{rng.choice(pools.first[culture])}"
    return Person(first, last, _full(rng, pools, culture, first, last))


def _full(rng: random.Random, pools: Pools, culture: int, first: str, last: str) -> str:
    draw = rng.random()
    initial = rng.choice("ABCDEFGHJKLMNPRSTW")
    if draw < 0.62:
        return f"{first} {last}"
    if draw < 0.74:
        return f"{first} {initial}. {last}"
    if draw < 0.80:
        return f"{first[0]}. {last}"
    if draw < 0.83:
        return f"{first[0]}.{rng.choice(('', ' '))}{initial}. {last}"
    if draw < 0.90:
        return f"{first} {rng.choice(pools.first[culture])} {last}"
    if draw < 0.93:
        return f"{first} {initial} {last}"
    if draw < 0.96:
        return f"{first} {last}{rng.choice(_SUFFIXES)}".replace(f"{last}J", f"{last} J").replace(
            f"{last}S", f"{last} S").replace(f"{last}I", f"{last} I")  # fmt: skip
    return f"{last} {first}" if draw < 0.98 else f"{first} {rng.choice(pools.last[culture])} {last}"


def firm(rng: random.Random, pools: Pools) -> str:
    draw = rng.random()
    if draw < 0.28:
        return rng.choice(pools.firms)
    if draw < 0.42:
        return _body(rng, pools)
    stem = _stem(rng, pools)
    if draw < 0.52:
        return stem
    name = f"{stem} {rng.choice(_TRADES)}" if rng.random() < 0.7 else stem
    if draw < 0.70:
        return name
    ending = rng.choice(_ENDINGS)
    return f"{name}{ending}" if ending.startswith(",") else f"{name} {ending}"


def _stem(rng: random.Random, pools: Pools) -> str:
    draw = rng.random()
    lasts = rng.choice(pools.last)
    if draw < 0.3:
        return rng.choice(lasts)
    if draw < 0.4:
        return (
            f"{rng.choice(lasts)} {rng.choice(('&', 'and', '-', '&'))} {rng.choice(lasts)}".replace(
                " - ", "-"
            )
        )
    if draw < 0.65:
        return rng.choice(_STARTS) + rng.choice(_ENDS)
    if draw < 0.75:
        return rng.choice(_STARTS) + rng.choice(_STARTS)
    if draw < 0.85:
        return f"{rng.choice(_STARTS[25:])} {rng.choice(_STARTS[25:])}"
    if draw < 0.93:
        return "".join(
            rng.choice("ABCDEFGHIKLMNOPRSTVWXZ") for _ in range(rng.choice((2, 3, 3, 4)))
        )
    return f"{rng.choice(pools.cities)}"


def _body(rng: random.Random, pools: Pools) -> str:
    name = rng.choice(_BODIES)
    for slot, values in (
        ("{C}", pools.cities), ("{N}", pools.countries), ("{T}", _TOPICS),
        ("{L}", rng.choice(pools.last)), ("{F}", rng.choice(pools.first)),
    ):  # fmt: skip
        while slot in name:
            name = name.replace(slot, rng.choice(values), 1)
    return name


def city(rng: random.Random, pools: Pools) -> str:
    """Half of them of the cities that texts speak of."""
    known = [name for name in pools.cities if name in _KNOWN]
    return rng.choice(known) if known and rng.random() < 0.5 else rng.choice(pools.cities)


_KNOWN = frozenset(words.CITIES)
