"""Street lines, post boxes and military mail. A house number and a word for a road are needed.

Common words for roads count alone; the rest of the USPS list (Publication 28, appendix C1) only
with a unit or a place behind, or a word for an address before.
"""

from __future__ import annotations

import re

from halocline_governance.detect.kinds.shape import Family, Shape, context

_ROAD = (
    r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq"
    r"|Parkway|Pkwy|Highway|Hwy|Terrace|Ter|Circle|Cir|Crescent|Close|Trail|Alley|Plaza|Mews"
    r"|Broadway"
)
_RARE = (
    r"Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway"
    r"|Centers?|Circles|Cliffs?|Club|Common|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing"
    r"|Crossroad|Curve|Dale|Dam|Divide|Drives|Estates?|Expressway|Extensions?|Falls?|Ferry|Fields?"
    r"|Flats?|Fords?|Forest|Forges?|Forks?|Fort|Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?"
    r"|Harbors?|Haven|Heights|Hills?|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?"
    r"|Land|Landing|Lights?|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mills?|Mission|Motorway"
    r"|Mountains?|Neck|Orchard|Oval|Overpass|Park|Parks|Parkways|Pass|Passage|Path|Pike|Pines?"
    r"|Plains?|Points?|Ports?|Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Row"
    r"|Rue|Run|Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares|Station|Stravenue|Stream|Streets"
    r"|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Turnpike|Underpass|Unions?|Valleys?|Viaduct"
    r"|Views?|Villages?|Ville|Vista|Walks?|Wall|Ways|Wells?"
)
_SIDE = r"(?:[NSEW]|NE|NW|SE|SW)"
_UNIT = r"(?P<unit>,? (?:Suite|Ste\.?|Apt\.?|Apartment|Unit|Floor|Fl\.?|Room|#) ?[\w-]{1,6})?"
_STATE = r"(?:[A-Z]{2}|[A-Z][a-z]{3,12})\.? \d{5}(?:-\d{4})?"
_PLACE = rf"(?P<place>,? (?:[A-Z][a-z]{{1,20}} ?){{1,3}},? {_STATE})?"

_courts = re.compile(
    r"(?:Supreme|District|Circuit|Appeals|High|Federal|County|Bankruptcy) Court|[a-z]{4}\. "
)
_lives = context(
    r"address\w{0,2}|lives?|living|resid\w{0,6}|located|moved|mail|ship|deliver\w{0,3}|at"
)


def _street(match: re.Match[str]) -> float:
    if _courts.search(match[0]):
        return 0.0
    if match["unit"] or match["place"]:
        return 0.85
    if match["rare"]:
        return 0.6 if _lives(match) else 0.0
    return 0.75


STREET = Family(
    re.compile(
        r"[0-9](?<![\w.,$-].)(?=[0-9]{0,5}[A-Z]?[ ][A-Z0-9])|[PUC](?=\.? ?O\.? ?Box|SC |nit |MR )"
    ),
    (
        Shape(
            "street_address",
            re.compile(
                rf"\d{{1,6}}[A-Z]? (?:{_SIDE}\.? )?"
                r"(?:[A-Z][\w'.-]{1,20} |\d{1,3}(?:st|nd|rd|th) ){1,4}"
                rf"(?:(?:{_ROAD})|(?P<rare>{_RARE}))\b\.?(?: {_SIDE}\b\.?)?{_UNIT}{_PLACE}"
            ),
            _street,
        ),
        Shape("street_address", re.compile(r"P\.? ?O\.? ?Box \d{1,6}(?!\w)"), lambda match: 0.7),
        Shape(
            "street_address",
            re.compile(rf"(?:PSC|Unit|CMR) \d{{1,5}},? Box \d{{1,5}}(?!\w){_PLACE}"),
            lambda match: 0.8,
        ),
    ),
)
