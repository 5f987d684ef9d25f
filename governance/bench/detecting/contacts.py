"""Makers of e-mail and network addresses, telephone numbers, streets, postcodes and days of birth.

Locales are Faker's, such as `de_DE`. Knows no detector; libphonenumber says which numbers exist.
"""

import ipaddress
import random
import string
import unicodedata
from datetime import date
from functools import cache

import phonenumbers
from bench.detecting.identifiers import born, digits, letters
from faker import Faker

REGION = {"en_US": "US", "en_GB": "GB", "en_AU": "AU", "en_CA": "CA", "en_IN": "IN"}
_TLD = {"de_DE": "de", "fr_FR": "fr", "es_ES": "es", "it_IT": "it", "pl_PL": "pl", "nl_NL": "nl"}
_ROADS = {
    "en_US": "{n} {w} Street|{n} {w} St|{n} {w} Ave.|{n} {w} Avenue|{n} N. {w} Blvd|{n} {w} Drive"
    "|{n} {w} Rd|{n} {w} Lane|{n} {w} Ct|{n} E {w} Way|{n} {w} Street, Apt {m}{c}|P.O. Box {n}"
    "|{n} {w} Parkway, Suite {m}00|{n} {o} Street|{n} {w} Pl",
    "en_GB": "{m} {w} Road|{m} {w} Street|{m} {w} Lane|{m}{c} {w} Close|{m} {w} Crescent|{m} {w}"
    " Avenue|Flat {m}, {m} {w} Road|{m} {w} Terrace|{m} {w} Gardens|PO Box {n}|{m} {w} Grove",
    "en_AU": "{m} {w} Street|Unit {m}, {m} {w} Road|{m}/{n} {w} Parade|{m} {w} Highway|PO Box {n}",
    "en_CA": "{n} {w} Street|{n} {w} Ave|{n} {w} Road NW|{m}-{n} {w} Street|{n} {w} Crescent",
    "de_DE": "{w}straße {m}|{w}str. {m}|{w}weg {m}|{w}allee {m}{l}|{w}platz {m}|Am {w}berg {m}"
    "|{w}-{w}-Straße {m}|{w}gasse {m}|Postfach {n}",
    "fr_FR": "{m} rue {w}|{m}, rue de {w}|{m} bis avenue {w}|{m} boulevard {w}|{m} place {w}"
    "|{m}, chemin des {w}|{m} impasse {w}|{m} allée {w}",
    "es_ES": "Calle {w}, {m}|Calle de {w} {m}|C/ {w}, {m}|Avda. {w} {m}|Avenida de {w}, {m}"
    "|Plaza {w} {m}|Paseo de {w}, {m}",
    "it_IT": "Via {w} {m}|Via {w}, {m}|Viale {w} {m}|Piazza {w} {m}|Corso {w}, {m}|Vicolo {w} {m}",
    "pl_PL": "ul. {w} {m}|ul. {w} {m}/{m}|al. {w} {m}|pl. {w} {m}|os. {w} {m}/{m}|ulica {w} {m}",
    "nl_NL": "{w}straat {m}|{w}weg {m}|{w}laan {m}{l}|{w}plein {m}|{w}gracht {m}",
}
_WORDS = {
    "en_US": "Maple Oak Washington Lincoln Cedar Park Elm Lakeview Hillcrest Jefferson Sunset",
    "en_GB": "Church Station Victoria Albert Mill Kings Queens Windsor Orchard Manor Green Grange",
    "de_DE": "Goethe Schiller Linden Bahnhof Garten Kirch Mozart Bismarck Rosen Berliner Wald",
    "fr_FR": "Victor-Hugo Pasteur Gambetta Voltaire Molière Lilas Moulins Tilleuls République Foch",
    "es_ES": "Mayor Cervantes Goya Alcalá Colón Velázquez Serrano Luna Olivos Constitución",
    "it_IT": "Garibaldi Roma Mazzini Verdi Dante Cavour Marconi Leopardi Manzoni Matteotti",
    "pl_PL": "Polna Leśna Słoneczna Krótka Ogrodowa Lipowa Mickiewicza Kościuszki Sienkiewicza",
    "nl_NL": "Kerk School Dorps Molen Juliana Wilhelmina Prinsen Beatrix Linden Oranje",
}
_ORDINALS = ("5th", "42nd", "3rd", "11th", "21st")
_DOMAINS = [
    "gmail.com",
    "outlook.com",
    "yahoo.com",
    "proton.me",
    "icloud.com",
    "web.de",
    "gmx.de",
    "orange.fr",
    "libero.it",
    "wp.pl",
]
_DATES = {
    "en_US": "%m/%d/%Y|%B %d, %Y|%m-%d-%Y|%Y-%m-%d|%b %d, %Y|%m/%d/%y",
    "en_GB": "%d/%m/%Y|%d %B %Y|%d-%m-%Y|%Y-%m-%d|%d %b %Y|%d.%m.%Y",
    "de_DE": "%d.%m.%Y|%d.%m.%y|%Y-%m-%d",
    "fr_FR": "%d/%m/%Y|%d-%m-%Y|%d.%m.%Y",
    "pl_PL": "%d.%m.%Y|%Y-%m-%d|%d-%m-%Y",
}


@cache
def faker(locale: str) -> Faker:
    """Names, companies, towns of a place; the caller seeds it (`seeded`)."""
    return Faker(locale)


def seeded(locale: str, rng: random.Random) -> Faker:
    fake = faker(locale)
    fake.seed_instance(rng.randrange(2**32))
    return fake


def plain(text: str) -> str:
    """Letters a to z only: what a user's name is made of."""
    folded = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ł", "l"))
    return "".join(char for char in folded if char in string.ascii_lowercase)


def email(rng: random.Random, locale: str) -> str:
    fake = seeded(locale, rng)
    first, last = plain(fake.first_name()) or "kim", plain(fake.last_name()) or "lee"
    user = rng.choice(
        [
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{first}_{last}{rng.randrange(100)}",
            last,
            f"{first}+{rng.choice(['news', 'shop', 'work'])}",
            f"{first[0]}.{last}-{first[:3]}",
        ]
    )
    tld = _TLD.get(locale, rng.choice(["com", "org", "net", "io", "co.uk", "edu"]))
    own = f"{rng.choice(['', 'mail.', ''])}{plain(fake.last_name())}-{last[:4]}.{tld}"
    return f"{user}@{rng.choice([rng.choice(_DOMAINS), own, own.capitalize()])}"


def hidden_email(rng: random.Random, locale: str) -> str:
    """As people write it to keep robots away."""
    user, _, domain = email(rng, locale).partition("@")
    at, dot = rng.choice(
        [
            (" at ", " dot "),
            ("[at]", "[dot]"),
            (" [at] ", " [dot] "),
            ("(at)", "(dot)"),
            (" (at) ", "."),
            ("[at]", "."),
            (" AT ", " DOT "),
            (" @ ", "."),
            ("{at}", "{dot}"),
        ]
    )
    return user.replace(".", "_") + at + domain.replace(".", dot)


def phone(rng: random.Random, locale: str, form: str = "") -> str:
    """A number that libphonenumber accepts; `form` intl, or the way its country writes it."""
    region = REGION.get(locale, locale[-2:])
    kind = rng.choice([0, 1])
    while True:
        base = phonenumbers.example_number_for_type(region, kind)
        assert base is not None
        told = str(base.national_number)
        keep = 2 if region not in ("US", "CA") else 3
        tail = digits(rng, len(told) - keep, "23456789")
        head = told[:keep] if region not in ("US", "CA") else rng.choice(_AREAS[region])
        number = phonenumbers.PhoneNumber(
            country_code=base.country_code,
            national_number=int(head + tail),
            italian_leading_zero=base.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(number):
            break
    intl = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    if form == "intl" or (not form and rng.random() < 0.5):
        return respaced(rng, intl, locale in _DIALS_00)
    return respaced(rng, national, False)


_AREAS = {
    "US": ["212", "415", "312", "617", "206", "303", "702", "954"],
    "CA": ["416", "604", "514", "613", "403"],
}


_DIALS_00 = ("de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "nl_NL", "en_GB")


def respaced(rng: random.Random, number: str, zeros: bool) -> str:
    """The same number as different people write it; with 00 for + where one dials it so."""
    form = rng.randrange(8)
    bare = number.replace("(", "").replace(")", "")
    if form == 0:
        return bare.replace(" ", "-")
    if form == 1:
        return bare.replace(" ", ".").replace("-", ".")
    if form == 2 and number.startswith("+"):
        return "+" + "".join(char for char in number if char.isdigit())
    if form == 3 and zeros:
        return "00" + number[1:]
    return number


def ip(rng: random.Random, locale: str, form: str = "") -> str:
    if form == "6" or (form != "4" and rng.random() < 0.35):
        head = rng.choice([0x2A001450, 0x26064700, 0x2A0201A8])
        tail = rng.getrandbits(96) if rng.random() < 0.5 else rng.getrandbits(24)
        address = ipaddress.IPv6Address(head << 96 | tail)
        return rng.choice([str(address), str(address), address.exploded, str(address).upper()])
    first = rng.choice([23, 34, 45, 62, 81, 93, 104, 142, 151, 178, 185, 193, 203, 212])
    rest = [rng.randrange(1, 255) for _ in range(3)]
    return ".".join(map(str, rng.choice([[first, *rest], [first, *rest], [192, 168, *rest[:2]]])))


def mac(rng: random.Random, locale: str) -> str:
    pairs = [f"{rng.randrange(256):02x}" for _ in range(6)]
    text = rng.choice([":".join(pairs), ":".join(pairs), "-".join(pairs)])
    if rng.random() < 0.15:
        text = ".".join("".join(pairs)[at : at + 4] for at in (0, 4, 8))
    return rng.choice([text, text.upper()])


def url(rng: random.Random, locale: str) -> str:
    host = f"{plain(seeded(locale, rng).last_name())}{rng.choice(['', '-online', 'group'])}"
    tld = _TLD.get(locale, rng.choice(["com", "org", "io", "co.uk"]))
    path = rng.choice(
        [
            "",
            "/",
            "/about",
            "/u/{}",
            "/profile?id={}",
            "/docs/{}/index.html",
            "/#team",
            "/a/b?x=1&y=2",
        ]
    ).format(rng.randrange(10_000))
    return rng.choice(["https://", "http://", "https://www.", "www."]) + f"{host}.{tld}{path}"


def url_credentials(rng: random.Random, locale: str) -> str:
    user = plain(seeded(locale, rng).first_name())
    word = letters(rng, rng.randrange(8, 13), string.ascii_letters + string.digits + "._-~!")
    scheme, port = rng.choice(
        [
            ("postgresql", ":5432"),
            ("https", ""),
            ("ftp", ""),
            ("mongodb+srv", ""),
            ("redis", ":6379"),
            ("mysql", ":3306"),
            ("amqp", ":5672"),
            ("sftp", ":22"),
        ]
    )
    host = rng.choice(["db.internal.net", "10.4.7.12", f"{user}-files.example.org", "mq01.corp.io"])
    return f"{scheme}://{user}:{word}@{host}{port}/{rng.choice(['app', 'v1', 'data/main', 'x'])}"


def street(rng: random.Random, locale: str) -> str:
    words = _WORDS.get(locale, _WORDS["en_US"]).split()
    form = rng.choice(_ROADS.get(locale, _ROADS["en_GB"]).split("|"))
    for slot, make in (
        ("{w}", lambda: rng.choice(words)),
        ("{m}", lambda: str(rng.randrange(1, 180))),
        ("{n}", lambda: str(rng.randrange(100, 9999))),
        ("{c}", lambda: rng.choice("ABCD")),
        ("{l}", lambda: rng.choice(["", "a", "b"])),
        ("{o}", lambda: rng.choice(_ORDINALS)),
    ):
        while slot in form:
            form = form.replace(slot, make(), 1)
    return form


def postcode(rng: random.Random, locale: str) -> str:
    if locale == "en_GB":
        area = rng.choice(["SW", "E", "N", "NW", "EC1", "M", "B", "LS", "BS", "G", "EH", "CF"])
        area = area if area[-1].isdigit() else f"{area}{rng.randrange(1, 20)}"
        outer = area + ("A" if area == "EC1" else "")
        return f"{outer} {rng.randrange(1, 10)}{letters(rng, 2, 'ABDEFGHJLNPQRSTUWXYZ')}"
    if locale == "en_CA":
        one = (
            letters(rng, 1, "ABCEGHJKLMNPRSTVXY")
            + digits(rng, 1)
            + letters(rng, 1, "ABCEGHJKLNPRSTVWXYZ")
        )
        return f"{one} {digits(rng, 1)}{letters(rng, 1, 'ABCEGHJKLNPRSTVWXYZ')}{digits(rng, 1)}"
    if locale == "nl_NL":
        return f"{digits(rng, 4)} {letters(rng, 2, 'ABCDEGHJKLMNPRTVWXZ')}"
    if locale == "pl_PL":
        return f"{rng.randrange(100):02}-{rng.randrange(1000):03}"
    if locale == "en_IN":
        return digits(rng, 6, "12345678")
    if locale in ("en_AU",):
        return digits(rng, 4, "234567")
    if locale == "en_US" and rng.random() < 0.25:
        return f"{digits(rng, 5)}-{digits(rng, 4)}"
    return digits(rng, 5, "1234567" if locale == "de_DE" else "1234")


def date_of_birth(rng: random.Random, locale: str) -> str:
    return dated(rng, locale, born(rng))


def dated(rng: random.Random, locale: str, day: date) -> str:
    """A day as the place writes it; months by name in English only."""
    like = locale if locale in _DATES else "en_GB" if locale[:2] == "en" else "fr_FR"
    return day.strftime(rng.choice(_DATES[like].split("|")))
