#!/usr/bin/env python3
"""Stand-alone verifier of a Halocline journal, or of a proof from one.

    verify_journal.py DIRECTORY KEYFILE [--head FILE]... [--witness DIRECTORY] [--json]
    verify_journal.py --proof FILE KEYFILE

Written from docs/journal-format.md; shares no code with the writer. Needs `cryptography` (Ed25519).
Exits with 0 when all is as it was signed, with 1 when it is not, with 2 when it cannot be asked.
"""

import base64
import getopt
import hashlib
import json
import re
import stat
import sys
import zlib
from collections.abc import Iterator
from decimal import Decimal
from functools import reduce
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, DIGITS = "log-" + "[0-9]" * 4, "[0-9]" * 12
HASH, NUM = "([0-9a-f]{64})", "(0|[1-9][0-9]{0,15})"
END = rf'"head":{NUM},"prev":"{HASH}","seq":{NUM}\}}'
RECORD = re.compile((r'(?s:\{"event":\{.*\},)' + END).encode())
SIBLING = re.compile(rf'\{{"log":"({LOG})","root":"{HASH}","size":{NUM}\}}')
NAME = r"[^\s+\0-\x1f]+"
IDENT = rf"({NAME})\+([0-9a-f]{{8}})"
NOTE = re.compile(rf"(halocline/(.+)\n{NUM}\n([^\s=]{{43}}=)\n)\n((?:— {NAME} [^\s=]{{7}}\S+\n)+)")
STRICT = json.JSONDecoder(
    object_pairs_hook=lambda m: need(len(d := dict(m)) == len(m), "twice") and d, parse_constant=int
)
BAD = Exception  # whatever cannot be read is not what was signed
Key = tuple[str, str, Ed25519PublicKey]  # name+id, line, key
Claim = tuple[str, str, int, str]  # place, and the log, size and root (hex) that it names


def need(good: Any, what: str) -> Any:
    if not good:
        raise ValueError(what)
    return good


def unbase64(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    return need(base64.b64encode(raw).decode() == text and raw, "base64 is not canonical")


def read_key(line: str) -> Key:
    match = need(re.fullmatch(rf"({IDENT})\+(\S+)", line), "not a key line")
    ident = sha(match[2].encode(), b"\n", raw := unbase64(match[4])).hex()[:8]
    need(ident == match[3] and raw[:1] == b"\x01", "not an Ed25519 key with its own id")
    return match[1], line, Ed25519PublicKey.from_public_bytes(raw[1:])


def read_head(note: str, keys: list[Key] | None) -> tuple[str, int, str]:
    """Log, size and root of a checkpoint that a key signed; without keys, what it claims."""
    match = need(len(note.encode()) <= 1 << 16 and NOTE.fullmatch(note), "not a checkpoint")
    lines = [(n, unbase64(blob)) for n, blob in re.findall(r"\S (\S+) (\S+)\n", match[5])]
    named = [(k, b) for n, b in lines for k in keys or () if k[0] == f"{n}+{b[:4].hex()}"]
    for key, raw in named:
        key[2].verify(raw[4:], match[1].encode())
    need(named or keys is None, "not signed by a trusted key")
    return match[2], int(match[3]), unbase64(match[4]).hex()


def canonical(value: Any) -> str:
    """RFC 8785."""
    if isinstance(value, dict):
        order = sorted(cast("dict[str, Any]", value), key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in order) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, cast("list[Any]", value))) + "]"
    need(not isinstance(value, int | float) or abs(value) < 2**53, "a number out of range")
    if not isinstance(value, float):
        return json.dumps(value, ensure_ascii=False)
    if abs(value) >= 1e-6:  # as ECMAScript writes numbers
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return repr(value).replace("e-0", "e-") if value else "0"


def whole(payload: bytes) -> tuple[str, str]:
    """The kind and the object of a record in canonical form."""
    bare = re.sub(rb'"[^"]*"', b"", payload.replace(b"\\\\", b"").replace(b'\\"', b""))
    need(max(accumulate((b in b"[{") - (b in b"]}") for b in bare)) <= 64, "nested too deep")
    event: dict[str, Any] = (record := json.loads(payload))["event"]
    form = {"object": dict, **dict.fromkeys(("event_id", "kind", "purpose", "subject", "ts"), str)}
    is_event = len(record) == 4 and {name: type(val) for name, val in event.items()} == form
    need(is_event and canonical(record).encode() == payload, "not a record in canonical form")
    return event["kind"], canonical(event["object"])


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def text_of(path: Path) -> str:
    need(stat.S_ISREG(path.lstat().st_mode), "not a plain file")
    with path.open("rb") as file:
        return file.read(24 << 20).decode()


def frames(path: Path) -> Iterator[tuple[int, bytes, str, bool]]:
    """(offset, payload, "", _) of each frame; at the end, what is wrong and if it is torn."""
    need(stat.S_ISREG(path.lstat().st_mode), "not a plain file")
    offset, flaw = 0, ""
    with path.open("rb") as file:
        while not flaw and (front := file.read(8)):
            size, crc = int.from_bytes(front[:4], "little"), int.from_bytes(front[4:], "little")
            payload, tail = file.read(min(size, 1 << 24)), b""
            if len(front) == 8 and not 0 < size <= 1 << 24:
                flaw, tail = "impossible length", front + payload
            elif len(front) < 8 or len(payload) < size:
                flaw = "the file ends inside a record"
            elif zlib.crc32(payload) != crc:
                flaw = "the checksum does not match"
            tail += file.read(1 + (32 << 20)) if flaw else b""
            yield offset, b"" if flaw else payload, flaw, not tail[32 << 20 :] + tail.strip(b"\0")
            offset += 8 + size


# What stands in one log, what is wrong with it, and what its head and its records say of heads.
class Log:
    def __init__(self, folder: Path, keys: list[Key], cut: tuple[str, int]) -> None:
        self.name, self.keys, self.cut, self.paths = folder.name, keys, cut, dict[Path, int]()
        self.count, self.prev, self.known, self.sealed, self.claimed = 0, "0" * 64, 0, 0, 0
        self.unfinished, self.rolled_back, note, self.ended = "", "", "", False
        self.head, self.seen, self.problems = list[Claim](), list[Claim](), list[tuple[str, str]]()
        place, has_begun = f"{self.name}/checkpoint", True
        try:
            note = text_of(folder / "checkpoint")
            self.claimed, self.ended = read_head(note, None)[1], True
        except BAD as error:  # said below
            has_begun = bool(cut[0]) or not isinstance(error, FileNotFoundError)
        there = sorted(folder.glob(f"{DIGITS}.seg"))  # may lack what was made before the last of it
        self.read([p for p in sorted(folder.glob(f"{DIGITS}.seg")) if [p] <= there[-1:]])
        try:
            need(stat.S_ISDIR(folder.lstat().st_mode), "not a folder")
            log, self.sealed, root = read_head(note, self.keys) if has_begun else (self.name, 0, "")
            need(log == self.name, "it is the head of another log")
            need(not self.rolled_back, f"an older head was put in its place: {self.rolled_back}")
            place = f"{self.name} record {self.count}" if self.sealed > self.count else place
            self.head += [(place, log, self.sealed, root)] if has_begun else []
        except BAD as error:
            self.problems.append((place, str(error) or "a signature is wrong"))

    def read(self, paths: list[Path]) -> None:
        for path in paths:
            place = f"{self.name} record {min(first := int(path.stem), self.count)}"
            try:
                need(first == self.count, f"record {first} follows in {path.name}")
                for offset, payload, flaw, torn in frames(path):
                    place = f"{self.name} record {self.count} (byte {offset} of {path.name})"
                    need(not flaw or (torn and path == paths[-1]), flaw)
                    self.unfinished = f"{place}: {flaw}" if flaw else ""
                    if payload:
                        self.take(payload, (path.name, offset + 8 + len(payload)) <= self.cut)
                        self.paths[path] = offset
            except BAD as error:
                self.problems.append((place, str(error) or "a signature is wrong"))
                break

    def take(self, payload: bytes, held: bool) -> None:
        match = need(RECORD.fullmatch(payload), "not a journal record")
        head, prev, seq = int(match[1]), match[2].decode(), int(match[3])
        need((seq, prev) == (self.count, self.prev), "it does not follow the record before it")
        need(self.known <= head <= seq, f"it cannot know a head over {head} records")
        own = b'"kind":"journal.' in payload
        kind, seen = whole(payload) if own or seq >= self.claimed else ("", "")
        opens = seq < self.claimed or kind in ("journal.opened", "journal.key")
        need(opens or not held or not self.ended, "no process of this journal wrote it")
        self.ended = kind == "journal.closed" if seq < self.claimed else self.ended
        if held and head > self.claimed:  # the log had been written so far before its head was read
            self.rolled_back = self.rolled_back or f"record {seq} knew one over {head} records"
        if kind == "journal.key":
            change = json.loads(seen)
            new, by = read_key(change["key"]), [key for key in self.keys if key[0] == change["by"]]
            raw, is_id = unbase64(change["signature"]), re.fullmatch(IDENT, change["by"])
            need(is_id and len(change) == 3 and len(raw) == 64, "not a change of key")
            for _, _, key in by:
                key.verify(raw, f"halocline/journal-key\n{new[1]}\n".encode())
            self.keys = [*self.keys, *([new] if by else [])]
        elif kind in ("journal.opened", "journal.siblings", "journal.closed"):
            told = SIBLING.findall(seen)
            text = ",".join(f'{{"log":"{n}","root":"{h}","size":{size}}}' for n, h, size in told)
            front = f'"adopted":{seq - head},' if kind == "journal.opened" else ""
            form = f'{{{front}"log":"{self.name}","siblings":[{text}]}}'
            need(seen == form, "what it adopted, its log or its siblings are wrong")
            self.seen += [(f"{self.name} record {seq}", n, int(s), h) for n, h, s in told if held]
        self.known, self.prev, self.count = head, sha(b"\0", payload).hex(), seq + 1

    def roots(self, sizes: set[int]) -> dict[int, str]:
        """The roots over the first so many records and over all (RFC 6962), in a second look."""
        leaves = (sha(b"\0", p) for path in self.paths for _, p, _, _ in frames(path) if p)
        peaks, found = list[bytes](), {0: sha().hex()}
        for size in range(self.count + 1):
            if size and size in sizes:
                found[size] = reduce(lambda root, peak: sha(b"\1", peak, root), peaks[::-1]).hex()
            leaf = next(leaves, b"")
            while size & 1:
                leaf, size = sha(b"\1", peaks.pop(), leaf), size >> 1
            peaks.append(leaf)
        return found


def verify(directory: Path, keys: list[Key], older: list[tuple[str, str]]) -> dict[str, Any]:
    last = sorted(directory.glob(f"{LOG}/{DIGITS}.seg"))
    cuts = {path.parent.name: (path.name, path.lstat().st_size) for path in last}
    found = [Log(p, keys, cuts.get(p.name, ("", 0))) for p in sorted(directory.glob(LOG))]
    logs = {log.name: log for log in found}
    problems = [problem for log in found for problem in log.problems]
    problems += [] if logs else [(directory.name, "there is no journal here")]
    claims = [c for log in found for c in log.head] + [c for log in found for c in log.seen]
    for place, note in older:
        try:
            name = read_head(note, None)[0]
            need(place.startswith("head ") or place == f"witness/{name}", "of another log")
            claims.append((place, *read_head(note, logs[name].keys if name in logs else keys)))
        except BAD as error:
            problems.append((place, str(error) or "a signature is wrong"))
    roots = {n: g.roots({g.count, *(c[2] for c in claims if c[1] == n)}) for n, g in logs.items()}
    for place, name, size, root in claims:
        if name not in logs or roots[name].get(size) != root:
            problems.append((place, f"{size} records of {name} with the root {root} are not there"))
    rows = [(n, log.count, log.sealed, roots[n][log.count]) for n, log in logs.items()]
    states = [dict(zip(("name", "records", "sealed", "root"), r, strict=True)) for r in rows]
    told = [{"place": place, "what": what} for place, what in problems]
    torn = [log.unfinished for log in found if log.unfinished]
    return {"ok": not told, "logs": states, "problems": told, "unfinished": torn}


def walk(at: int, size: int, path: list[bytes], known: bytes, one: bool) -> list[bytes]:
    """The two roots that a path leads to (RFC 6962): from one leaf, or from that over `at`."""
    if size == (1 if one else at):
        return [known or path.pop()] * 2
    split, last = 1 << (size - 1).bit_length() - 1, path.pop()
    if at < split + (not one):
        old, new = walk(at, split, path, known, one)
        return [old, sha(b"\1", new, last)]
    old, new = walk(at - split, size - split, path, known if one else b"", one)
    return [sha(b"\1", last, old), sha(b"\1", last, new)]


def check_proof(text: str, keys: list[Key]) -> dict[str, Any]:
    proof = STRICT.decode(text)
    one = bool(["halocline-consistency@1", "halocline-proof@1"].index(proof["format"]))
    names = {"checkpoint", "seq", "record"} if one else {"old", "new"}
    path = [need(re.fullmatch(HASH, x), "no hash") and bytes.fromhex(x) for x in proof["path"] + []]
    need(set(proof) == names | {"format", "log", "path"}, "not in the form of a proof")
    heads = [read_head(proof[name], keys) for name in ("checkpoint", "old", "new") if name in proof]
    need({head[0] for head in heads} == {proof["log"]}, "the head of another log")
    (_, at, before), (_, size, root) = heads[0], heads[-1]
    known, shown = bytes.fromhex(before), {"log": proof["log"], "old": at, "new": size}
    if one:
        known, at = sha(b"\0", payload := proof["record"].encode()), proof["seq"]
        shown = {"log": proof["log"], "seq": at, **STRICT.decode(proof["record"])["event"]}
        seq = need(RECORD.fullmatch(payload), "not a journal record")[3]
        need(type(at) is int and int(seq) == at < size, "of another record")
    end = bytes.fromhex(root) if size else known
    old, new = walk(at, size, path, known, one) if one or at else [sha(), end]
    need(new.hex() == root and (one or old.hex() == before) and not path, "to another root")
    return {"ok": True, "logs": [], "problems": [], "unfinished": [], "shown": shown}


def main(arguments: list[str]) -> int:
    status, place = 2, "it cannot be asked"
    if "--help" in arguments:
        return print(__doc__) or 0
    try:
        options, names = getopt.gnu_getopt(arguments, "", ["proof=", "head=", "witness=", "json"])
        given, paths = dict(options), [Path(n).resolve() for n in names]
        need(len(paths) == (1 if "--proof" in given else 2), __doc__ or "")
        keys = [read_key(k) for k in re.findall(r"(?m)^\s*([^\s#].*?)\s*$", text_of(paths[-1]))]
        need(keys, "no key line")
        older = [(f"head {v}", text_of(Path(v).resolve())) for n, v in options if n == "--head"]
        kept = [need(sorted(Path(v).glob(LOG)), "no head") for n, v in options if n == "--witness"]
        older += [(f"witness/{path.name}", text_of(path)) for held in kept for path in held]
        proof = text_of(Path(given["--proof"]).resolve()) if "--proof" in given else None
        status, place = 1, given.get("--proof", names[0])
        found = verify(paths[0], keys, older) if proof is None else check_proof(proof, keys)
    except BAD as error:
        problem = {"place": place, "what": str(error) or "a signature is wrong"}
        found = dict[str, Any](ok=False, logs=[], problems=[problem], unfinished=[])
    said = [f"{name}: {json.dumps(value)}" for name, value in found.get("shown", {}).items()]
    said += [f"{log['name']}: {log['records']} records" for log in found["logs"]]
    said += [f"note: unfinished last write: {text}" for text in found["unfinished"]]
    said += [f"FAILED {problem['place']}: {problem['what']}" for problem in found["problems"]]
    said += ["verified" if found["ok"] else "NOT verified"]
    print(json.dumps(found) if "--json" in arguments else "\n".join(said))
    return 0 if found["ok"] else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
