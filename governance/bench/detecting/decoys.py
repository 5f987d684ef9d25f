"""Numbers and codes that look like personal data and are none: the hard negatives.

Checked ones hold (ISBN, ISIN, CUSIP, LEI), so that a detector cannot tell them by a failed check.
What a decoy must not be by accident, a valid payment card or IBAN say, is thrown away.
"""

import random
import string
import uuid
from datetime import datetime, timedelta

from bench.detecting.accounts import mod97
from bench.detecting.identifiers import Maker, digits, letters, luhn

_HEX = "0123456789abcdef"


def isbn(rng: random.Random) -> str:
    body = "978" + digits(rng, 9, "0123")
    check = -sum(int(char) * (3 if at % 2 else 1) for at, char in enumerate(body)) % 10
    value = f"{body}{check}"
    return rng.choice([value, f"{value[:3]}-{value[3]}-{value[4:8]}-{value[8:12]}-{value[12]}"])


def isin(rng: random.Random) -> str:
    body = rng.choice(["US", "DE", "GB", "FR", "XS"]) + digits(rng, 9, string.digits)
    expanded = "".join(str(int(char, 36)) for char in body)
    return body + luhn(expanded)[-1]


def cusip(rng: random.Random) -> str:
    body, total = digits(rng, 6) + letters(rng, 1) + digits(rng, 1), 0
    for at, char in enumerate(body):
        value = int(char, 36) * (2 if at % 2 else 1)
        total += value // 10 + value % 10
    return f"{body}{-total % 10}"


def lei(rng: random.Random) -> str:
    body = digits(rng, 4) + "00" + letters(rng, 12, string.ascii_uppercase + string.digits)
    return f"{body}{98 - mod97(body + '00'):02}"


def doi(rng: random.Random) -> str:
    return f"10.{digits(rng, 4)}/{rng.choice(['j.', 's', ''])}{digits(rng, 5)}-{digits(rng, 3)}"


def order(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{digits(rng, 3)}-{digits(rng, 7)}-{digits(rng, 7)}",
            f"SO-{digits(rng, 8)}",
            digits(rng, 10, "45"),
            f"PO{digits(rng, 7)}",
            f"#{digits(rng, 6)}",
            digits(rng, 8),
        ]
    )


def invoice(rng: random.Random) -> str:
    year = rng.randrange(2015, 2027)
    return rng.choice(
        [
            f"INV-{year}-{digits(rng, 5)}",
            f"RE{year}{digits(rng, 6)}",
            f"{year}/{digits(rng, 4)}",
            digits(rng, 9),
            f"{year}-{digits(rng, 4)}-{digits(rng, 3)}",
        ]
    )


def version(rng: random.Random) -> str:
    parts = [rng.randrange(1, 20), rng.randrange(30), rng.randrange(40)]
    text = ".".join(map(str, parts))
    return rng.choice([f"v{text}", text, f"v{text}.{rng.randrange(9)}", f"{text}-rc{parts[0]}"])


def moment(rng: random.Random) -> str:
    when = datetime(2015, 1, 1) + timedelta(seconds=rng.randrange(10 * 365 * 86_400))
    return rng.choice(
        [
            when.isoformat(),
            when.strftime("%Y-%m-%d %H:%M:%S,123"),
            str(int(when.timestamp())),
            str(int(when.timestamp() * 1000)),
            when.strftime("%Y%m%d%H%M%S"),
        ]
    )


def coordinates(rng: random.Random) -> str:
    return f"{rng.uniform(-85, 85):.6f}, {rng.uniform(-175, 175):.6f}"


def table(rng: random.Random) -> str:
    """A line of a financial table."""
    cells = [
        rng.choice(
            [f"{rng.randrange(10**6):,}", f"({rng.randrange(10**5):,})", f"{rng.random():.2%}"]
        )
        for _ in range(rng.randrange(3, 6))
    ]
    return "   ".join(cells)


def product(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{letters(rng, 3)}-{digits(rng, 4)}-{letters(rng, 2)}",
            f"{letters(rng, 2)}{digits(rng, 5)}",
            f"{digits(rng, 2)}.{digits(rng, 3)}.{digits(rng, 2)}",
            f"{digits(rng, 4)}-{digits(rng, 2)}",
        ]
    )


def tracking(rng: random.Random) -> str:
    return rng.choice([f"1Z{digits(rng, 6)}{digits(rng, 10)}", digits(rng, 12), digits(rng, 20)])


DECOYS: dict[str, Maker] = {
    "isbn": isbn,
    "isin": isin,
    "cusip": cusip,
    "lei": lei,
    "doi": doi,
    "order": order,
    "invoice": invoice,
    "version": version,
    "moment": moment,
    "coordinates": coordinates,
    "table": table,
    "product": product,
    "tracking": tracking,
    "sha": lambda rng: letters(rng, rng.choice([7, 12, 40, 40, 64]), _HEX),
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "price": lambda rng: rng.choice(
        [
            f"${rng.uniform(1, 9e4):,.2f}",
            f"{rng.uniform(1, 9e3):.2f} EUR",
            f"£{rng.randrange(9000)}",
        ]
    ),
    "count": lambda rng: f"{rng.randrange(10**7):,}",
    "percent": lambda rng: f"{rng.uniform(0, 100):.1f}%",
    "section": lambda rng: ".".join(str(rng.randrange(1, 13)) for _ in range(rng.choice([3, 4]))),
    "digits": lambda rng: digits(rng, rng.choice([6, 7, 8, 9])),
    "long": lambda rng: digits(rng, rng.choice([16, 18, 19])),
    "ticket": lambda rng: f"{letters(rng, 3)}-{rng.randrange(100, 9999)}",
    "hash": lambda rng: letters(rng, 32, _HEX),
    "pointer": lambda rng: "0x" + letters(rng, rng.choice([8, 12, 16]), _HEX),
    "colour": lambda rng: "#" + letters(rng, 6, _HEX),
    "handle": lambda rng: "@" + letters(rng, 8, string.ascii_lowercase),
    "year": lambda rng: str(rng.randrange(1990, 2027)),
    "small": lambda rng: str(rng.randrange(2, 60)),
    "mask": lambda rng: rng.choice(["255.255.255.0", "127.0.0.1", "255.255.0.0"]),
    "time": lambda rng: f"{rng.randrange(24):02}:{rng.randrange(60):02}",
}
