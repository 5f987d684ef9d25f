"""Which rule looks where: the anchors of the engines, the words of the numbers, and the calls."""

from __future__ import annotations

from collections.abc import Iterator

from halocline_governance.detect.engines.anchor import EDGE, Anchor
from halocline_governance.detect.kinds import (
    crypto,
    email,
    lettered,
    money,
    national,
    network,
    papers,
    phone,
    postal,
    towns,
    web,
)
from halocline_governance.detect.kinds.number import broken, number
from halocline_governance.detect.kinds.shape import Rule
from halocline_governance.detect.kinds.words import Words

NUMBER = "number"
TOKENS = (NUMBER, "lettered", "coin", "iban", "british")
"""What `number_kernel` calls what it finds, in its order."""


RULES: dict[str, Rule] = {
    NUMBER: broken(number),
    "email": email.written,
    "spelt": email.spelt,
    "hosted": email.hosted,
    "url": web.located,
    "colons": network.coloned,
    "pairs": network.paired,
    "defanged": network.defanged,
    "cisco": network.cisco,
    "unbroken": network.unbroken,
    "ethereum": crypto.ethereum,
    "coin": crypto.coin,
    "iban": broken(money.iban),
    "lettered": broken(lettered.LETTERED),
    "vanity": phone.vanity,
    "birth": papers.born,
    "passport": papers.passport,
    "licence": papers.LICENCE,
    "postcode": papers.POSTCODE,
    "british": towns.british,
    "bic": papers.bic,
    "street": postal.street,
    "continental": postal.CONTINENTAL,
    "box": postal.BOX,
}
WORDS: tuple[Words, ...] = (
    phone.CALL,
    money.CARD_WORDS,
    money.ACCOUNT_WORDS,
    money.ROUTING,
    towns.LIVES_IN,
    *national.WORDS,
)
"""Beside these a number is worth a look whatever its grouping."""


def _anchors() -> Iterator[Anchor]:
    def edged(rule: str, *patterns: str, caseless: bool = True) -> Iterator[Anchor]:
        for pattern in patterns:
            yield Anchor(rule, EDGE + pattern, at=1, caseless=caseless)

    def words(rule: str, near: tuple[int, int], *patterns: str, at: int = 0) -> Iterator[Anchor]:
        for pattern in patterns:
            yield Anchor(rule, pattern, at=at, caseless=True, digit=near)

    yield Anchor("email", "[0-9A-Za-z_.!#$%&'*+/=?^`{|}~\\xff-]@[0-9A-Za-z\\xff\\[]", at=1)
    yield Anchor("spelt", "[0-9A-Za-z_] @ [0-9A-Za-z]", at=2)
    for sign in ("[.]", "dot"):
        yield Anchor("defanged", f"[0-9][\\[({{<]{sign}[\\])}}>]", caseless=True)
    for opening in ("[\\[({<]", "[\\[({<] "):
        yield from words("spelt", (0, 0), opening + "at[ \\])}>]", opening + "dot[ \\])}>]")
    yield from words(
        "spelt", (0, 0), " dot ", " punkt ", " punto ", " arroba ", "_at_", " chiocciola "
    )
    for end in (
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "io",
        "de",
        "fr",
        "it",
        "es",
        "nl",
        "pl",
        "co[.]",
        "ch",
        "eu",
        "in",
        "ca",
        "au",
    ):
        yield from words("hosted", (0, 0), f"[a-z0-9-][.]{end}", at=1)
    yield Anchor("url", "://")
    yield Anchor("url", "www[.]", caseless=True)
    yield from words(
        "colons", (0, 0), *(f":[0-9a-f]{{{n}}}:" for n in (1, 2, 3, 4)), "[0-9a-f]::", "::[0-9a-f]"
    )
    yield from edged("pairs", *("[0-9a-f]{2}-" * 3 + "[0-9a-f]{2}-",))
    yield from words("cisco", (0, 0), "[0-9a-f]{4}[.][0-9a-f]{4}[.][0-9a-f]{4}")
    yield from words("ethereum", (0, 0), "0x[0-9a-f]{40}")
    yield from words("vanity", (0, 0), "8[0-9]{2}[-. ][A-Z]", "8[0-9]{2}[)] [A-Z]")
    yield from words("unbroken", (0, 24), "mac[\"' _:=-]", "mac_addr", "macaddr", "mac addr")
    yield from _papers()
    yield from _postal()


def _papers() -> Iterator[Anchor]:
    def worded(rule: str, near: int, *patterns: str) -> Iterator[Anchor]:
        for pattern in patterns:
            yield Anchor(rule, pattern, caseless=True, digit=(48 if rule == "birth" else 14, near))

    def first(rule: str, near: int, *patterns: str) -> Iterator[Anchor]:
        for pattern in patterns:
            yield Anchor(
                rule,
                EDGE + pattern,
                at=1,
                caseless=True,
                digit=(48 if rule == "birth" else 0, near),
            )

    yield from worded(
        "birth",
        60,
        "birth",
        "geboren",
        "geburtsdatum",
        "geburtstag",
        "naissance",
        "nacimiento",
        "nascita",
        "urodz",
        "geboortedatum",
        "d[.]o[.]b",
        "d[.] o[.] b",
        "cumpleanos",
        "compleanno",
        "verjaardag",
        "nascimento",
        "date de naiss",
        "data nasc",
        "d/o/b",
        "anniversaire",
        "bday",
        "b-day",
        "ne[(]e[)] le",
    )
    yield from first(
        "birth",
        60,
        "born",
        "dob",
        "ne le",
        "nee le",
        "nacio ",
        "f[.] nac",
        "fecha nac",
        "nacido",
        "nacida",
        "geb[.]",
        "geb ",
        "nac[.]",
        "nato ",
        "nata ",
        "ur[.] ",
        "geb:",
        "ddn",
        "fodelsedatum",
        "fodselsdato",
        "fodd",
        "fodt",
        "syntyma",
        "syntynyt",
        "b/d",
        "f[.]nac",
    )
    yield from worded(
        "passport",
        60,
        "passport",
        "passeport",
        "reisepas",
        "pasaporte",
        "passaporto",
        "paszport",
        "paspoort",
        "travel document",
        "pass-n",
        "pass n",
        "pass nr",
        "passn",
        "ppt n",
    )
    for driver in ("driver", "drivers", "driver's", "driving", "drivers'"):
        for gap in ("", " ", "_", "-"):
            yield from worded("licence", 60, f"{driver}{gap}licen")
    yield from worded(
        "licence",
        60,
        "license no",
        "license num",
        "licence no",
        "licence num",
        "license #",
        "license:",
        "licence:",
        "fuhrerschein",
        "permis de conduire",
        "patente",
        "de conducir",
        "rijbewijs",
        "prawo jazdy",
    )
    yield from first("licence", 40, "dl:", "dl #", "dl#", "dl no", "dl num", "dl is ")
    yield from first(
        "postcode",
        40,
        "zip",
        "postcode",
        "post code",
        "postal",
        "plz",
        "postleitzahl",
        "codice postale",
        "kod pocztowy",
        "code postal",
        "post_code",
        "post-code",
        "c[.]p[.]",
        "cp:",
        "cp ",
        "codigo postal",
        "cap ",
        "cap:",
        "_zip",
        "pincode",
        "pin code",
        "eircode",
        "postnr",
        "postkod",
        "singapore",
    )
    yield Anchor("birth", "[(]b[.] ", at=1, caseless=True, digit=(0, 24))
    yield Anchor("birth", ", b[.] ", at=2, caseless=True, digit=(0, 24))
    yield Anchor("birth", "[ (,\n\\x00][*][0-9]", at=1)
    yield Anchor("birth", "_dob", at=1, caseless=True, digit=(0, 120))
    yield Anchor("bic", EDGE + "bic", at=1, caseless=True)
    yield Anchor("bic", "_bic", at=1, caseless=True)
    yield Anchor("bic", "identifier code", caseless=True)
    yield Anchor("bic", EDGE + "swift", at=1, caseless=True)


def _postal() -> Iterator[Anchor]:
    for word in postal.COMMON:
        caseless = len(word) > 4
        pattern = "[a-z0-9.] " + word + ("" if caseless else "[ ,.;:!?)<|\"'\n\t\\x00]")
        yield Anchor("street", pattern, at=2, caseless=True)
    for word in postal.RARE:
        yield Anchor("street", "[a-z0-9.] " + word, at=2)
    for word in (
        "strase",
        "strasse",
        "str[.] ",
        "platz ",
        "allee ",
        "gasse ",
        "weg ",
        "damm ",
        "ufer ",
        "straat ",
        "laan ",
        "gracht ",
        "plein ",
        "kade ",
        "dijk ",
        "singel ",
        "markt ",
        "steig ",
        "hof ",
        "chaussee ",
    ):
        yield Anchor("continental", word, caseless=True, digit=(0, 16))
    for word in (
        "Am ",
        "An der ",
        "Auf der ",
        "Auf dem ",
        "Im ",
        "In der ",
        "Zum ",
        "Zur ",
        "Unter den ",
    ):
        yield Anchor("continental", EDGE + word + "[A-Z]", at=1, digit=(0, 40))
    for word in (
        "rue ",
        "avenue ",
        "av[.] ",
        "boulevard ",
        "bd ",
        "bd[.] ",
        "place ",
        "allee ",
        "allees ",
        "chemin ",
        "impasse ",
        "quai ",
        "cours ",
        "route ",
        "square ",
        "passage ",
        "faubourg ",
    ):
        yield Anchor("continental", EDGE + word, at=1, caseless=True, digit=(10, 0))
    for word in (
        "calle ",
        "c/",
        "avda",
        "avenida ",
        "plaza ",
        "pza",
        "paseo ",
        "carrer ",
        "camino ",
        "ronda ",
        "travesia ",
        "carretera ",
        "via ",
        "viale ",
        "piazza ",
        "p[.]za ",
        "corso ",
        "largo ",
        "vicolo ",
        "strada ",
        "rua ",
        "praca ",
        "ul[.]",
        "ulica ",
        "al[.] ",
        "os[.] ",
        "plac ",
    ):
        yield Anchor("continental", EDGE + word, at=1, caseless=True, digit=(0, 60))
    for word in (
        "O[.] Box",
        "PO Box",
        "P O Box",
        "O[.]Box",
        "office box",
        "postfach",
        "postbus",
        "casella postale",
        "boite postale",
        "apartado",
        "psc ",
        "cmr ",
        "fpo ",
        "apo ",
        "dpo ",
        "bp ",
    ):
        yield Anchor("box", word, caseless=True, digit=(30, 20))


ANCHORS: tuple[Anchor, ...] = tuple(_anchors())
