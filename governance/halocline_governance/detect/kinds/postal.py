"""Street lines and post boxes in seven languages. A house number and a word for a road are needed.

Common words for roads count alone; the rest of the USPS list (Publication 28, appendix C1) only
with a unit or a place behind, or a word for an address before.
"""

from __future__ import annotations

import re

from halocline_governance.detect.kinds.shape import Shape, Words, covering

_ROAD = (
    r"Street|Str|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square"
    r"|Sq|Parkway|Pkwy|Highway|Hwy|Terrace|Ter|Circle|Cir|Crescent|Cres|Close|Trail|Trl|Alley|Plaza"
    r"|Mews|Broadway|Turnpike|Expressway|Freeway"
)
_RARE = (
    r"Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway"
    r"|Centers?|Circles|Cliffs?|Club|Common|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing"
    r"|Crossroads?|Curve|Dale|Dam|Divide|Drives|Estates?|Extensions?|Falls?|Ferry|Fields?"
    r"|Flats?|Fords?|Forest|Forges?|Forks?|Fort|Gardens?|Gateway|Glens?|Greens?|Groves?"
    r"|Harbors?|Haven|Heights|Hills?|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?"
    r"|Land|Landing|Lights?|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mills?|Mission|Motorway"
    r"|Mountains?|Neck|Orchard|Oval|Overpass|Park|Parks|Parkways|Pass|Passage|Path|Pike|Pines?"
    r"|Plains?|Points?|Ports?|Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Row"
    r"|Rue|Run|Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares|Station|Stravenue|Stream|Streets"
    r"|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Underpass|Unions?|Valleys?|Viaduct"
    r"|Views?|Villages?|Ville|Vista|Walks?|Wall|Ways|Wells?"
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
    r"(?P<unit>,? (?:(?:Suite|Ste\.?|Apt\.?|Apartment|Unit|Floor|Fl\.?|Room|Flat|#) ?[\w-]{1,6}"
    r"|\d{1,2}(?:st|nd|rd|th) Floor))?"
)
_CITY = r"[A-Z][a-z'.-]{1,20}(?: (?:[A-Z][a-z'.-]{1,20}|of|upon|on|de|la|le)){0,3}"
_POST = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_STATE = r"(?:[A-Z]{2}|[A-Z][a-z]{3,12}(?: [A-Z][a-z]{3,9})?)\.?,? \d{5}(?:-\d{4})?"
_PLACE = rf"(?P<place>,? {_CITY},? (?:{_STATE}|{_POST})|, {_CITY},? [A-Z]{{2}}(?!\w)|,? {_POST})?"

_courts = re.compile(
    r"(?:Supreme|District|Circuit|Appeals|High|Federal|County|Bankruptcy|Superior|Tax) Court|[a-z]{4}\. "
    r"|(?:19|20)\d\d (?:Annual|Form|Plan|Notes|Proxy)|Wall Street [A-Z]"
)
LIVES = Words(
    "address*", "live*", "living", "resid*", "located", "moved", "mail*", "ship*", "deliver*", "at",
    "home", "to", "wohn*", "anschrift", "adresse*", "habite*", "direccion", "domicilio", "indirizzo",
    "adres*", "woon*", "visit*",
)  # fmt: skip


def _street(match: re.Match[str]) -> float:
    if _courts.search(match[0]):
        return 0.0
    if match["unit"] or match["place"]:
        return 0.85
    if match["rare"]:
        return 0.6 if LIVES.near(match) else 0.0
    return 0.75


_lower_not = re.compile(
    r" (?:the|a|an|of|in|to|and|or|by|for|is|was|per|years?|days?|weeks?|months?|hours?|minutes?|percent"
    r"|million|billion|people|shares|units|other|more|cases|different)\b",
    re.IGNORECASE,
)


def _lower(match: re.Match[str]) -> float:
    if _lower_not.search(match[0]):
        return 0.0
    if match["unit"] or match["place"]:
        return 0.7
    return 0.6 if LIVES.near(match) else 0.0


def _shape(pattern: str, score: float, flags: int = 0) -> Shape:
    return Shape("street_address", re.compile(pattern, flags), lambda match: score)


STREET = covering(
    Shape(
        "street_address",
        re.compile(
            rf"(?<![\w.,$-])\d{{1,6}}(?:[-/]\d{{1,4}})?[A-Za-z]? (?:{_SIDE}\.? )?"
            r"(?:(?:[A-Z][\w'.-]{0,20}|\d{1,3}(?:st|nd|rd|th)|de|la|of|the) ){0,4}?"
            rf"(?:(?:[A-Z][\w'.-]{{0,20}}|\d{{1,3}}(?:st|nd|rd|th)) (?:{_ROAD})|Broadway"
            rf"|(?:[A-Z][\w'.-]{{0,20}}|\d{{1,3}}(?:st|nd|rd|th)) (?P<rare>{_RARE})"
            rf"|(?:Avenue|Highway|Route|County Road) (?:of the Americas|[A-Z0-9]\w{{0,8}}))"
            rf"\b\.?(?: {_SIDE}\b\.?)?{_UNIT}{_PLACE}"
        ),
        _street,
    ),
    Shape(
        "street_address",
        re.compile(
            rf"(?<![\w.,$-])\d{{1,6}}[a-z]? (?:{_SIDE}\.? )?(?:[\w'.-]{{1,20}} ){{1,3}}(?:{_ROAD})"
            rf"(?!\w)\.?(?: {_SIDE}\b\.?)?{_UNIT}{_PLACE}",
            re.IGNORECASE,
        ),
        _lower,
    ),
)
_POST_CITY = r"(?:,? ?(?:[A-Z]{1,2}-)?\d{4,5}(?: ?[A-Z]{2}\b)? [A-Z][\w.-]{1,24}(?: (?:am|an der|im|[A-Z][\w.-]{1,20})){0,2}(?: \([A-Z]{2}\))?)?"
_NAME = r"(?:[A-Z][\w'.-]{1,24}|de|del|della|dei|di|d'[A-Z]\w+|da|la|las|los|le|les|l'[A-Z]\w+|du|des|van|von|der|den|dell'\w+|[IVX]{1,4}|\d{1,2}|e|y|et|San|Sta\.)"

CONTINENTAL = covering(
    _shape(
        r"(?<![\w-])(?:[A-Z][\w'.-]{0,24}[ -]){0,3}(?:[A-Z][\w-]{0,24})?(?:(?i:stras{1,2}e|str\.|platz|allee|gasse|weg|damm|ufer"
        r"|straat|laan|gracht|plein|kade|dijk|singel|markt))"
        rf",? (?:nr\.? ?)?(?!(?:19|20)\d\d(?!\w))\d{{1,4}} ?(?:[a-zA-Z](?!\w))?(?:[-/]\d{{1,4}}[a-z]?)?(?!\w|[.,]\d){_POST_CITY}",
        0.75,
    ),
    _shape(
        r"(?<![\w-])(?:Am|An der|Auf der|Auf dem|Im|In der|Zum|Zur|Unter den) (?:[A-Z][\w-]{2,24} ?){1,2}"
        r"\d{1,4} ?(?:[a-z](?!\w))?,? (?:[A-Z]{1,2}-)?\d{4,5} [A-Z][\w-]{1,24}(?: [A-Z][\w-]{1,20})?",
        0.75,
    ),
    _shape(
        r"(?<![\w.,$-])\d{1,4}(?: ?(?:bis|ter|quater|[a-zA-Z](?!\w)))?,? ?"
        r"(?:rue|avenue|av\.|boulevard|bd\.?|place|allees?|chemin|impasse|quai|cours|route|square|passage|faubourg)"
        rf"(?: {_NAME}){{1,6}}{_POST_CITY}",
        0.75,
        re.IGNORECASE,
    ),
    _shape(
        r"(?<![\w-])(?:(?i:calle|c/|avda\.?|avenida|avd\.?|plaza|pza\.?|paseo|carrer|camino|ronda|travesia|carretera"
        r"|via|viale|piazza|p\.za|corso|largo|vicolo|strada|rua|avenida|praca|ul\.|ulica|al\.|os\.|plac))"
        rf" ?{_NAME}(?: {_NAME}){{0,5}}?,? ?(?:n[o.]{{0,2}} ?)?(?!(?:19|20)\d\d(?!\w))\d{{1,4}}(?:[/-]\w{{1,4}}| ?[a-zA-Z](?!\w))?"
        rf"(?!\w|[.,]\d)(?:,? \d{{1,2}}[oa]? ?[A-Za-z]?(?!\w))?(?:,? \d{{2}}-\d{{3}} [A-Z]\w+)?{_POST_CITY}",
        0.75,
    ),
)
BOX = covering(
    _shape(
        r"(?<!\w)P(?:ost)?\.? ?O(?:ffice)?\.? ?Box (?:No\.? ?)?#?\d{1,6}(?!\w)" + _PLACE,
        0.7,
        re.IGNORECASE,
    ),
    _shape(
        r"(?<!\w)(?:Postfach|Postbus|Casella Postale|Boite Postale|B\.?P\.?|Apartado(?: de Correos)?|C\.P\.) \d{2,6}(?!\w)"
        + _POST_CITY,
        0.7,
    ),
    _shape(
        r"(?<!\w)(?:PSC|Unit|CMR|USNS|USS|DPO)\b[\w ]{1,20}?,? ?(?:Box \d{1,5}|(?:FPO|APO|DPO))(?!\w)(?:,? ?(?:FPO|APO|DPO))?(?: A[AEP] \d{5})?",
        0.8,
    ),
)
