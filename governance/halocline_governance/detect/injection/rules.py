"""Forms that have no business in a text from outside: spoofed roles, hidden channels, core phrases.

Each is searched in one segment. The score is a floor under the model's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from halocline_governance.detect.scratch import by_thread


@dataclass(frozen=True, slots=True)
class Rule:
    """A name for people, a regular expression over bytes, and how sure it is."""

    name: str
    pattern: bytes
    score: float


_GAP = rb"[^.!?\n]{0,40}"


def _either(words: str) -> bytes:
    return b"(?:" + b"|".join(re.escape(word.encode()) for word in words.split("|")) + b")"


def _phrase(name: str, verbs: str, nouns: str) -> Rule:
    """A verb of ignoring, and close behind it a word for what was said before."""
    gap = rb"[^.!?\n]{0,60}"
    return Rule(name, _either(verbs) + gap + _either(nouns), 0.75)


RULES = (
    Rule("chat_markup", rb"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id)\|>", 0.9),
    Rule("chat_markup", rb"\[/?INST\]|<</?SYS>>|<\|start_header_id\|>|\[/?SYSTEM_PROMPT\]", 0.9),
    Rule("chat_markup", rb"(?i)</?(?:system|instructions?|system_prompt|sys)>[ \n]{0,3}[a-z]", 0.6),
    Rule(
        "role_spoof",
        rb"(?i)\"role\"\s{0,3}:\s{0,3}\"system\"|#{2,4}\s?(?:system|new instructions?)\s?:?\s?\n",
        0.6,
    ),
    Rule(
        "tool_spoof",
        rb"(?i)<(?:tool_call|function_call|invoke|antml|tool_use|function_results?)[ >]"
        rb"|\"(?:tool_calls?|function_call)\"\s{0,3}:\s{0,3}[\[{]",
        0.6,
    ),
    Rule(
        "exfiltration",
        rb"(?i)!\[[^\]]{0,60}\]\(https?://[^\s)]{1,200}[?&/=]"
        rb"(?:\{|\[|<|%7B|\$)[^\s)]{0,80}",
        0.85,
    ),
    Rule(
        "exfiltration",
        rb"(?i)(?:append|encode|include|put|insert|send|post|exfiltrate)"
        + _GAP
        + rb"(?:conversation|chat history|system prompt|secrets?|passwords?|api keys?|credentials"
        rb"|user'?s? (?:data|messages?))" + _GAP + rb"(?:https?://|url|webhook|image link|query)",
        0.75,
    ),
    _phrase("override_de", "gnoriere|ergiss|issachte", "nweisung|nstruktion|ystemprompt|egeln"),
    _phrase(
        "override_fr",
        "gnore|gnorez|ublie|ubliez",
        "nstructions pr\u00e9c\u00e9dentes|consignes|"
        "instructions ci-dessus|r\u00e8gles pr\u00e9c\u00e9dentes",
    ),
    _phrase(
        "override_es",
        "gnora|lvida|escarta",
        "nstrucciones anteriores|nstrucciones previas|reglas anteriores|indicaciones anteriores",
    ),
    _phrase(
        "override_it", "gnora|imentica", "struzioni precedenti|struzioni di sistema|regole prec"
    ),
    _phrase(
        "override_pt", "gnore|squeca|squece", "nstru\u00e7\u00f5es anteriores|regras anteriores"
    ),
    _phrase("override_nl", "egeer|ergeet", "nstructies|orige opdracht"),
    _phrase("override_pl", "gnoruj|apomnij", "nstrukcj|olecenia|polece\u0144"),
    _phrase("override_tr", "talimatlar|kurallar", "yok say|unut|g\u00f6rmezden gel"),
    _phrase(
        "override_ru",
        "\u0433\u043d\u043e\u0440\u0438\u0440\u0443\u0439|\u0437\u0430\u0431\u0443\u0434\u044c",
        "\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446\u0438|\u0443\u043a\u0430\u0437\u0430\u043d"
        "|\u043f\u0440\u0430\u0432\u0438\u043b",
    ),
    _phrase(
        "override_zh",
        "\u5ffd\u7565|\u65e0\u89c6|\u5fd8\u8bb0|\u7121\u8996|\u5ffd\u89c6",
        "\u6307\u4ee4|\u6307\u793a|\u63d0\u793a|\u89c4\u5219|\u898f\u5247|\u8bf4\u660e",
    ),
    _phrase(
        "override_ja",
        "\u6307\u793a|\u547d\u4ee4|\u6307\u4ee4|\u30d7\u30ed\u30f3\u30d7\u30c8|\u30eb\u30fc\u30eb",
        "\u7121\u8996\u3057|\u5fd8\u308c|\u5fd8\u308c\u3066",
    ),
    _phrase(
        "override_ko",
        "\uc9c0\uc2dc|\uba85\ub839|\uaddc\uce59|\ud504\ub86c\ud504\ud2b8",
        "\ubb34\uc2dc|\uc78a\uc5b4",
    ),
    _phrase(
        "override_ar",
        "\u062a\u062c\u0627\u0647\u0644|\u0627\u0646\u0633",
        "\u0627\u0644\u062a\u0639\u0644\u064a\u0645\u0627\u062a|\u0627\u0644\u0623\u0648\u0627\u0645\u0631",
    ),
    _phrase(
        "override_hi",
        "\u0928\u093f\u0930\u094d\u0926\u0947\u0936",
        "\u0905\u0928\u0926\u0947\u0916\u093e|\u092d\u0942\u0932",
    ),
)

TURNED = re.compile(rb"(?i)vtaber|cerivbhf|vafgehpgvba|cebzcg|snoitcurtsni|suoiverp|tpmorp|erongi")
"""Words of an injection by rot13 or backwards: what follows them is read that way too."""


def floor(segment: bytes) -> float:
    """The highest score of the rules that this segment matches; 0 if none does."""
    if not _screen().search(segment):
        return 0.0
    hits = (rule.score for rule, pattern in _compiled() if pattern.search(segment))
    return max(hits, default=0.0)


@cache
def _compiled() -> list[tuple[Rule, re.Pattern[bytes]]]:
    return [(rule, re.compile(rule.pattern)) for rule in RULES]


@cache
def _screen() -> re.Pattern[bytes]:
    """All rules as one; case-blind, so it lets through no less than each does."""
    plain = (rule.pattern.removeprefix(b"(?i)") for rule in RULES)
    return re.compile(b"(?i:" + b"|".join(b"(?:" + p + b")" for p in plain) + b")")


Places = Callable[[bytes], list[int]]


@cache
def places() -> Places | None:
    """Finds the last bytes of whatever rules match in a buffer, by hyperscan; None without it."""
    try:
        import hyperscan
    except ImportError:
        return None
    module = cast(Any, hyperscan)
    database = module.Database()
    database.compile(
        expressions=[*(rule.pattern for rule in RULES), TURNED.pattern],
        ids=list(range(len(RULES) + 1)),
        elements=len(RULES) + 1,
        flags=[0] * (len(RULES) + 1),
    )
    scan = by_thread(database)

    def found(data: bytes) -> list[int]:
        ends: set[int] = set()

        def seen(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.add(end - 1)

        scan(data, seen)
        return sorted(ends)

    return found
