"""A lake with every table that holds a document or an answer, and who erases from it."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance import tables
from halocline_governance.erasure import Order, What
from halocline_governance.erasure.finding import (
    CURATED,
    DECISIONS,
    OUTPUTS,
    PACKED,
    RAW,
    SIGNALS,
)
from halocline_governance.erasure.room import ErasureRoom, Site
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake, commit
from halocline_governance.lineage import Lineage
from halocline_governance.policy.firm import Firm
from halocline_governance.principal import Principal

CLEO = Principal("cleo", ("compliance",), parse_compact("restricted sides=buy,sell"))
OMAR = Principal("omar", ("compliance",), parse_compact("restricted sides=buy"))
LABELS = {"buy": parse_compact("confidential sides=buy"), "public": Label("public")}
SOURCES = ("tickets", "memos", "readmes")
ALL = (RAW, SIGNALS, DECISIONS, CURATED, PACKED, OUTPUTS)


def key(number: int) -> str:
    return f"subject:v1:{'abcdefghijklmnop'[:15]}{'abcdefghij'[number]}"


def word(number: int) -> str:
    """A text that nothing else holds."""
    return "t" + hashlib.sha256(f"text {number}".encode()).hexdigest()[:20]


_Rows = list[dict[str, Any]]


@dataclass
class World:
    """Documents in two compartments, and what is made from them.

    `made` keeps every row that was written, by compartment and table.
    """

    root: Path
    rng: random.Random
    made: dict[tuple[str, str], list[dict[str, Any]]] = field(
        default_factory=dict[tuple[str, str], list[dict[str, Any]]]
    )
    elsewhere: Lake | None = None

    def __post_init__(self) -> None:
        self.lake = self.elsewhere or Lake(self.root / "lake")
        self.lineage = Lineage(self.lake)
        self.firm = Firm(self.root / "policy" / "firm.json")
        self.firm.begin()
        file = self.root / "journal.key"
        if not file.exists():
            file.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
        self.signer = Signer(Ed25519PrivateKey.from_private_bytes(file.read_bytes()))

    def room(self, journal: Journal, **other: Any) -> ErasureRoom:
        def withdraw(names: Sequence[str], by: Principal) -> object:
            return self.firm.withdraw(names, by, journal)

        other.setdefault("withdraw", withdraw)
        site = Site(
            lake=self.lake,
            journal_dir=self.root / "journal",
            journal=journal,
            lineage=self.lineage,
            **other,
        )
        return ErasureRoom(site)

    def open_journal(self) -> Journal:
        return Journal.open(self.root / "journal", self.signer)

    def fill(self, num_documents: int, num_commits: int = 3) -> None:
        """Documents in several commits, each with all that is made from it."""
        per = max(1, num_documents // num_commits)
        for compartment, label in LABELS.items():
            self.lake.intern(label)
            for at in range(0, num_documents, per):
                start = at + (10_000 if compartment == "buy" else 0)
                self._commit(compartment, range(start, start + min(per, num_documents - at)))

    def _commit(self, compartment: str, numbers: Sequence[int]) -> None:
        label_id = LABELS[compartment].label_id
        both = {"label_id": label_id, "run_id": "r", "recipe": "q"}
        raw, curated, signals, decisions = _Rows(), _Rows(), _Rows(), _Rows()
        for number in numbers:
            row: dict[str, Any] = {
                **both, "row_uid": number, "source": self.rng.choice(SOURCES), "licence": "MIT",
                "external_id": str(number), "content_sha256": f"{number:064x}",
                "text": f"{word(number)} raw",
                # Nobody is without a row, whatever the seed.
                "subject_keys": [
                    key(n) for n in range(10) if n == number % 10 or self.rng.random() < 0.03
                ],
            }  # fmt: skip
            raw.append(row)
            kept = self.rng.choice([number, numbers[0]])
            decisions.append(
                {**both, "row_uid": number, "source": row["source"], "rule": "r@1",
                 "outcome": "kept" if kept == number else "dropped", "reason": "",
                 "kept_uid": None if kept == number else kept, "policy_revision": "p"}
            )  # fmt: skip
            signals += [
                {**both, "row_uid": number, "rule": f"r{n}@1", "value": 1.0, "spans": None}
                for n in range(2)
            ]
            if kept == number:
                curated.append(
                    {**row, "text": f"{word(number)} curated", "num_pii": 0, "language": "en"}
                )
        self.write(compartment, RAW, raw)
        self.write(compartment, SIGNALS, signals)
        self.write(compartment, DECISIONS, decisions)
        self.write(compartment, CURATED, curated)
        uids: list[int] = [row["row_uid"] for row in curated]
        packed = [
            {"row_uid": 100_000 + pair[0], "label_id": label_id, "dsv_id": "d", "seq_no": pair[0],
             "tokenizer_sha256": "t", "sequence_length": 8, "offsets": [0] * len(pair),
             "tokens": " ".join(word(n) for n in pair).encode(), "row_uids": pair}
            for at in range(0, len(uids), 2) if (pair := uids[at : at + 2])
        ]  # fmt: skip
        self.write(compartment, PACKED, packed)
        self.write(compartment, OUTPUTS, [self._output(compartment, n) for n in numbers])

    def _output(self, compartment: str, number: int) -> dict[str, Any]:
        texts = {"prompt": f"{word(number)} asked", "output": f"{word(number)} answered"}
        row: dict[str, Any] = {
            c.name: {"string": "", "long": 0, "double": None}[c.type]
            for c in tables.table(OUTPUTS).columns
        }
        return {
            **row, **texts, "row_uid": 200_000 + number, "request_id": f"req-{number:06d}",
            "label_id": LABELS[compartment].label_id, "commitment_key": f"{number:064x}",
        }  # fmt: skip

    def write(self, compartment: str, table: str, rows: list[dict[str, Any]]) -> None:
        data = pa.Table.from_pylist(rows, schema=tables.table(table).arrow())
        with self.lake.lease(compartment, table) as place:
            seen = commit.seen(place)
            commit.append(place, seen, data, "fill", 0 if seen is None else seen.version() + 1)
        self.made.setdefault((compartment, table), []).extend(data.to_pylist())

    def rows(self, compartment: str, table: str) -> list[dict[str, Any]]:
        """As they are now."""
        return self.lake.location(compartment, table).delta().to_pyarrow_table().to_pylist()

    def wanted(self, compartment: str, table: str, order: Order) -> list[dict[str, Any]]:
        """The rows that must stay, found the slow way."""
        gone = {
            row["row_uid"]
            for (_, name), rows in self.made.items()
            if name in (RAW, CURATED, DECISIONS)
            for row in rows
            if (order.what is What.SOURCE and row["source"] in order.names)
            or (order.what is What.SUBJECT and set(row.get("subject_keys", ())) & set(order.names))
        }
        return [
            row
            for row in self.made[(compartment, table)]
            if not (
                row.get("request_id") in order.names
                if table == OUTPUTS
                else gone & {row["row_uid"], row.get("kept_uid"), *row.get("row_uids", ())}
            )
        ]


def everything(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file's bytes, and of Parquet what it says when it is read."""
    for file in sorted(root.rglob("*")):
        if not file.is_file():
            continue
        data = file.read_bytes()
        yield file, data
        if file.suffix == ".parquet" and "_delta_log" not in file.parts:
            read: Any = pq.ParquetFile(file)
            told = json.dumps(read.read().to_pylist(), default=lambda b: b.decode("latin-1"))
            yield file, told.encode()
        if file.suffix == ".gz":
            yield file, gzip.decompress(data)
