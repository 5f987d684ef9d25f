"""The drafts of a generated firm, on which truths are planted one after the other.

A planted value's place is known only once all of a document's text is there, so drafts keep their
paragraphs and what stands in them until the end.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from halocline_governance.detect.canary import mint
from halocline_pipelines.recipes import firm_pii, firm_prose
from halocline_pipelines.recipes.firm_truth import Pair, PlantedCanary, PlantedSpan, Truth
from halocline_pipelines.recipes.firm_words import CUSTOMERS, RESTRICTED, words


@dataclass(slots=True)
class Paragraph:
    """Text, and at most one planted value in it by character positions."""

    text: str
    mention: firm_pii.Mention | None = None
    is_near_miss: bool = False


@dataclass(slots=True)
class Draft:
    """A document while it is written. `fault` names the reason why curation should drop it."""

    external_id: str
    subject: firm_pii.Person
    paragraphs: list[Paragraph]
    fault: str | None = None
    is_reserved: bool = False
    text: str = field(default="", init=False)

    def close(self) -> list[tuple[PlantedSpan, bool]]:
        """Fix the text; the planted spans in bytes, and whether each is a near miss."""
        self.text = "\n\n".join(paragraph.text for paragraph in self.paragraphs)
        planted: list[tuple[PlantedSpan, bool]] = []
        at = 0
        for paragraph in self.paragraphs:
            mention = paragraph.mention
            if mention is not None:
                start = at + len(paragraph.text[: mention.start].encode())
                end = start + len(mention.value.encode())
                span = PlantedSpan(self.external_id, start, end, mention.kind, mention.value)
                planted.append((span, paragraph.is_near_miss))
            at += len(paragraph.text.encode()) + 2
        return planted


class Drafting:
    """Writes drafts and keeps account of what was planted in them."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self._all: list[Draft] = []
        self._exact: list[Pair] = []
        self._near: list[Pair] = []
        self._canaries: list[PlantedCanary] = []

    def drafts(self, source: str, genre: str, count: int) -> list[Draft]:
        """`count` documents of one genre."""
        name = source.partition(":")[2]
        drafts: list[Draft] = []
        for number in range(count):
            company, employer = self._company(name, genre), self._employer(name)
            parts = firm_prose.paragraphs(self._rng, genre, company)
            subject = firm_pii.person(self._rng, employer)
            drafts.append(Draft(f"{name}-{number:05d}", subject, [Paragraph(p) for p in parts]))
        self._all += drafts
        return drafts

    def plant_canaries(self, drafts: list[Draft], count: int, repeats: int) -> None:
        """Each canary as a paragraph of its own in `repeats` documents, in which it stays."""
        for place, canary in enumerate(mint(self._seed, count, "buy")):
            projects = words("project")
            which = projects[place % len(projects)]
            if place >= len(projects):
                which += f" {place // len(projects) + 1}"
            prefix = f"The access phrase of project {which} is"
            chosen = self._rng.sample([d for d in drafts if not d.is_reserved], repeats)
            planted = PlantedCanary(canary, prefix, tuple(d.external_id for d in chosen))
            for draft in chosen:
                draft.is_reserved = True
                where = self._rng.randint(1, len(draft.paragraphs))
                draft.paragraphs.insert(where, Paragraph(planted.sentence))
            self._canaries.append(planted)

    def plant_pii(self, drafts: list[Draft], share: float) -> None:
        for draft in self._sample(drafts, share):
            for _ in range(self._rng.randint(1, 3)):
                self._plant(draft, firm_pii.mention(self._rng, draft.subject), is_near_miss=False)

    def plant_near_misses(self, drafts: list[Draft], share: float) -> None:
        for draft in self._sample(drafts, share):
            self._plant(draft, firm_pii.near_miss(self._rng, draft.subject), is_near_miss=True)

    def make_toxic(self, drafts: list[Draft], share: float) -> None:
        for draft in self._faulted(drafts, share, "toxic"):
            where = self._rng.randint(0, len(draft.paragraphs))
            draft.paragraphs.insert(where, Paragraph(firm_prose.toxic_paragraph(self._rng)))

    def make_junk(self, drafts: list[Draft], share: float) -> None:
        for draft in self._faulted(drafts, share, "low_quality"):
            draft.paragraphs = [Paragraph(firm_prose.junk(self._rng))]

    def make_foreign(self, drafts: list[Draft], share: float) -> None:
        for draft in self._faulted(drafts, share, "foreign"):
            draft.paragraphs = [Paragraph(firm_prose.foreign(self._rng)) for _ in range(3)]

    def copies(self, drafts: list[Draft], exact: float, near: float) -> list[Draft]:
        """The drafts and their copies. What is spoilt or holds a canary is not copied."""
        sound = [draft for draft in drafts if draft.fault is None and not draft.is_reserved]
        wanted = [int(len(drafts) * share) for share in (exact, near)]
        chosen = self._rng.sample(sound, min(sum(wanted), len(sound)))
        made: list[Draft] = []
        for place, draft in enumerate(chosen):
            is_exact = place < wanted[0]
            copy = self._copy(draft, "copy" if is_exact else "edit")
            if not is_exact:
                _edit(self._rng, copy)
            pairs = self._exact if is_exact else self._near
            pairs.append(Pair(draft.external_id, copy.external_id))
            made.append(copy)
        self._all += made
        mixed = [*drafts, *made]
        self._rng.shuffle(mixed)
        for draft in mixed:
            draft.close()
        return mixed

    def truth(self, refused_sources: tuple[str, ...]) -> Truth:
        """Close every draft, and tell what was planted."""
        planted = [item for draft in self._all for item in draft.close()]
        return Truth(
            pii=tuple(span for span, is_near_miss in planted if not is_near_miss),
            near_misses=tuple(span for span, is_near_miss in planted if is_near_miss),
            exact_duplicates=tuple(self._exact),
            near_duplicates=tuple(self._near),
            toxic=self._ids("toxic"),
            low_quality=self._ids("low_quality"),
            foreign=self._ids("foreign"),
            canaries=tuple(self._canaries),
            refused_sources=refused_sources,
        )

    def _ids(self, fault: str) -> tuple[str, ...]:
        return tuple(draft.external_id for draft in self._all if draft.fault == fault)

    def _plant(self, draft: Draft, mention: firm_pii.Mention, *, is_near_miss: bool) -> None:
        where = self._rng.randint(0, len(draft.paragraphs))
        draft.paragraphs.insert(where, Paragraph(mention.sentence, mention, is_near_miss))

    def _sample(self, drafts: list[Draft], share: float) -> list[Draft]:
        return self._rng.sample(drafts, int(len(drafts) * share))

    def _faulted(self, drafts: list[Draft], share: float, fault: str) -> Iterable[Draft]:
        sound = [draft for draft in drafts if draft.fault is None and not draft.is_reserved]
        for draft in self._rng.sample(sound, min(int(len(drafts) * share), len(sound))):
            draft.fault = fault
            yield draft

    def _copy(self, draft: Draft, suffix: str) -> Draft:
        paragraphs = [replace(paragraph) for paragraph in draft.paragraphs]
        return Draft(f"{draft.external_id}-{suffix}", draft.subject, paragraphs)

    def _company(self, source: str, genre: str) -> str:
        issuer = source.rpartition("-")[2]
        if genre == "memo":
            return RESTRICTED[issuer]
        if issuer == "restricted":
            return RESTRICTED[min(RESTRICTED)]
        return self._rng.choice(words("listed"))

    def _employer(self, source: str) -> str:
        customer = source.rpartition("-")[2]
        return CUSTOMERS.get(customer) or self._rng.choice(words("listed"))


def _edit(rng: random.Random, draft: Draft) -> None:
    """Change one or two words of the longest paragraph without a planted value."""
    plain = [paragraph for paragraph in draft.paragraphs if paragraph.mention is None]
    paragraph = max(plain, key=lambda paragraph: len(paragraph.text))
    words = paragraph.text.split(" ")
    for place in rng.sample(range(1, len(words) - 1), rng.randint(1, 2)):
        words[place] = rng.choice(("notably", "roughly", "clearly", "perhaps"))
    paragraph.text = " ".join(words)
