"""Fills the templates: texts with the names in them, at known places, by a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from halocline_pipelines.recipes import names_people as people
from halocline_pipelines.recipes import names_words as words
from halocline_pipelines.recipes.names_held import HELD
from halocline_pipelines.recipes.names_lexicon import Pools, pools
from halocline_pipelines.recipes.names_phrases import MIXED, PHRASES
from halocline_pipelines.recipes.names_silver import Example
from halocline_pipelines.recipes.names_templates import TRAIN
from halocline_pipelines.recipes.names_words import listed

_SLOT = re.compile(r"\{([A-Za-z$#]+)(\d?)\}")
_ROLES = listed(
    "CEO|Managing Director|Senior Engineer|Account Manager|Chief Financial Officer|"
    "Sales Manager|Software Developer|Nurse|Professor|Chairman|Vice President|"
    "Head of Marketing|President|Director|Head Coach|Data Analyst|Project Manager|"
    "Treasurer|Office Manager|Teacher|Attorney|Consultant"
)
_TITLES = listed(
    "Mr. Mrs. Ms. Dr. Prof. Mr Ms Dr Miss Sir President Senator Judge Professor Captain"
)
_NATIONS = listed(
    "American British French German Indian Chinese Japanese Canadian Mexican Spanish Italian "
    "Polish Swedish Dutch Nigerian Brazilian Turkish Russian Korean Irish Greek Australian"
)
_PRODUCTS = listed(
    "iPhone 12|Galaxy S21|Windows 11|PlayStation|Excel|PowerPoint|Model X|Android|"
    "Premium Plan|Gold Card|Laser Printer|Java|Python|Docker|Kubernetes|Outlook|"
    "Thunderbolt Cable|Cloud Basic|Turbo 3000"
)
_DEPARTMENTS = listed(
    "Finance|Marketing|Human Resources|Legal|Sales|Engineering|Operations|Purchasing|"
    "Support|IT|Accounts Payable|Customer Service|Research|Quality"
)
_HEADINGS = listed(
    "Quarterly Review|Next Steps|Terms and Conditions|Project Status Update|"
    "Budget for Next Year|Risk Factors|General Information|Termination of Agreement|"
    "Summary of Results|Meeting Notes|Payment Terms|Scope of Work|Getting Started|"
    "Frequently Asked Questions|Open Items|Action Plan|Notes to the Financial Statements|"
    "Representations and Warranties|Events of Default|Invoice Overdue|Password Reset|"
    "New Office Hours|Return Policy|Table of Contents|Shipping Information|"
    "Welcome Aboard|Internal Control over Financial Reporting|Fair Value Measurements|"
    "Loan Balance|Annual Leave Policy"
)
_SENTENCES = listed(
    "We will review it next week.|Please let us know by Friday.|"
    "The shipment was delayed again.|Nothing has changed since March.|"
    "I hope this finds you well.|It was a pleasure to meet you.|The contract ends in June.|"
    "All prices include tax.|Payment is due within thirty days.|"
    "The Board approved the plan.|Our team is working on it.|"
    "The new version fixes the problem.|Sales were up by ten percent.|"
    "This is the second reminder.|Everything went according to plan.|"
    "The meeting starts at nine.|Please find the report attached.|He did not answer.|"
    "She agreed.|They want a discount.|There was a long queue.|"
    "The Company expects growth.|No further action is needed.|Great news about the launch!|"
    "Could you call me back?|Let me check.|That sounds good to me.|"
    "Unfortunately the order was cancelled.|I will be on vacation until Monday.|"
    "Will you join us?|May I ask a question?|Mark the date in your calendar.|"
    "Grace period applies.|Hope to see you there.|The Agreement remains in force.|"
    "Interest accrues daily.|Section 4.2 applies.|See Exhibit B.|"
    "Total revenue was $4.2 million in 2019.|The weather was awful.|"
    "Christmas was quiet this year.|Our English lessons start in September.|"
    "The French version is late.|I bought a used car.|Windows must be closed at night.|"
    "Apple juice is sold out.|The turkey was dry.|Amazon rain is heavy.|"
    "Chase the invoice, please.|Bill the hours to the project.|"
    "The bishop moved two squares.|Customer Service will contact you.|"
    "Human Resources has the form.|Thanks again.|Happy New Year!|Just a quick reminder.|"
    "Looking forward to it.|According to the report, demand fell.|However, costs rose.|"
    "Although it rained, we went out.|Yesterday the server was down.|Today we ship.|"
    "Both parties signed."
)


def examples(seed: int, count: int, *, held: bool) -> list[Example]:
    """So many filled templates; `held` takes the templates and the names kept for measuring."""
    rng = random.Random(f"names {held} {seed}")
    templates = [part.strip("\n") for part in _divided(held)]
    drawn = pools(held)
    return [_filled(rng, rng.choice(templates), drawn) for _ in range(count)]


def _divided(held: bool) -> list[str]:
    texts: str = HELD if held else f"{TRAIN}---{MIXED}"
    return list(map(str, texts.split("\n---\n")))


def _filled(rng: random.Random, template: str, drawn: Pools) -> Example:
    people_of: dict[str, people.Person] = {}
    style = rng.random()
    text, at = "", 0
    spans: list[tuple[int, int, str]] = []
    for slot in _SLOT.finditer(template):
        text += template[at : slot.start()]
        at = slot.end()
        key = slot[2] or f"fresh {slot.start()}"
        who = people_of.setdefault(key, people.person(rng, drawn))
        for value, kind in _parts(rng, slot[1], who, drawn):
            if kind:
                spans.append((len(text), len(text) + len(value), kind))
            text += value
    text += template[at:]
    if style < 0.04 and len(text.upper()) == len(text):
        text = text.upper()
    elif style < 0.08 and len(text.lower()) == len(text):
        text = text.lower()
    return Example(text, tuple(spans), (), "templates")


def _parts(
    rng: random.Random, slot: str, who: people.Person, drawn: Pools
) -> Iterator[tuple[str, str]]:
    """The slot's text, and the kind of name that it is, if any."""
    if slot in PHRASES:
        yield rng.choice(PHRASES[slot]), ""
    elif slot in ("C", "c", "CU"):
        yield _cased(people.city(rng, drawn), slot), "location"
    elif slot in ("N", "n"):
        yield _cased(rng.choice(drawn.countries), slot), "location"
    elif slot == "S":
        yield rng.choice(tuple(words.STATES)), "location"
    elif slot == "ST":
        yield rng.choice(tuple(words.STATES.values())), "location"
    elif slot in ("O", "o", "OU"):
        yield _cased(people.firm(rng, drawn), slot), "organization"
    elif slot == "P" and rng.random() < 0.9:
        yield who.full, "person"
    elif slot in _PERSON:
        yield _PERSON[slot](who), "person"
    else:
        yield _other(rng, slot, who), ""


_PERSON: dict[str, Callable[[people.Person], str]] = {
    "P": lambda who: f"{who.first} {who.last}",
    "PU": lambda who: who.full.upper() if len(who.full.upper()) == len(who.full) else who.full,
    "F": lambda who: who.first,
    "f": lambda who: _cased(who.first, "f"),
    "L": lambda who: who.last,
    "LF": lambda who: f"{who.last}, {who.first}",
    "LS": lambda who: f"{who.last}/{who.first}".upper(),
    "fl": lambda who: _cased(f"{who.first} {who.last}", "f"),
}


def _cased(value: str, slot: str) -> str:
    return value.upper() if slot.endswith("U") else value.lower() if slot.islower() else value


def _other(rng: random.Random, slot: str, who: people.Person) -> str:
    months = [word.capitalize() for word in words.DATES[:12]]
    days = [word.capitalize() for word in words.DATES[22:29]]
    number = str(rng.randrange(10, 99999))
    choice = {
        "X": _SENTENCES, "x": [s.lower().rstrip(".") for s in _SENTENCES], "R": _ROLES,
        "TI": _TITLES, "NAT": _NATIONS, "PR": _PRODUCTS, "DEP": _DEPARTMENTS, "H": _HEADINGS,
        "CAPH": [h.upper() for h in _HEADINGS], "M": months, "W": days,
        "T": ["9:30", "14:05", "7 pm", "10:12 AM"], "I": list("ABCDEFGJKLMNPRST"),
        "D": [f"{rng.choice(months)} {rng.randrange(1, 28)}, 20{rng.randrange(10, 26)}",
              f"{rng.randrange(1, 28)} {rng.choice(months)} 20{rng.randrange(10, 26)}",
              f"{rng.randrange(1, 12)}/{rng.randrange(1, 28)}/2021", "2022-04-17"],
        "$": [f"${number}.00", f"{number} EUR", f"USD {number}"], "#": [number],
        "TEL": [f"+1 555 {number}", f"(212) 555-{number[:4]}"],
        "A": [f"{number[:3]} Main Street", f"{number[:2]} Old Mill Road, Suite 4",
              f"P.O. Box {number}"],
        "E": [f"{who.handle(rng)}@example.com", f"{who.handle(rng)}@mail.example"],
        "h": [who.handle(rng)],
    }[slot]  # fmt: skip
    return rng.choice(choice)
