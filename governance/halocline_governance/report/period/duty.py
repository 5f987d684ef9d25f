"""Which sections a duty asks for, in which order, and what each is evidence for.

The duties are told in our own words and in short. They say where to look, never that a law is
kept: whether it binds this firm, and whether this is enough, needs a lawyer's reading of the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

CAUTION = (
    "This report is evidence, not an opinion. The duties are told here in short and in our own"
    " words; some of the texts are recent or were read second-hand. Whether a duty binds this firm,"
    " and whether what is shown satisfies it, needs a lawyer's reading of the text in force."
)


class Duty(StrEnum):
    """What somebody answers for with a report."""

    AI_ACT = "ai-act"
    SR_26_2 = "sr-26-2"
    MAR = "mar"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Article:
    """One duty of a text, where its evidence stands, and what of it is not in this report."""

    text: str
    asks: str
    sections: tuple[str, ...]
    missing: str = ""


TITLES: Mapping[Duty, str] = {
    Duty.AI_ACT: "EU AI Act (Regulation (EU) 2024/1689, as amended)",
    Duty.SR_26_2: "SR 26-2, model risk management",
    Duty.MAR: "Market abuse and information barriers",
    Duty.ALL: "All duties",
}

_SECTIONS: Mapping[Duty, tuple[str, ...]] = {
    Duty.AI_ACT: (
        "data", "models", "outputs", "incidents", "access", "walls", "conflicts", "erasures",
    ),
    Duty.SR_26_2: ("models", "data", "outputs", "incidents", "access", "erasures"),
    Duty.MAR: ("walls", "access", "conflicts", "incidents", "outputs", "data", "erasures"),
    Duty.ALL: (
        "access", "walls", "conflicts", "data", "models", "outputs", "incidents", "erasures",
    ),
}  # fmt: skip

_ARTICLES: Mapping[Duty, tuple[Article, ...]] = {
    Duty.AI_ACT: (
        Article(
            "AI Act, Art. 10",
            "Training data: where it came from, under which terms, how it was prepared, gaps",
            ("data", "gaps"),
            "Assessment of bias and of suitability for the purpose",
        ),
        Article(
            "AI Act, Art. 11 and Annex IV",
            "Technical documentation: versions, data, tests, changes over the lifetime",
            ("models", "data"),
            "General description, instructions, declaration: documents outside this platform",
        ),
        Article(
            "AI Act, Art. 12, 19, 26(6)",
            "Events logged automatically over the lifetime; logs kept for six months at least",
            ("journal", "incidents", "outputs"),
        ),
        Article(
            "AI Act, Art. 14",
            "Human oversight: who may stop, hold back or approve, and that they did",
            ("models", "outputs", "access"),
            "How the overseers were trained",
        ),
        Article(
            "AI Act, Art. 15",
            "Accuracy, robustness and security, poisoning and leaks of training data with it",
            ("models", "incidents", "outputs"),
            "Penetration tests of the installation",
        ),
        Article(
            "AI Act, Art. 72, 73",
            "Monitoring after release, and serious incidents",
            ("incidents", "outputs"),
            "Whether an incident is serious, and that it was reported",
        ),
        Article(
            "GDPR, Art. 5, 17, 30",
            "Personal data scrubbed from training data, what is left of it, and erasure",
            ("data", "erasures"),
            "Personal data without a pattern, names above all. Legal basis; whether a model is"
            " anonymous",
        ),
    ),
    Duty.SR_26_2: (
        Article(
            "SR 26-2, inventory",
            "Every model in use: version, owner, what it was made from, where it answers",
            ("models", "data"),
            "Tier, intended and forbidden use. Its text is said to leave generative models out"
            " of its scope",
        ),
        Article(
            "SR 26-2, validation",
            "Independent challenge: evidence, and approvers who did not build the model",
            ("models",),
            "The validator's own report and findings",
        ),
        Article(
            "SR 26-2, monitoring and outcomes",
            "What models answered, thresholds, breaches, what was done about them",
            ("outputs", "incidents"),
            "Overlays and adjustments after the model",
        ),
        Article(
            "SR 26-2, governance and change",
            "Who may change what, under which policy, and each change",
            ("access", "models", "erasures"),
            "Minutes of committees",
        ),
    ),
    Duty.MAR: (
        Article(
            "MAR, Art. 9; Exchange Act 15(g); Advisers Act 204A",
            "Arrangements that keep inside information from who decides, in force and enforced",
            ("walls", "access", "incidents"),
            "Written procedures, training, reviews by people",
        ),
        Article(
            "MAR, Art. 10, 11",
            "Disclosure only in the normal exercise of duties, with its basis",
            ("walls",),
            "Market soundings outside this platform; when recipients were cleansed",
        ),
        Article(
            "MAR, Art. 18",
            "Who had access to inside information, why, from when until when (UTC)",
            ("walls", "access"),
            "Names, addresses and telephone numbers in the regulation's templates",
        ),
        Article(
            "FINRA 5280, 2241",
            "Information kept from flowing from research to trading and banking",
            ("walls", "conflicts", "incidents"),
            "When reports were published",
        ),
        Article(
            "MiFID II, Art. 16(3), 23",
            "Conflicts of interest found, prevented or controlled, and recorded",
            ("conflicts", "walls"),
            "Disclosure to clients",
        ),
        Article(
            "SEC 17a-4(f)(2)",
            "A complete time-stamped trail of every change, with who made it, that can be verified",
            ("journal", "erasures", "gaps"),
            "The designated officer's undertaking; retention outside this platform",
        ),
    ),
}


def sections(duty: Duty) -> tuple[str, ...]:
    """The sections, in the order this duty's reader looks for them."""
    return _SECTIONS[duty]


def evidence(duty: Duty) -> list[dict[str, Any]]:
    """Each article, and where in the report its evidence stands."""
    duties = [one for one in Duty if one is not Duty.ALL] if duty is Duty.ALL else [duty]
    shown = {*_SECTIONS[duty], "journal", "gaps"}
    return [
        {
            "duty": TITLES[one],
            "article": article.text,
            "asks": article.asks,
            "sections": [name for name in article.sections if name in shown],
            "not_here": article.missing,
        }
        for one in duties
        for article in _ARTICLES[one]
    ]
