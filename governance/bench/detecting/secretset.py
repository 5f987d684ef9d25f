"""A labelled set of lines with keys, tokens and passwords, and lines that only look like them.

MUST NOT BE TUNED ON, as `blindset`. Values are random, in the forms that their issuers publish;
no value was ever anybody's.
"""

import base64
import json
import random
import re
import string
from collections.abc import Callable

from bench.detecting import values
from bench.detecting.blindset import FOLDER
from bench.detecting.gold import Document, Mark
from bench.detecting.identifiers import Maker, letters

SECRET = "secret"
_WORD = string.ascii_letters + string.digits
_BASE64 = _WORD + "+/"
_HEX = "0123456789abcdef"
_SLOT = re.compile(r"\[\[(?P<sign>~?)(?P<name>\w+)\]\]")


def some(prefix: str, count: int, of: str = _WORD) -> Maker:
    return lambda rng: prefix + letters(rng, count, of)


def jwt(rng: random.Random) -> str:
    head = {"alg": rng.choice(["HS256", "RS256"]), "typ": "JWT"}
    body = {"sub": letters(rng, 10), "iat": rng.randrange(1_600_000_000, 1_800_000_000)}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (head, body)]
    parts.append(base64.urlsafe_b64encode(rng.randbytes(32)))
    return ".".join(part.decode().rstrip("=") for part in parts)


def private_key(rng: random.Random) -> str:
    name = rng.choice(["RSA ", "EC ", "OPENSSH ", ""])
    lines = [letters(rng, 64, _BASE64) for _ in range(rng.randrange(4, 12))]
    # In two parts, so that no file of ours holds what looks like a key.
    dashes = "-" * 5
    head, tail = f"{dashes}BEGIN {name}PRIVATE KEY", f"{dashes}END {name}PRIVATE KEY"
    return "\n".join([head + dashes, *lines, tail + dashes])


def password(rng: random.Random) -> str:
    """As people and as machines make them."""
    word = rng.choice(["Sommer", "winter", "Dragon", "Berlin", "Falcon", "coffee", "Tango"])
    people = f"{word}{rng.choice('!#$_')}{rng.randrange(10, 9999)}{rng.choice('xQz')}"
    return rng.choice([people, letters(rng, rng.randrange(12, 20), _WORD + "!#$%*-_")])


SECRETS: dict[str, Maker] = {
    "aws_id": some("AK" + "IA", 16, string.ascii_uppercase + "234567"),
    "aws_secret": some("", 40, _BASE64),
    "github": lambda rng: rng.choice(
        [some("gh" + "p_", 36), some("gh" + "s_", 36), some("github_" + "pat_", 60)]
    )(rng),
    "gitlab": some("gl" + "pat-", 20),
    "slack": lambda rng: (
        f"xo{'x'}b-{letters(rng, 12, string.digits)}-{letters(rng, 12, string.digits)}-"
        + letters(rng, 24)
    ),
    "webhook": lambda rng: f"T{letters(rng, 8)}/B{letters(rng, 10)}/{letters(rng, 24, _WORD)}",
    "stripe": some("sk_" + "live_", 24),
    "google": some("AI" + "za", 35, _WORD + "-_"),
    "npm": some("np" + "m_", 36),
    "pypi": some("py" + "pi-AgEIcHlwaS5vcmc", 90, _WORD + "-_"),
    "sendgrid": lambda rng: f"S{'G'}.{letters(rng, 22, _WORD)}.{letters(rng, 43, _WORD + '-_')}",
    "model": some("s" + "k-proj-", 48),
    "hub": some("h" + "f_", 34, string.ascii_letters),
    "jwt": jwt,
    "private_key": private_key,
    "private_key_json": lambda rng: private_key(rng).replace("\n", "\\n"),
    "password": password,
    "generic": some("", 32),
    "hex": some("", 64, _HEX),
}
_LOOKALIKES: dict[str, Maker] = {
    "integrity": lambda rng: base64.b64encode(rng.randbytes(64)).decode(),
    "sha256": some("", 64, _HEX),
    "blob": some("", 180, _BASE64),
}


def secrets(seed: int = 11, size: int = 2_000) -> list[Document]:
    """Documents of one to six lines, one kind of gold: `secret`."""
    rng = random.Random(f"secrets {seed}")
    lines = (FOLDER / "secrets.txt").read_text().splitlines()
    templates = [line.replace("\\n", "\n") for line in lines if not line.startswith("#")]
    documents: list[Document] = []
    for number in range(size):
        text, marks = "", list[Mark]()
        for template in rng.sample(templates, rng.choice([1, 1, 2, 3, 6])):
            text += "\n" if text else ""
            one, found = _rendered(rng, template)
            marks += [Mark(m.start + len(text), m.end + len(text), m.kind) for m in found]
            text += one
        documents.append(Document(f"s{number:05}", text, tuple(marks), "secrets"))
    return documents


def _rendered(rng: random.Random, template: str) -> tuple[str, list[Mark]]:
    text, marks, last = "", list[Mark](), 0
    for slot in _SLOT.finditer(template):
        text += template[last : slot.start()]
        make: Callable[[random.Random], str] = _maker(slot)
        value = make(rng)
        if not slot["sign"]:
            marks.append(Mark(len(text), len(text) + len(value), SECRET))
        text += value
        last = slot.end()
    return text + template[last:], marks


def _maker(slot: re.Match[str]) -> Maker:
    name = slot["name"]
    if not slot["sign"]:
        return SECRETS[name]
    if name in _LOOKALIKES:
        return _LOOKALIKES[name]
    return lambda rng: values.filler(rng, name, "en_US")
