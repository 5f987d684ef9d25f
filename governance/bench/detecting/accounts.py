"""Makers of payment cards, IBANs, BICs, account numbers and crypto addresses, and near misses.

From ISO/IEC 7812-1, ISO 13616, ISO 9362, BIP 173, BIP 350, EIP-55. Knows no detector and no text.
"""

import hashlib
import random
import string

from bench.detecting.identifiers import digits, letters, luhn, weighted

_ISSUERS = (
    (("4",), 16, 8),
    (("51", "52", "53", "54", "55", "2221", "2500", "2720"), 16, 8),
    (("34", "37"), 15, 4),
    (("6011", "65", "644"), 16, 2),
    (("36", "38", "300", "305"), 14, 2),
    (("3528", "3566", "3589"), 16, 2),
    (("5018", "5020", "6304", "6759"), 16, 1),
    (("622126", "623300"), 16, 1),
)
_BANKS = [
    "DEUT",
    "COBA",
    "BNPA",
    "CHAS",
    "BARC",
    "INGB",
    "UBSW",
    "BSCH",
    "UNCR",
    "BREX",
    "RABO",
    "ABNA",
    "HSBC",
    "NATW",
    "LOYD",
    "CRLY",
    "SOGE",
    "AGRI",
    "BCIT",
    "POSO",
    "CITI",
    "BOFA",
    "WFBI",
    "ROYC",
    "TDOM",
    "NOSC",
    "ANZB",
    "CTBA",
    "DBSS",
    "OCBC",
    "UOVB",
    "SBIN",
    "HDFC",
    "ICIC",
    "PKOP",
]
_COUNTRIES = [
    "DE",
    "FR",
    "US",
    "GB",
    "NL",
    "CH",
    "ES",
    "IT",
    "PL",
    "BE",
    "AT",
    "PT",
    "SE",
    "NO",
    "DK",
    "FI",
    "IE",
    "LU",
    "CA",
    "AU",
    "SG",
    "IN",
]
# Per country the BBAN by ISO 13616's registry: n digits, a letters, c either.
_BBAN = {
    "DE": "18n",
    "GB": "4a14n",
    "NL": "4a10n",
    "CH": "5n12c",
    "AT": "16n",
    "FR": "10n11c2n",
    "IT": "1a10n12c",
    "PL": "24n",
    "IE": "4a14n",
    "PT": "21n",
    "SE": "20n",
    "DK": "14n",
    "LU": "3n13c",
    "ES": "es",
}
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ROUND = tuple(
    int(each, 16)
    for each in [
        "1",
        "8082",
        "800000000000808a",
        "8000000080008000",
        "808b",
        "80000001",
        "8000000080008081",
        "8000000000008009",
        "8a",
        "88",
        "80008009",
        "8000000a",
        "8000808b",
        "800000000000008b",
        "8000000000008089",
        "8000000000008003",
        "8000000000008002",
        "8000000000000080",
        "800a",
        "800000008000000a",
        "8000000080008081",
        "8000000000008080",
        "80000001",
        "8000000080008008",
    ]
)


def card(rng: random.Random) -> str:
    prefixes, size, _ = rng.choices(_ISSUERS, [weight for _, _, weight in _ISSUERS])[0]
    prefix = rng.choice(prefixes)
    return luhn(prefix + digits(rng, size - len(prefix) - 1, string.digits))


def grouped_card(rng: random.Random, value: str) -> str:
    """As it is embossed: 4-4-4-4, or 4-6-5 and 4-6-4."""
    if len(value) == 16:
        parts = [value[at : at + 4] for at in range(0, 16, 4)]
    else:
        parts = [value[:4], value[4:10], value[10:]]
    return rng.choice("  -").join(parts)


def iban(rng: random.Random) -> str:
    country = rng.choice([*_BBAN, "DE", "GB", "FR"])
    body = bban(rng, country)
    return f"{country}{98 - mod97(body + country + '00'):02}{body}"


def bban(rng: random.Random, country: str) -> str:
    if country == "ES":
        return spanish(rng)
    form, size, body = _BBAN[country], "", ""
    for char in form:
        if char.isdigit():
            size += char
            continue
        of = {"n": string.digits, "a": string.ascii_uppercase}.get(char, string.digits)
        body += letters(rng, int(size), of)
        size = ""
    return body


def spanish(rng: random.Random) -> str:
    """Bank and branch, two check digits (11 minus the weighted sum mod 11), account."""
    office, account = digits(rng, 8, "0123"), digits(rng, 10, string.digits)
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    checks = (11 - weighted(each, weights) % 11 for each in ("00" + office, account))
    return office + "".join(str({10: 1, 11: 0}.get(each, each)) for each in checks) + account


def mod97(value: str) -> int:
    return int("".join(str(int(char, 36)) for char in value)) % 97


def iban_holds(value: str) -> bool:
    return mod97(value[4:] + value[:4]) == 1


def bic(rng: random.Random) -> str:
    bank = rng.choice(_BANKS) if rng.random() < 0.7 else letters(rng, 4)
    place = rng.choice(["FF", "PP", "MM", "33", "22", "2L", "HH", "ZZ", "WW", "SG", "2S", "3M"])
    branch = rng.choice(["", "", "XXX", "500", "80A"])
    return bank + rng.choice(_COUNTRIES) + place + branch


def account(rng: random.Random) -> str:
    return digits(rng, rng.choice([8, 8, 9, 10, 10, 11, 12]), string.digits)


def btc(rng: random.Random) -> str:
    form = rng.random()
    if form < 0.5:
        version, size = (0, 20) if form < 0.3 else (5, 20)
        return base58check(bytes([version]) + rng.randbytes(size))
    if form < 0.85:
        return bech32("bc", 0, rng.randbytes(20), 1)
    return bech32("bc", 1, rng.randbytes(32), 0x2BC830A3)


def base58check(payload: bytes) -> str:
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(data), ""
    while number:
        number, at = divmod(number, 58)
        text = _BASE58[at] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def bech32(human: str, version: int, program: bytes, constant: int) -> str:
    """A segwit address; the constant is BIP 173's 1 or BIP 350's."""
    bits = "".join(f"{byte:08b}" for byte in program)
    bits += "0" * (-len(bits) % 5)
    values = [version, *(int(bits[at : at + 5], 2) for at in range(0, len(bits), 5))]
    spread = [ord(char) >> 5 for char in human] + [0] + [ord(char) & 31 for char in human]
    check = 1
    for value in [*spread, *values, *[0] * 6]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, each in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= each if top >> at & 1 else 0
    check ^= constant
    values += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{human}1" + "".join(_BECH32[value] for value in values)


def eth(rng: random.Random) -> str:
    return eip55(rng.randbytes(20).hex())


def eip55(lowered: str) -> str:
    hashed = keccak256(lowered.encode()).hex()
    pairs = zip(lowered, hashed, strict=False)
    return "0x" + "".join(char.upper() if int(by, 16) > 7 else char for char, by in pairs)


def bad_eth(rng: random.Random) -> str:
    """Mixed case that EIP-55 does not allow."""
    good = eth(rng)
    wrong = good[:2] + good[2:].swapcase()
    return wrong if wrong[2:] not in (wrong[2:].lower(), wrong[2:].upper()) else bad_eth(rng)


def bad_btc(rng: random.Random) -> str:
    good = btc(rng)
    at = rng.randrange(8, len(good) - 1)
    of = _BECH32 if good.startswith("bc1") else _BASE58
    return good[:at] + rng.choice([char for char in of if char != good[at]]) + good[at + 1 :]


def keccak256(data: bytes) -> bytes:
    """Keccak with the padding from before SHA-3 (the Keccak reference, 2011), by blocks."""
    padded = bytearray(data + b"\1" + bytes(-(len(data) + 1) % 136))
    padded[-1] |= 0x80
    state = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), 136):
        for at in range(17):
            word = int.from_bytes(padded[start + at * 8 : start + at * 8 + 8], "little")
            state[at % 5][at // 5] ^= word
        state = permuted(state)
    return b"".join(state[at % 5][at // 5].to_bytes(8, "little") for at in range(4))


def permuted(state: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600]: theta, rho and pi, chi, iota, 24 times."""
    for constant in _ROUND:
        column = [each[0] ^ each[1] ^ each[2] ^ each[3] ^ each[4] for each in state]
        mix = [column[x - 1] ^ turned(column[(x + 1) % 5], 1) for x in range(5)]
        state = [[state[x][y] ^ mix[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, state[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, state[x][y] = state[x][y], turned(current, (step + 1) * (step + 2) // 2)
        state = [
            [state[x][y] ^ ~state[(x + 1) % 5][y] & state[(x + 2) % 5][y] for y in range(5)]
            for x in range(5)
        ]
        state[0][0] ^= constant
    return state


def turned(word: int, by: int) -> int:
    return (word << by % 64 | word >> 64 - by % 64) & (1 << 64) - 1 if by % 64 else word
