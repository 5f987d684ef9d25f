"""What the attacks look for, and the names they try."""

from __future__ import annotations

TABLE = "curated.documents"
SECRET = "kestrel-at-dawn"  # in the text of every hidden row
KEY = "subject-of-a-client"  # in a column that Ana is not granted, of rows that she is
HIDDEN_PII = 777  # a number that only hidden rows hold
NUM_ALLOWED, NUM_HIDDEN = 64, 37

COLUMN_TRICKS = (
    "subject_keys",
    "SUBJECT_KEYS",
    "`subject_keys`",
    "subject_keys[0]",
    "subject_keys.element",
    "ｓｕｂｊｅｃｔ_keys",
    "subject\u200b_keys",
    "*",
    "_metadata",
    "_metadata.file_path",
    "text AS label_id",
)
TRAVERSALS = (
    f"../sell:{TABLE}",
    f"buy/../sell:{TABLE}",
    f"buy..sell:{TABLE}",
    f"sell:{TABLE}",
    f"sell.:{TABLE}",
    f"SELL:{TABLE}",
    f"x.sell:{TABLE}",
    f"buy:sell:{TABLE}",
    f"sell\0:{TABLE}",
    "buy:../../sell/curated.documents",
    f"%2e%2e/sell:{TABLE}",
    f"file:///{TABLE}",
)
# A column, an operator and a value, as a caller gives them.
INJECTIONS: tuple[tuple[str, str, object], ...] = (
    ("source", "=", "x' OR '1'='1"),
    ("source", "=", "x'; DROP TABLE granted; --"),
    ("source", "= 'mail' OR 1=1 --", "x"),
    ("label_id", "!=", "x') OR (label_id != 'x"),
    ("1=1 OR source", "=", "x"),
    ("num_pii", "=", "777 OR 1=1"),
    ("num_pii", ">=", HIDDEN_PII),
    ("text", ">=", "kestrel"),
)
