"""Street lines, post boxes, and the postcodes behind them, in seven languages.

A street line is the house number, the road and the flat; town and postcode are apart. Common words
for roads count alone; the rest of the USPS list (Publication 28, appendix C1) only with a unit or
a place behind, or a word for an address before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from halocline_governance.detect.kinds.shape import LEFT, NEAR, STRETCH, Hit, Shape
from halocline_governance.detect.kinds.towns import postcode_behind
from halocline_governance.detect.kinds.words import Words

_ROAD = (
    r"Street|Str|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl"
    r"|Square|Sq|Parkway|Pkwy|Highway|Hwy|Terrace|Ter|Circle|Cir|Crescent|Cres|Close|Trail|Trl"
    r"|Alley|Plaza|Mews|Broadway|Turnpike|Expressway|Freeway|Gardens|Grove|Row|Rise|Hill|Walk|Park"
)
_RARE = (
    r"Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway"
    r"|Centers?|Circles|Cliffs?|Club|Common|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing"
    r"|Crossroads?|Curve|Dale|Dam|Divide|Drives|Estates?|Extensions?|Falls?|Ferry|Fields?"
    r"|Flats?|Fords?|Forest|Forges?|Forks?|Fort|Garden|Gateway|Glens?|Greens?|Groves"
    r"|Harbors?|Haven|Heights|Hills|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?"
    r"|Land|Landing|Lights?|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mills?|Mission|Motorway"
    r"|Mountains?|Neck|Orchard|Oval|Overpass|Parks|Parkways|Pass|Passage|Path|Pike|Pines?"
    r"|Plains?|Points?|Ports?|Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route"
    r"|Rue|Run|Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares|Station|Stravenue|Stream|Streets"
    r"|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Underpass|Unions?|Valleys?|Viaduct"
    r"|Views?|Villages?|Ville|Vista|Walks|Wall|Ways|Wells?"
)
COMMON = tuple(_ROAD.split("|"))
RARE = tuple(
    sorted(
        {
            form
            for word in _RARE.split("|")
            for form in (word.removesuffix("s?"), word.replace("s?", "s"))
        }
    )
)
_SIDE = r"(?:[NSEW]|NE|NW|SE|SW|North|South|East|West)"
_UNIT = (
    r"(?P<unit>,?[ \n](?:(?:Suite|Ste\.?|Apt\.?|Apartment|Unit|Floor|Fl\.?|Room|Rm\.?|Flat|#) ?#?"
    r"[A-Z]?-?\d{0,5}[A-Z]?(?![\w-])"
    r"|\d{1,2}(?:st|nd|rd|th) [Ff]loor))?"
)
_FLAT = r"(?:(?<!\w)(?:Flat|Apartment|Apt\.?|Unit|Suite) \d{0,4}[A-Za-z]?,? )?"
_courts = re.compile(
    r"(?:Supreme|District|Circuit|Appeals|High|Federal|County|Bankruptcy|Superior|Tax) Court"
    r"|(?:19|20)\d\d (?:Annual|Form|Plan|Notes|Proxy)|\d (?:Hour|Minute|Day|Week|Month|Mile|Star)\b"
)
_sentence = re.compile(r"[a-z]{4}\. ")
LIVES = Words(
    "address*",
    "live*",
    "living",
    "resid*",
    "located",
    "moved",
    "mail*",
    "ship*",
    "deliver*",
    "at",
    "home",
    "to",
    "wohn*",
    "anschrift",
    "adresse*",
    "habite*",
    "direccion",
    "domicilio",
    "indirizzo",
    "adres*",
    "woon*",
    "abit*",
    "vivo",
    "sede",
    "visit*",
    "street",
)


def _at_home(match: re.Match[str], reach: int = NEAR) -> bool:
    """Whether a word for living stands before it: a stream cannot wait for one behind it."""
    return bool(LIVES.before(match.string, match.start(), reach))


def _street(match: re.Match[str]) -> float:
    if _courts.search(match[0]) or _sentence.search(match[0]):
        return 0.0
    if match["unit"] or postcode_behind(match) is not None:
        return 0.85
    if match["rare"]:
        return 0.6 if _at_home(match) else 0.0
    return 0.75


_lower_not = re.compile(
    r" (?:the|a|an|of|in|to|and|or|by|for|is|was|per|years?|days?|weeks?|months?|hours?|minutes?"
    r"|percent|million|billion|people|shares|units|other|more|cases|different|miles?|km)\b",
    re.IGNORECASE,
)


_ends = re.compile(r"[ \t]{0,3}(?:[\n,;|\"<\x00]|\Z)")
_begins = re.compile(r"(?:\A|[\n,;|\">:\t\x00])[ \t]{0,3}\Z")
_road = re.compile(
    r"(?:STREET|ST|AVENUE|AVE|ROAD|RD|BOULEVARD|BLVD|LANE|LN|DRIVE|DR|COURT|CT|TERRACE|PARKWAY|PKWY"
    r"|HIGHWAY|HWY|CRESCENT|GARDENS)\.?(?: [NSEW]{1,2})?\Z"
)


def _lower(match: re.Match[str]) -> float:
    if _lower_not.search(match[0]) or _sentence.search(match[0]):
        return 0.0
    if match["unit"] or postcode_behind(match) is not None:
        return 0.7
    if _at_home(match, 40):
        return 0.6
    return 0.55 if _lone(match) else 0.0


def _lone(match: re.Match[str]) -> bool:
    """Whether it is in capitals, and alone in its line, cell or part of an address."""
    if not match[0].isupper() or not _road.search(match[0]):
        return False
    text, start = match.string, match.start()
    begun = _begins.search(text, max(0, start - 4), start)
    return begun is not None and _ends.match(text, match.end()) is not None


def _shape(pattern: str, score: float | Callable[[re.Match[str]], float], flags: int = 0) -> Shape:
    def check(match: re.Match[str]) -> float:
        return score(match) if callable(score) else score

    return Shape("street_address", re.compile(pattern, flags), check)


def _lines(*shapes: Shape) -> Callable[[str, int], Iterator[Hit]]:
    """The rule that finds these shapes around the place, on its line, and the postcode behind."""

    def rule(text: str, at: int) -> Iterator[Hit]:
        low = text.rfind("\n", max(0, at - LEFT), at) + 1 or max(0, at - LEFT)
        for shape in shapes:
            for match in shape.pattern.finditer(text, low, at + STRETCH):
                if match.start() > at:
                    break
                if match.end() > at and (hit := shape.judge(match)) is not None:
                    yield hit
                    code = postcode_behind(match, same_line=False)
                    if code is not None:
                        yield Hit(*code, "postcode", 0.8)

    return rule


def _first(match: re.Match[str]) -> float:
    """`via` is a word of other languages too."""
    lower = match[0].startswith("via ")
    return 0.0 if lower and not _at_home(match) else 0.75


_NUM = r"(?<![\w.$-])(?<!\d,)\d{1,6}(?:[-/]\d{1,4})?[A-Za-z]?,? "
_BIT = r"(?:[A-Z][\w'.-]{0,20}|\d{1,3}(?:st|nd|rd|th))"
_TITLED = _lines(
    _shape(
        rf"{_FLAT}{_NUM}(?:{_SIDE}\.? )?(?:(?:{_BIT}|de|la|of|the) ){{0,4}}?"
        rf"(?:{_BIT} (?:{_ROAD})|Broadway|{_BIT} (?P<rare>{_RARE})"
        r"|(?:Avenue|Highway|Hwy|Route|County Road) (?:of the Americas|[A-Z0-9]\w{0,8}))"
        rf"\b(?:\.(?=[ ,]))?(?: {_SIDE}\b\.?)?{_UNIT}",
        _street,
    ),
)
_UNTITLED = _lines(
    _shape(
        rf"{_FLAT}{_NUM}(?:{_SIDE}\.? )?(?:[\w'.-]{{1,20}} ){{1,3}}(?:{_ROAD})"
        rf"(?!\w)(?:\.(?=[ ,]))?(?: {_SIDE}\b\.?)?{_UNIT}",
        _lower,
        re.IGNORECASE,
    ),
)


def street(text: str, at: int) -> Iterator[Hit]:
    """A street line around a word for a road; in lower case or capitals it must be surer."""
    titled = text[at : at + 1].isupper() and text[at + 1 : at + 2].islower()
    yield from (_TITLED if titled else _UNTITLED)(text, at)


_NAME = (
    r"(?:[A-Z][\w'.-]{1,24}|de|del|della|delle|dei|degli|di|d'\w+|da|la|las|los|le|les|l'\w+|du|des"
    r"|van|von|der|den|dell'\w+|[IVX]{1,4}|\d{1,2}|e|y|et|San|Sta\.)"
)
_NO = (
    r"(?:n[o.r]{0,2} ?)?(?!(?:19|20)\d\d(?!\w))\d{1,4}"
    r"(?: ?(?:bis|ter)\b|[/-]\w{1,4}| ?[a-zA-Z](?!\w))?(?!\w|[.,]\d)"
)
_SUFFIX = (
    r"(?:stras{1,2}e|str\.|platz|allee|gasse|weg|damm|ufer|straat|laan|gracht|plein|kade|dijk"
    r"|singel|markt|ring|steig|hof|chaussee)"
)
_FIRST = (
    r"(?i:calle|c/|avda\.?|avenida|avd\.?|plaza|pza\.?|paseo|pso\.?|carrer|camino|ronda|travesia"
    r"|carretera|via|viale|v\.le|piazza|p\.za|piazzale|corso|largo|vicolo|strada|rua|praca|ul\."
    r"|ulica|al\.|aleja|os\.|plac|pl\.)"
)
CONTINENTAL = _lines(
    _shape(
        rf"(?<![\w-])(?:[A-Z][\w'.-]{{0,24}}[ -]){{0,3}}?(?:[A-Z][\w-]{{0,24}}(?i:{_SUFFIX})"
        rf"|[A-Z][\w-]{{1,24}} (?i:{_SUFFIX}))(?<!During)(?<!Spring)(?<!Bahnhof)(?<!Friedhof)"
        rf"(?<!Supermarkt)(?<!Baumarkt)(?<!Arbeitsmarkt)(?<!Aktienmarkt),? {_NO}",
        0.75,
    ),
    _shape(
        r"(?<![\w-])(?:Am|An der|An den|Auf der|Auf dem|Im|In der|In den|Zum|Zur|Unter den"
        r"|Hinter der"
        rf"|Bei der|Vor dem) (?:[A-Z][\w-]{{2,24}} ){{1,2}}{_NO}",
        lambda match: 0.75 if postcode_behind(match) or _at_home(match, 40) else 0.0,
    ),
    _shape(
        r"(?<![\w.,$-])\d{1,4}(?: ?(?:bis|ter|quater|[a-zA-Z](?!\w)))?,? ?"
        r"(?i:rue|avenue|av\.|boulevard|bd\.?|place|allees?|chemin|impasse|quai|cours|route|square"
        rf"|passage|faubourg|sentier|villa)(?: {_NAME}){{1,6}}(?<! de)(?<! la)(?<! des)(?<! du)",
        0.75,
    ),
    _shape(
        r"(?<![\w.,$-])\d{1,4}(?: ?(?:bis|ter))?,? ?(?:rue|avenue|boulevard|place|chemin|quai)"
        r" (?:de la |de l'|des |du |de |d')?\w{3,20}(?: \w{3,20}(?=,))?",
        0.7,
    ),
    _shape(
        rf"(?<![\w-]){_FIRST} ?{_NAME}(?: {_NAME}){{0,5}}?,? ?{_NO}"
        r"(?:,? \d{1,2}[oa]? ?[A-Za-z]?(?![\w-]))?",
        _first,
    ),
)
BOX = _lines(
    _shape(
        r"(?<!\w)P(?:ost)?\.? ?O(?:ffice)?\.? ?Box (?:No\.? ?)?#?\d{1,6}(?!\w)", 0.7, re.IGNORECASE
    ),
    _shape(
        r"(?<!\w)(?:Postfach|Postbus|Casella Postale|Boite Postale|B\.?P\.?"
        r"|Apartado(?: de Correos)?"
        r"|C\.P\.|Skr\. poczt\.) \d{2,6}(?: \d{2,3})?(?!\w|/\d)",
        0.7,
    ),
    _shape(
        r"(?<!\w)(?:PSC|Unit|CMR|USNS|USS|DPO)\b[\w ]{1,20}?,? ?(?:Box \d{1,5}|(?:FPO|APO|DPO))"
        r"(?!\w)(?:,? ?(?:FPO|APO|DPO))?(?: A[AEP] \d{5})?",
        0.8,
    ),
)
