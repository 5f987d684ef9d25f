"""Classes of words that injections are made of, so that a new wording meets a known pattern.

The model weighs each class and each pair of classes that stand in one segment: `you`, `rules` and
`ignoring` together say more than any of them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASSES: dict[str, str] = {
    "ignoring": (
        "ignore ignoring disregard disregarding forget bypass override overriding neglect"
        " overlook drop suspend suspended supersede superseded void cancel cancelled abandon"
        " discard dismiss break circumvent unlock disable stop erase wiped obsolete"
    ),
    "prior": (
        "previous previously prior above earlier before preceding initial original first"
        " former starting begin preamble beginning past"
    ),
    "rules": (
        "instruction instructions prompt prompts rule rules guideline guidelines direction"
        " directions directive directives restriction restrictions constraint constraints"
        " programming policy policies limitations limits guardrails safeguards ethics ethical"
        " moderation alignment"
    ),
    "you": ("you your yours yourself youre you're youve you've u"),
    "model": (
        "ai llm llms gpt chatgpt assistant chatbot chatbots claude gemini llama openai"
        " summarizer grader graders"
    ),
    "revealing": (
        "reveal print repeat show output display disclose dump leak paste echo expose recite"
        " verbatim translate convert"
    ),
    "secret": (
        "secret secrets confidential password passwords token tokens credential credentials"
        " key keys hidden private internal"
    ),
    "sending": (
        "send forward post upload email transmit exfiltrate append embed attach insert"
        " webhook curl download fetch"
    ),
    "silence": (
        "quietly silently secretly nobody don't dont never without refuse refusing cannot"
        " warn warnings disclaimer disclaimers apologize"
    ),
    "persona": (
        "pretend act acting roleplay simulate simulation character imagine respond persona"
        " story fictional hypothetical scenario novel play"
    ),
    "freedom": (
        "unrestricted uncensored unfiltered jailbreak jailbroken dan anything evil unlimited"
        " freely amoral immoral unethical illegal inappropriate harmful"
    ),
    "command": ("must always immediately obey comply follow execute acknowledge confirm proceed"),
    "renewal": ("new updated instead following real actual henceforth now onwards onward begins"),
    "telling": (
        "attack attacks attacker attackers adversaries adversary phrase phrases detector"
        " detection researchers study paper papers prevent mitigate mitigation injection"
        " injections vulnerability defence defense detect evaluate benchmark"
    ),
    "reader": ("user users human reader operator reviewer owner candidate applicant"),
    "software": (
        "system model models agent agents bot bots admin administrator root sudo developer"
        " creator debug mode terminal"
    ),
}


@cache
def lexicon() -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    """A hash table with open addressing: words' hashes (0: free) and the bits of their classes."""
    import numpy as np

    from halocline_governance.detect.injection import kernel

    bits: dict[str, int] = {}
    for bit, words in enumerate(CLASSES.values()):
        for word in words.split():
            bits[word] = bits.get(word, 0) | 1 << bit
    keys, masks = np.zeros(1024, np.uint64), np.zeros(1024, np.uint16)
    for word, mask in bits.items():
        data = np.frombuffer(word.encode(), dtype=np.uint8)
        value = np.uint64(kernel.word(data, 0, len(data))[0])
        slot = kernel.slot(keys, value)
        keys[slot], masks[slot] = value, masks[slot] | mask
    return keys, masks


def tabled(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    """By set of classes, the sum of the weights of its members and pairs.

    Args:
        pairs: (16, 16), upper triangle; the diagonal weighs single classes.
    """
    import numpy as np

    sets = np.arange(1 << len(CLASSES))
    sums = np.zeros(len(sets), dtype=np.float32)
    for one in range(len(CLASSES)):
        for two in range(one, len(CLASSES)):
            both = (1 << one) | (1 << two)
            sums += np.where(sets & both == both, pairs[one, two], 0).astype(np.float32)
    return sums
