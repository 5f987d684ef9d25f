"""How often the language of a text is told right, by its length: on translated programs' messages.

Reads the message catalogues (*.mo) that GNU systems install under /usr/share/locale; texts are
messages joined up to a length. As a program of its own: `python -m bench.detect_language`.
"""

import gettext
import json
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from halocline_governance.detect.language import language

CATALOGUES = Path("/usr/share/locale")
TOLD = """
    ar be bg bn ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka
    kk km kn ko lt lv mk ml mn mr ms ne nl nn pa pl pt ro ru si sk sl sq sr sv ta te th tr ug uk
    ur uz vi zh
""".split()  # noqa: SIM905 - a word list reads better
LENGTHS = (20, 40, 80, 200, 1000)
EACH = 60
_NOISE = re.compile(
    r"%[-+ #0-9.$]*[a-zA-Z%]|<[^>]*>|[_&\\]|\{[^}]*\}|\$\w+|--?[\w-]+|\b[A-Z_]{3,}\b"
)
# What the model has no way to tell apart counts as the same.
SAME = {"no": {"no", "nn", "da"}, "hr": {"hr", "bs", "sr"}, "sr": {"hr", "bs", "sr"}}


def messages(code: str) -> list[str]:
    """The translations of a language, cleaned of what is no language. English: the originals."""
    named = {"zh": ["zh_CN"], "pt": ["pt_BR", "pt"], "no": ["nb"], "en": ["de"]}.get(code, [code])
    found: set[str] = set()
    for path in sorted(p for name in named for p in CATALOGUES.glob(f"{name}/LC_MESSAGES/*.mo")):
        try:
            with path.open("rb") as file:
                pairs = vars(gettext.GNUTranslations(file))["_catalog"].items()
        except (OSError, ValueError, LookupError):
            continue
        told = [(k, v) for k, v in pairs if isinstance(k, str) and k and k != v]
        found |= {" ".join(_NOISE.sub(" ", k if code == "en" else v).split()) for k, v in told}
    return sorted(text for text in found if len(text) > 15)


def main() -> None:
    rng = random.Random(5)
    right: defaultdict[int, Counter[bool]] = defaultdict(Counter)
    sure: defaultdict[int, Counter[bool]] = defaultdict(Counter)
    by_code: dict[str, float] = {}
    wrong: Counter[tuple[str, str]] = Counter()
    for code in TOLD:
        pool = messages(code)
        if len(pool) < 100:
            continue
        for length in LENGTHS:
            hits = 0
            for _ in range(EACH):
                text = drawn(rng, pool, length)
                told, probability = language(text)
                hit = told in SAME.get(code, {code})
                right[length][hit] += 1
                if probability >= 0.65:
                    sure[length][hit] += 1
                if not hit and length >= 80:
                    wrong[code, told] += 1
                hits += hit
            if length == 80:
                by_code[code] = round(hits / EACH, 2)
    figures = {
        "right": {k: round(v[True] / v.total(), 3) for k, v in right.items()},
        "of_those_at_0.65_or_more": {k: round(v[True] / v.total(), 3) for k, v in sure.items()},
        "share_at_0.65_or_more": {
            k: round(v.total() / right[k].total(), 3) for k, v in sure.items()
        },
        "languages": len(by_code),
        "below_0.95_at_80": {
            k: v for k, v in sorted(by_code.items(), key=lambda x: x[1]) if v < 0.95
        },
    }
    print(wrong.most_common(15), file=sys.stderr)
    print(json.dumps(figures))


def drawn(rng: random.Random, pool: list[str], length: int) -> str:
    """Messages one after the other until there are so many characters, cut at a word's end."""
    text = rng.choice(pool)
    while len(text) < length:
        text += ". " + rng.choice(pool)
    cut = text[:length]
    return cut.rpartition(" ")[0] if " " in cut[length // 2 :] else cut


if __name__ == "__main__":
    main()
