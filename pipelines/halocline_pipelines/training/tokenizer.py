"""A byte-level BPE tokenizer of the run's own text: any text has tokens, and none is unknown.

It is made from the rows it was trained on, so it carries the run's label like the weights do.

Laws (tests/pipelines/test_tokenizer.py): decoding undoes encoding; the same texts, in any order,
give the same tokenizer; no text encodes to a control token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

END, PAD = "<|end|>", "<|pad|>"
FILE = "tokenizer.json"
_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "eos_token": END,
    "pad_token": PAD,
    "clean_up_tokenization_spaces": False,
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A trained tokenizer and its control tokens: `end` after every document, `pad` after all."""

    tokenizer: Tokenizer
    sha256: str
    end: int
    pad: int

    @property
    def size(self) -> int:
        return self.tokenizer.get_vocab_size()

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Tokens of each text; a control token spelt out in it is mere text."""
        return [coded.ids for coded in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def save(self, folder: Path, sequence_length: int) -> None:
        """As transformers reads it."""
        config = _CONFIG | {"model_max_length": sequence_length}
        (folder / FILE).write_text(self.tokenizer.to_str(pretty=False), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(
            json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )


def fit(texts: Iterable[str], vocab_size: int) -> Vocabulary:
    """Learn at most `vocab_size` tokens, control tokens and the 256 bytes included."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=[END, PAD],
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _vocabulary(tokenizer)


def load(folder: Path) -> Vocabulary:
    """What `save` wrote."""
    return _vocabulary(Tokenizer.from_file(str(folder / FILE)))


def _vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    tokenizer.encode_special_tokens = True
    digest = hashlib.sha256(tokenizer.to_str(pretty=False).encode()).hexdigest()
    ids = tokenizer.get_vocab(with_added_tokens=True)
    return Vocabulary(tokenizer, digest, ids[END], ids[PAD])
