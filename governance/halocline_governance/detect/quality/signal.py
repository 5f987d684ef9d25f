"""The names of the quality signals: constants, so that no recipe names one that nobody writes.

A name carries its version. What the published bounds are stands here; those in force stand in the
recipe's filters.
"""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """In the order of the columns that `table` gives.

    gopher: Rae et al. 2021, arXiv 2112.11446. A.1.1: 50 to 100,000 words; mean length 3 to 10;
    symbols per word <= 0.1; lines that start with a bullet <= 0.9, that end in an ellipsis <= 0.3;
    words with a letter >= 0.8; two of eight stop words. Table A1: duplicate lines 0.30, paragraphs
    0.30, their characters 0.20; characters in the top 2-, 3-, 4-gram 0.20, 0.18, 0.16; in duplicate
    5- to 10-grams 0.15 down to 0.10.

    c4: Raffel et al. 2020, arXiv 1910.10683, 2.2: keep lines that end in punctuation and have 3
    words; pages of 5 sentences; drop pages with a brace or "lorem ipsum", lines with "javascript"
    or a policy notice.

    fineweb: Penedo et al. 2024, arXiv 2406.17557, 3.6: drop at lines ending in punctuation <= 0.12,
    lines of at most 30 characters >= 0.67, duplicate-line characters >= 0.1 (the paper's text; its
    appendix and its code say 0.01), and by its code newlines per word > 0.3.
    """

    WORD_COUNT = "gopher.word_count@1"
    MEAN_WORD_LENGTH = "gopher.mean_word_length@1"
    HASH_PER_WORD = "gopher.hash_per_word@1"
    ELLIPSIS_PER_WORD = "gopher.ellipsis_per_word@1"
    BULLET_LINES = "gopher.bullet_lines@1"
    ELLIPSIS_LINES = "gopher.ellipsis_lines@1"
    ALPHA_WORDS = "gopher.alpha_words@1"
    STOP_WORDS = "gopher.stop_words@1"
    DUPLICATE_LINES = "gopher.duplicate_lines@1"
    DUPLICATE_LINE_CHARS = "gopher.duplicate_line_chars@1"
    DUPLICATE_PARAGRAPHS = "gopher.duplicate_paragraphs@1"
    DUPLICATE_PARAGRAPH_CHARS = "gopher.duplicate_paragraph_chars@1"
    TOP_2GRAM_CHARS = "gopher.top_2gram_chars@2"
    TOP_3GRAM_CHARS = "gopher.top_3gram_chars@2"
    TOP_4GRAM_CHARS = "gopher.top_4gram_chars@2"
    DUPLICATE_5GRAM_CHARS = "gopher.duplicate_5gram_chars@2"
    DUPLICATE_6GRAM_CHARS = "gopher.duplicate_6gram_chars@2"
    DUPLICATE_7GRAM_CHARS = "gopher.duplicate_7gram_chars@2"
    DUPLICATE_8GRAM_CHARS = "gopher.duplicate_8gram_chars@2"
    DUPLICATE_9GRAM_CHARS = "gopher.duplicate_9gram_chars@2"
    DUPLICATE_10GRAM_CHARS = "gopher.duplicate_10gram_chars@2"
    PUNCTUATED_LINES = "c4.punctuated_lines@1"
    SHORT_LINES = "c4.short_lines@1"
    SENTENCES = "c4.sentences@1"
    BRACES = "c4.braces@1"
    LOREM_IPSUM = "c4.lorem_ipsum@2"
    JAVASCRIPT_LINES = "c4.javascript_lines@2"
    POLICY_LINES = "c4.policy_lines@2"
    WEB_PUNCTUATED_LINES = "fineweb.punctuated_lines@1"
    WEB_LINES_OF_30 = "fineweb.lines_of_30@1"
    WEB_DUPLICATE_LINE_CHARS = "fineweb.duplicate_line_chars@1"
    WEB_NEWLINE_PER_WORD = "fineweb.newline_per_word@1"


TOP_GRAMS = (Signal.TOP_2GRAM_CHARS, Signal.TOP_3GRAM_CHARS, Signal.TOP_4GRAM_CHARS)
DUPLICATE_GRAMS = (
    Signal.DUPLICATE_5GRAM_CHARS,
    Signal.DUPLICATE_6GRAM_CHARS,
    Signal.DUPLICATE_7GRAM_CHARS,
    Signal.DUPLICATE_8GRAM_CHARS,
    Signal.DUPLICATE_9GRAM_CHARS,
    Signal.DUPLICATE_10GRAM_CHARS,
)
