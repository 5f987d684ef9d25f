#!/usr/bin/env python3
"""Stand-alone verifier of a Halocline journal: `verify_journal.py DIRECTORY KEYFILE`.

Written from docs/journal-format.md and sharing no code with the writer. Needs `cryptography` for
Ed25519 and nothing else beyond Python's standard library. Exits with 0 when the journal is
whole, with 1 when it is not, with 2 when it could not be asked.
"""

import base64
import hashlib
import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LARGEST = 16 * 1024 * 1024

Key = tuple[str, bytes, Ed25519PublicKey]
Problem = tuple[str, str]
Event = dict[str, Any]
Log = tuple[list[bytes], list[Event], list[Problem], str]


def read_key(text: str) -> Key:
    """(name, key id, public key) of a C2SP key line."""
    name, ident, blob = text.strip().split("+", 2)
    raw = base64.b64decode(blob, validate=True)
    if raw[:1] != b"\x01" or len(raw) != 33:
        raise ValueError("not an Ed25519 key line")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != ident:
        raise ValueError("the key id is not that of the key")
    return name, bytes.fromhex(ident), Ed25519PublicKey.from_public_bytes(raw[1:])


def read_head(text: str, key: Key) -> tuple[str, int, bytes]:
    """(origin, size, root) of a signed checkpoint; ValueError when it is not one."""
    name, ident, public = key
    match = re.fullmatch(
        r"(?P<body>(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>[A-Za-z0-9+/=]{44})\n)\n"
        r"(?P<signatures>(\u2014 [^ \n]+ [A-Za-z0-9+/=]+\n)+)",
        text,
    )
    if not match:
        raise ValueError("not in the form of a checkpoint")
    root = canonical_base64(match["root"])
    for line in match["signatures"].split("\n")[:-1]:
        _, signed_by, blob = line.split(" ")
        raw = canonical_base64(blob)
        if signed_by == name and raw[:4] == ident:
            try:
                public.verify(raw[4:], match["body"].encode())
            except InvalidSignature:
                raise ValueError("the signature is wrong") from None
            return match["origin"], int(match["size"]), root
    raise ValueError("not signed by the trusted key")


def canonical_base64(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 is not canonical")
    return raw


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 Merkle tree hash of leaf hashes, level by level."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def read_log(folder: Path) -> Log:
    """(leaf hashes, events, problems) of one log, and a note when its last write is unfinished."""
    path = folder / "000000000000.seg"
    data = path.read_bytes() if path.exists() else b""
    leaves: list[bytes] = []
    events: list[Event] = []
    problems: list[Problem] = []
    unfinished = ""
    offset, link = 0, "0" * 64
    while offset < len(data):
        place = f"{folder.name} record {len(leaves)} (byte {offset})"
        size = int.from_bytes(data[offset : offset + 4], "little")
        crc = int.from_bytes(data[offset + 4 : offset + 8], "little")
        payload = data[offset + 8 : offset + 8 + size]
        end = offset + 8 + size
        if len(data) - offset < 8 or (0 < size <= LARGEST and len(payload) < size):
            unfinished = f"{place}: the file ends inside a record"
            break
        if not 0 < size <= LARGEST:
            if any(data[offset:]):
                problems.append((place, "impossible record length"))
            else:
                unfinished = f"{place}: zeros at the end"
            break
        if zlib.crc32(payload) != crc:
            if end == len(data):
                unfinished = f"{place}: the last record's checksum does not match"
            else:
                problems.append((place, "the record's checksum does not match"))
            break
        try:
            record = json.loads(payload)
            event = record["event"]
            if record["seq"] != len(leaves):
                problems.append((place, f"record {record['seq']} stands here"))
                break
            if record["prev"] != link:
                problems.append((place, "it does not link to the record before it"))
                break
        except (ValueError, TypeError, KeyError):
            problems.append((place, "not a journal record"))
            break
        leaf = hashlib.sha256(b"\x00" + payload).digest()
        link = leaf.hex()
        leaves.append(leaf)
        events.append(event)
        offset = end
    return leaves, events, problems, unfinished


def check_head(folder: Path, leaves: list[bytes], key: Key) -> list[Problem]:
    """Problems of the signed head of one log."""
    path = folder / "checkpoint"
    place = f"{folder.name}/checkpoint"
    if not path.exists():
        if (folder / "000000000000.seg").exists():
            return [(place, "the signed head is missing")]
        return []
    try:
        origin, size, root = read_head(path.read_bytes().decode(), key)
    except (ValueError, UnicodeDecodeError) as error:
        return [(place, str(error))]
    if origin != f"halocline/{folder.name}":
        return [(place, "it is the head of another log")]
    if size > len(leaves):
        return [(f"{folder.name} record {len(leaves)}", f"{size} records were signed")]
    if root_of(leaves[:size]) != root:
        return [(place, "the records are not those that were signed")]
    return []


def check_siblings(name: str, events: list[Event], logs: dict[str, Log]) -> Iterator[Problem]:
    """Problems of what a log's opening records say they saw of other logs."""
    for seq, event in enumerate(events):
        if event.get("kind") != "journal.opened":
            continue
        for seen in event["object"]["siblings"]:
            place = f"{name} record {seq}"
            if seen["log"] not in logs:
                yield place, f"it saw {seen['log']}, which is missing"
                continue
            leaves = logs[seen["log"]][0]
            if seen["size"] > len(leaves):
                yield place, f"it saw {seen['size']} records in {seen['log']}, which has fewer"
            elif root_of(leaves[: seen["size"]]).hex() != seen["root"]:
                yield place, f"it saw other records in {seen['log']}"


def verify(directory: Path, key: Key) -> tuple[list[Problem], list[str], dict[str, int]]:
    """(problems, notes, number of records per log)."""
    logs = {path.name: read_log(path) for path in sorted(directory.glob("log-*"))}
    problems: list[Problem] = []
    notes: list[str] = []
    for name, (leaves, events, found, unfinished) in logs.items():
        problems += found
        problems += check_head(directory / name, leaves, key)
        problems += check_siblings(name, events, logs)
        if unfinished:
            notes.append(unfinished)
    if not logs:
        problems.append((str(directory), "there is no journal here"))
    return problems, notes, {name: len(log[0]) for name, log in logs.items()}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        key = read_key(Path(arguments[1]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"key: {error}", file=sys.stderr)
        return 2
    problems, notes, sizes = verify(Path(arguments[0]), key)
    for name, size in sizes.items():
        print(f"{name}: {size} records")
    for note in notes:
        print(f"note: unfinished last write: {note}")
    for place, what in problems:
        print(f"FAILED {place}: {what}")
    print("NOT verified" if problems else "verified")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
