"""Fluent business prose from a small grammar: sentences with slots, drawn without repeats.

Knows the three genres of the generated firm; plants nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from types import MappingProxyType

from halocline_pipelines.recipes.firm_words import SLOTS

_SLOT = re.compile(r"\{(\w+)\}")

_RATIONALE = """\
We have followed {company} since the {quarter}, and {source} left us {view} about the shares.
Revenue {direction} in {region} by {percent}, which the company puts down to {driver}.
The {metric} has {moved} for {number} quarters, and we think that {driver} explains most of it.
At {valuation} the market already discounts {risk}, but not the effect of {driver}.
We propose to {action} the position over {horizon} and to review it when the {month} figures are out.
The main danger to this view is {risk}, followed at some distance by {risk}.
Management has been {adjective} in its guidance, and the gap to consensus for the {quarter} is {adjective} too.
In {region} the competitors raised their prices in {month}, and {company} was able to follow within {number} weeks.
Our model assumes that {metric} improves by {percent} within {horizon}, with most of it coming from {driver}.
If {risk} turns out worse than we expect, the downside from here is {percent} and we would {action} the holding.
The balance sheet is {adjective}, with {metric} better than at any time in the last {number} years.
{opening}, the thesis rests on {metric} and on {driver}, and both can be checked every month.
From {source} we learned that the order book in {region} is {adjective} and that lead times have {moved}.
The {adjective} trend in {metric} is easy to misread because {driver} flattered the {quarter}.
A peer in {region} was taken out at {valuation}, which gives us a {adjective} floor for {company}.
We do not expect {risk} to be resolved before {month}, so there is no hurry to {action} the line.
The dividend is covered {number} times by free cash, and the board has been {adjective} about raising it.
What would change our mind is a second quarter of falling {metric} together with {risk}.
The sales force in {region} has grown by {percent}, although the benefit will only be seen after {horizon}.
Compared with the sector, {company} spends {percent} more on maintenance and has a {adjective} record of outages.
The portfolio weight stays below {number} percent of the fund, and the stop is set at {valuation}.
We have asked the trading desk to {action} the order in {number} steps and to stay below a {adjective} share of volume.
After {source} we spoke to {number} former employees, and their picture of {metric} was {adjective}.
The new plant in {region} reaches full output in {month}, when {metric} should have the help of {driver}.
It is worth remembering that {company} has missed its own target for {metric} in {number} of the last ten years.
{opening}, we would rather own this business through {risk} than buy it back at {valuation} afterwards.
"""

_MEMO = """\
We are acting as {bank_role} to {company} in connection with {deal} in {region}.
The board met in {month} and asked the team to prepare {deal} within {horizon}.
{opening}, the next milestone is to {step} and then to report to {committee} before the end of {month}.
Interest has come from {buyer}, and {buyer} may follow once {diligence} has been reviewed.
{diligence} is {adjective}, and outside advisers will need {number} more weeks to finish their part.
The price expectation of the seller sits at {valuation}, which {committee} considers {adjective}.
Nobody outside the working group may know that {company} is preparing {deal}; the list is kept by compliance.
Our fee is payable in {number} instalments and depends on whether the parties {step} by {month}.
{committee} raised a question about {risk}, and the answer will be found in {diligence}.
In the {quarter} the {metric} of {company} {direction} by {percent}, mostly because of {driver}.
The leverage after closing would be {number} times, falling by {percent} over {horizon} if {driver} holds.
We recommend that the client should {step} first and only then talk to {buyer} about governance.
A leak would move the share price, so {committee} wants to {step} no later than {month}.
The financing banks have confirmed {adjective} appetite for {deal}, subject to {diligence}.
The covenant package is {adjective} and leaves room for {risk} in one quarter out of {number}.
{opening}, there is a {adjective} chance that {buyer} will ask for exclusivity before {month}.
Synergies of {percent} are credible in {region}, although {risk} could delay them by {horizon}.
The team has compared {number} precedents in {region}, and the median was done at {valuation}.
Regulators in {region} will look at {metric}, and counsel expects a {adjective} review until {month}.
If {buyer} should withdraw, the fallback is {deal}, for which {diligence} is already prepared.
The client's lenders hold {percent} of the debt and have to agree before the parties {step}.
We have set up an information barrier for {deal}, and each member of {committee} has signed it.
{number} parties received the teaser in {month}, and all but one returned a signed undertaking.
The working capital target was settled after {diligence} showed a {adjective} swing in {metric}.
Our view on timing is {adjective}: {step} in {month}, announce {number} weeks later, close within {horizon}.
The management team will roll over {percent} of its holding, which {buyer} sees as {adjective}.
"""

_TICKET = """\
Thank you for writing to us about {product} at {place}, which {symptom} {when}.
According to your report, {product} {symptom} while {number} consignments of {goods} were waiting at {place}.
We were able to reproduce the problem with {goods}, and {team} traced it to {cause}.
{team} {fix} {when}, and since then {product} has worked as it should.
As a first step we {fix}, because {cause} had already led to a similar report in {month}.
Please restart {product} at {place} and tell us whether it {symptom} again within {number} minutes.
The customer confirmed that the drivers at {place} lost {number} hours because {product} {symptom}.
Until the permanent change is released in {month}, {team} will watch {product} {when}.
We understand that {goods} cannot wait, and {team} will call the shift lead at {place} every {number} hours.
The root cause was {cause}, which only appears when {product} is used by more than {number} people.
A second look at the logs showed that {product} {symptom} {number} times before anyone noticed it.
{opening}, the agreement covers this case, and the credit for {month} will be applied to the next invoice.
Your colleague asked whether {product} can be used at {place} as well, and the answer is yes from {month} on.
The import of {goods} took {number} times longer than usual, although {cause} had been ruled out.
We would like to have the screenshots of {product} and the time at which it {symptom} at {place}.
The workaround is to enter the {goods} by hand, to wait {number} minutes and then to open {product} again.
After the change {team} measured {product} for {number} days, and the response was {adjective} throughout.
It turned out that {place} still runs the version of {month}, which explains the {adjective} behaviour.
{team} has written a note about {cause} so that {place} and {place} do not have to report it again.
With your permission we will close this request in {number} days and keep the record of what was done.
The alarm for {product} did not fire because the limit was set for {goods} and not for the whole of {place}.
You also mentioned that {product} {symptom} {when}; that is a separate matter, and we have opened a new request.
Training for the new people at {place} is planned for {month}, and {product} will be part of it.
We are sorry for the trouble at {place} and for the {adjective} answers that you were given at first.
{opening}, {number} of the open points about {product} are solved and the rest will follow in {month}.
Nothing was lost: the entries for {goods} were stored twice, and {team} has removed the second copy.
"""

GENRES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rationale": tuple(_RATIONALE.splitlines()),
        "memo": tuple(_MEMO.splitlines()),
        "ticket": tuple(_TICKET.splitlines()),
    }
)

_FOREIGN = """\
Die Lieferung nach Hamburg hat sich um mehrere Tage verzögert, weil der Hafen wegen des Sturms gesperrt war.
Wir haben den Kunden angerufen und ihm erklärt, warum die Ware noch nicht angekommen ist.
Der Vorstand möchte die Entscheidung über den Verkauf erst im nächsten Monat treffen.
Nach Auskunft der Buchhaltung sind alle Rechnungen bezahlt, nur eine Mahnung ist noch offen.
Le conseil a demandé un nouveau rapport sur les coûts de transport avant la fin de l'année.
Nous avons vérifié les contrats avec les fournisseurs et il reste deux points à discuter.
La livraison prévue pour mardi sera retardée parce que le camion est tombé en panne.
Notre équipe espère que la nouvelle version du logiciel pourra être installée pendant la nuit.
El cliente nos ha pedido que revisemos otra vez las facturas del último trimestre.
La reunión con los proveedores se ha aplazado porque faltaban varios documentos importantes.
Creemos que los precios van a bajar cuando termine la temporada y vuelvan los barcos pequeños.
El almacén principal está lleno y tenemos que buscar otro lugar para las mercancías.
"""

_JUNK = (
    "### *** ### >>> item {number} <<< ### *** ###",
    "click here | click here | click here | click here",
    "0x00 0x01 0x02 1111 2222 3333 4444 === --- === ---",
    "... read more ... read more ... read more ...",
)

# Insults without a slur: enough for any toxicity model, harmless to read in a test's output.
TOXIC_LINES = (
    "You are a pathetic, worthless idiot and everybody in this office hates you.",
    "Shut up, you stupid moron, you disgusting piece of garbage.",
    "I hope you rot, you ugly, brainless liar; nobody would miss a loser like you.",
    "What a bunch of filthy, useless scum you are, go to hell all of you.",
    "You dumb bastard, I will make you suffer for this, you miserable fool.",
    "Only a complete imbecile like you could be so damn stupid, you vile little worm.",
)


def sentence(rng: random.Random, template: str, company: str) -> str:
    """One sentence with its slots filled; an initial capital whatever stands first."""

    def fill(match: re.Match[str]) -> str:
        return company if match[1] == "company" else rng.choice(SLOTS[match[1]])

    text = _SLOT.sub(fill, template)
    return text[0].upper() + text[1:]


def paragraphs(rng: random.Random, genre: str, company: str) -> list[str]:
    """Three or four paragraphs of three to five sentences, no template used twice."""
    sizes = [rng.randint(4, 6) for _ in range(rng.randint(3, 4))]
    templates = rng.sample(GENRES[genre], sum(sizes))
    filled = [sentence(rng, template, company) for template in templates]
    parts: list[str] = []
    for size in sizes:
        parts.append(" ".join(filled[:size]))
        filled = filled[size:]
    return parts


def foreign(rng: random.Random) -> str:
    """A text in German, French or Spanish."""
    lines = _FOREIGN.splitlines()
    at = rng.randrange(3) * 4
    return " ".join(rng.choices(lines[at : at + 4], k=2) + rng.sample(lines[at : at + 4], 4))


def junk(rng: random.Random) -> str:
    """Boilerplate that no quality rule should let through."""
    lines = [rng.choice(_JUNK).format(number=rng.randrange(1000)) for _ in range(8)]
    return "\n".join(lines)


def toxic_paragraph(rng: random.Random) -> str:
    """Two or three insults."""
    return " ".join(rng.sample(TOXIC_LINES, rng.randint(2, 3)))
