"""Claims at random, good and bad, and a second reading of them: whom do they name?

Written apart from the code it is held against, from docs/identity.md alone.
"""

from __future__ import annotations

import random
import unicodedata
from typing import Any

from halocline_governance.label import Label
from halocline_governance.principal import ROLES, Principal

LEVELS = ("public", "internal", "confidential", "restricted")
AXES = ("sides", "tenants", "ndas", "issuers")
# Stands in every bad text, so that a refusal that repeats any of it is seen.
MARK = "s3cr3tm4rk"
NOW = 1_800_000_000


def claims_of(issuer: str) -> dict[str, Any]:
    """Good ones."""
    return {
        "iss": issuer,
        "sub": "ana",
        "aud": "halocline",
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "1",
        "roles": ["analyst"],
        "clearance": {"sensitivity": "internal", "sides": ["buy"]},
    }


# A second reading of the claims


def named(claims: dict[str, Any], issuer: str) -> Principal | None:
    """Whom these claims name, by docs/identity.md; None for nobody."""
    times: list[Any] = [claims.get("iat"), claims.get("exp"), claims.get("nbf", claims.get("iat"))]
    if any(not _is(one, int) or _is(one, bool) for one in times):
        return None
    good = (
        claims.get("iss") == issuer
        and claims.get("aud") in ("halocline", ["halocline"])
        and max(times[0], times[2]) - 60 <= NOW < times[1]
        and _plain(claims.get("sub"))
        and claims["sub"] == claims["sub"].strip()
        and unicodedata.is_normalized("NFC", claims["sub"])
        and _plain(claims.get("jti"))
    )
    roles: Any = claims.get("roles")
    cleared: Any = claims.get("clearance")
    if not good or not _is(roles, list) or len(roles) > 256:
        return None
    if not all(_is(one, str) for one in roles) or not _is_label(cleared):
        return None
    axes = {axis: tuple(sorted(cleared.get(axis, ()))) for axis in AXES}
    known = tuple(name for name in ROLES if name in roles)
    return Principal(claims["sub"], known, Label(cleared["sensitivity"], **axes), claims["jti"])


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind)


def _plain(text: Any) -> bool:
    return _is(text, str) and 1 <= len(text) <= 255 and text.isprintable()


def _is_label(found: Any) -> bool:
    if not _is(found, dict) or set(found) - {"sensitivity", *AXES}:
        return False
    level = found.get("sensitivity")
    if not _is(level, str) or level not in LEVELS:
        return False
    return all(_is_axis(axis, found[axis]) for axis in AXES if axis in found)


def _is_axis(axis: str, names: Any) -> bool:
    if not _is(names, list) or not all(_is(one, str) for one in names):
        return False
    if len(set(names)) != len(names):
        return False
    walls = axis in ("sides", "tenants")
    return all(_is_name(one, walls) for one in names)


def _is_name(name: str, wall: bool) -> bool:
    letters, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
    first, rest, longest = (letters, "-", 32) if wall else (letters + digits, "._-", 64)
    if not 1 <= len(name) <= longest or (wall and name in ("public", "system", "x")):
        return False
    return name[0] in first and all(one in letters + digits + rest for one in name)


# What is drawn


def odd(rng: random.Random) -> Any:
    """A value that is most likely of a wrong type or out of all bounds."""
    return rng.choice(ODD)


ODD: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, 1e300, 2**63, -(2**63), 10**400, NOW, NOW + 0.0, str(NOW), "",
    " ", MARK, MARK * 20, MARK * 300, f" {MARK}", f"{MARK}\n", f"{MARK}\u0000", "\u202e" + MARK,
    f"a\u0301{MARK}", "\ud800", "аna", "ａna", "ана", "restricted", "RESTRICTED", "Restricted ",
    "ｒestricted", "restrıcted", [], [MARK], ["halocline"], ["halocline", MARK], [["halocline"]],
    [None], [1], [True], {}, {MARK: MARK}, {"sensitivity": "restricted"}, [{}], "halocline",
    "halocline-dev", "http://127.0.0.1:1/realm", "../../etc/passwd", "' OR 1=1 --",
    ["analyst"] * 2, ["compliance", "analyst", MARK], list(ROLES), ["analyst"] * 257,
    ["Analyst", "compliance "], ["ｃompliance"], NOW + 60, NOW + 61, NOW - 1, NOW - 10**9,
]  # fmt: skip
NAMES = ["buy", "sell", "acme", "n1", "initech", "public", "system", "x", "Buy", "bυy", "buy ",
         "a" * 32, "a" * 33, "a" * 64, "a" * 65, "1a", "-a", "a.b", "", MARK, f"{MARK}\n",
         "é"]  # fmt: skip


def clearance(rng: random.Random) -> Any:
    """A label, or nearly one: unsorted, with a name twice, an unknown level or key."""
    found: dict[str, Any] = {"sensitivity": rng.choice([*LEVELS, *LEVELS, "cosmic", MARK, 3, None])}
    for axis in rng.sample(AXES, rng.randrange(5)):
        good = [name for name in NAMES if _is_name(name, wall=True)]
        names: Any = rng.sample(good if rng.random() < 0.8 else NAMES, rng.randrange(4))
        if names and rng.random() < 0.1:
            names.append(names[0])
        found[axis] = names if rng.random() < 0.9 else odd(rng)
    if rng.random() < 0.1:
        found[rng.choice([MARK, "side", "Sides", "sensitivity ", "сides", "planet"])] = odd(rng)
    if rng.random() < 0.05:
        del found["sensitivity"]
    return found


def claims(rng: random.Random, issuer: str) -> dict[str, Any]:
    made = claims_of(issuer)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 5))):
        name = rng.choice([*made, "nbf", "clearance", "clearance", "roles", MARK, "Sub", "scope"])
        if name in made and rng.random() < 0.15:
            del made[name]
        else:
            made[name] = clearance(rng) if name == "clearance" else odd(rng)
    if rng.random() < 0.5:
        made["clearance"] = clearance(rng)
    if rng.random() < 0.3:
        made["roles"] = rng.sample([*ROLES, MARK, "root", "analyst"], rng.randrange(6))
    return made
