"""Whatever is changed in a report is found: by flipped bits, by forgers without the key, and as far
as its statements go by forgers who can write to the journal."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import HaloclineError
from halocline_governance.gates import Gate
from halocline_governance.journal import Journal, Signer
from halocline_governance.journal.proof import consistency
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.report import period
from halocline_governance.report.period import recheck, verify
from halocline_governance.report.period.carried import carry
from halocline_governance.report.period.document import digest

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

Content = dict[str, Any]
Scale = Callable[[int, int], int]


@pytest.fixture
def rich(told: World) -> World:
    """A world with a statement of many kinds."""
    told.ask(Gate.PROMOTE, approvals=[])
    told.ask(Gate.INGEST, licence={"expression": "GPL-3.0-only", "choices": [["GPL-3.0-only"]]})
    told.answer("req-2", outcome="held")
    told.append(Kind.ERASE, {"order": "o-1", "step": "done"})
    entry = {"subject": "bea", "roles": ["analyst"], "clearance": None}
    told.append(Kind.DIRECTORY, {"outcome": "changed", "before": None, "after": entry})
    return told


def faults(world: World, document: period.Document) -> list[str]:
    return verify.verify(document, world.signer.trust).faults


def test_every_flipped_bit_is_found(rich: World, rng: random.Random, scale: Scale) -> None:
    data = rich.of_period().json.read_bytes()
    missed: list[int] = []
    for _ in range(scale(10, 20_000)):
        at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
        flipped = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
        try:
            document = period.Document.parse(flipped)
        except HaloclineError:
            continue
        if not faults(rich, document):
            missed.append(at)

    assert missed == []


def test_every_flipped_bit_of_the_proofs_is_found(
    rich: World, rng: random.Random, scale: Scale
) -> None:
    """As a forger would do it: decoded, changed, and written well again."""
    document = rich.period_document()
    told = {name: getattr(document, name) for name in ("seal", "attest", "records", "bound")}
    texts = list(_texts(told))
    for _ in range(scale(30, 5_000)):
        changed = copy.deepcopy(told)
        path, text = rng.choice(texts)
        at, bit = rng.randrange(len(text)), 1 << rng.randrange(7)
        _put(changed, path, text[:at] + chr(ord(text[at]) ^ bit) + text[at + 1 :])

        assert faults(rich, replace(document, **changed)), path


def test_every_other_way_to_write_it_is_refused(
    rich: World, rng: random.Random, scale: Scale
) -> None:
    """The same values as other types, in another order, twice, with more beside them."""
    data = rich.of_period().json.read_bytes()
    whole = json.loads(data)
    places = [path for path, _ in _inner(whole) if path]
    ends = ("attest", "seal", "seq", "records", "bound", "path")
    proofs = [path for path in places if path[0] != "content" and path[-1] in ends]
    sample = rng.sample(places, min(len(places), scale(10, 20_000)))
    few = rng.sample(proofs, min(len(proofs), scale(10, 20_000)))
    for path in [("attest",), ("attest", "seq"), ("records",), ("bound",), *few, *sample]:
        for changed in _otherwise(_at(whole, path)):
            told = copy.deepcopy(whole)
            _put(told, path, changed)
            text = json.dumps(told, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
            assert _is_refused(rich, text.encode()), (path, changed)
    seq = b'"seq": %d' % whole["attest"]["seq"]
    for old, new in [
        (seq, seq + b".0"), (seq, seq + b".9"), (seq, seq + b"e0"), (seq, seq.replace(b" ", b"")),
        (seq, seq + b", " + seq), (b"{\n", b"{"), (b"}\n", b"}"), (b"\n", b"\r\n"),
        (b"{", b'{"format": "x",'), (b"{", b"\xef\xbb\xbf{"),
    ]:  # fmt: skip
        assert _is_refused(rich, data.replace(old, new, 1)), new
    note = whole["seal"]["note"]
    for more in (note.splitlines()[-1], "\u2014 other " + "QUJDREVGR0g="):
        told = {**whole, "seal": {**whole["seal"], "note": f"{note}{more}\n"}}
        text = json.dumps(told, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        assert _is_refused(rich, text.encode()), more
    assert not _is_refused(rich, data)


def _otherwise(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [{**cast("Content", value), "more": 1}]
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [one for one in (items[::-1], [*items, *items[:1]]) if one != items]
    if isinstance(value, bool):
        return [int(value), str(value)]
    if isinstance(value, int):
        return [float(value), value + 0.9, str(value), *([bool(value)] if value in (0, 1) else [])]
    return [[value], f" {value}", f"{value}\n"]


def _is_refused(world: World, data: bytes) -> bool:
    try:
        return bool(faults(world, period.Document.parse(data)))
    except HaloclineError:
        return True


def test_another_key_and_no_heads_are_found(rich: World) -> None:
    document = rich.period_document()
    other = Signer(Ed25519PrivateKey.generate())

    assert verify.verify(document, other.trust).faults
    for name in ("records", "bound"):
        assert faults(rich, replace(document, **{name: []}))
        one_less: list[Any] = getattr(document, name)[1:]
        assert faults(rich, replace(document, **{name: one_less}))
        twice: list[Any] = [*getattr(document, name), getattr(document, name)[0]]
        assert faults(rich, replace(document, **{name: twice}))
    assert faults(rich, replace(document, content={}, attest={}))


def test_other_pages_are_found(rich: World) -> None:
    paths = rich.of_period()
    document = period.Document.parse(paths.json.read_bytes())
    html, pdf = paths.html.read_bytes(), paths.pdf.read_bytes()
    trust = rich.signer.trust

    assert verify.verify(document, trust, html + b" ", pdf).faults == [
        "the HTML file is not the one that was recorded"
    ]
    assert verify.verify(document, trust, html, pdf[:-1]).faults == [
        "the PDF file is not the one that was recorded"
    ]


def listed(content: Content, name: str) -> dict[str, Any]:
    return next(one for part in content["sections"] for one in part["lists"] if one["name"] == name)


def summed(content: Content, name: str) -> dict[str, Any]:
    return next(one for part in content["sections"] for one in part["sums"] if one["name"] == name)


def _fewer_denials(content: Content) -> None:
    listed(content, "denials")["rows"].pop()


def _other_reason(content: Content) -> None:
    listed(content, "denials")["rows"][0]["reasons"] = "none"


def _allowed_after_all(content: Content) -> None:
    listed(content, "promotions")["rows"][0]["allowed"] = True


def _other_record(content: Content) -> None:
    rows = listed(content, "denials")["rows"]
    rows[0]["proofs"] = rows[1]["proofs"]


def _uncited(content: Content) -> None:
    listed(content, "held")["rows"][0]["proofs"] = []


def _said_besides(content: Content) -> None:
    listed(content, "held")["rows"][0]["approved"] = "by all"


def _other_command(content: Content) -> None:
    listed(content, "held")["rows"][0]["proofs"][0]["check"] = "rm -rf /"


def _other_rows(content: Content) -> None:
    content["figures"][0]["num_rows"] += 1


def _other_figure(content: Content) -> None:
    summed(content, "outcomes")["rows"][0]["outputs"] += 1


def _other_sum(content: Content) -> None:
    summed(content, "gates")["rows"][0]["denied"] += 1


def _no_denials(content: Content) -> None:
    rows = summed(content, "gates")["rows"]
    for name in ("gates", "days", "flows"):
        for row in summed(content, name)["rows"]:
            row["denied"] = 0
    assert rows
    listed(content, "denials").update(rows=[], total=0)


def _no_section(content: Content) -> None:
    content["sections"].pop()


def _other_words(content: Content) -> None:
    content["sections"][0]["says"] = "All is well."


def _no_caution(content: Content) -> None:
    content["caution"] = "This firm keeps the law."


def _other_title(content: Content) -> None:
    listed(content, "denials")["title"] = "Approvals"


def _other_heads(content: Content) -> None:
    content["journal"]["heads"][0]["size"] += 1


FORGERIES: list[Callable[[Content], None]] = [
    _fewer_denials, _other_reason, _allowed_after_all, _other_record, _uncited, _said_besides,
    _other_command, _other_rows, _other_figure, _other_sum, _no_denials, _no_section, _other_words,
    _no_caution, _other_title, _other_heads,
]  # fmt: skip


def test_forgeries_by_who_can_write_the_journal_are_found(rich: World) -> None:
    """Each forged content is recorded in the journal and proven there, as the true one was."""
    document = rich.period_document()
    forged = [copy.deepcopy(dict(document.content)) for _ in FORGERIES]
    for content, forge in zip(forged, FORGERIES, strict=True):
        forge(content)
        again = attested(rich, document, content)
        found = faults(rich, again)
        assert found, forge.__name__
        assert not any("content is not what" in fault for fault in found), forge.__name__

    assert faults(rich, attested(rich, document, dict(document.content))) == []


def test_what_the_file_cannot_show_the_journal_does(rich: World) -> None:
    """A sum that agrees with all others and is wrong."""
    document = rich.period_document()
    content = copy.deepcopy(dict(document.content))
    row = next(r for r in summed(content, "reasons")["rows"] if r["gate"] == "ingest")
    row["denials"] += 7
    forged = attested(rich, document, content)
    trust, place = rich.signer.trust, rich.root / "journal"

    assert faults(rich, forged) == []
    assert "journal" in verify.verify(forged, trust).open
    assert recheck.with_journal(forged, trust, place).faults == [
        "reasons: the journal gives something else"
    ]
    assert recheck.with_lake(forged, rich.period_sources, rich.officer).faults


def test_another_journal_is_no_copy(rich: World) -> None:
    document = rich.period_document()
    with Journal.open(rich.root / "other", rich.signer) as other:
        for number in range(200):
            other.append(AuditEvent(Kind.TRAIN, "svc", "training", {"run_id": str(number)}))
    trust = rich.signer.trust
    shutil.copytree(rich.root / "journal", rich.root / "copy")

    assert recheck.with_journal(document, trust, rich.root / "other").faults
    assert recheck.with_journal(document, trust, rich.root / "copy").faults == []


def attested(world: World, document: period.Document, content: Content) -> period.Document:
    """A report of this content, recorded and proven in the journal."""
    period_ = document.question.period
    what = {
        "period": {"from": period_.start, "to": period_.end},
        "duty": document.question.duty.value,
        "content_sha256": digest(content),
    }
    event = AuditEvent(Kind.REPORT, world.officer.subject, "audit", what)
    receipt = world.journal.append(event)
    note = world.journal.seal()
    log, journal_dir = receipt.log, world.root / "journal"
    places = {(one["log"], one["seq"]) for one in document.bound}
    places = places - {(document.attest["log"], document.attest["seq"])} | {(log, receipt.seq)}
    old = document.notes[log]
    return replace(
        document,
        content=content,
        attest={"log": log, "seq": receipt.seq},
        seal={
            "log": log,
            "note": note,
            "path": consistency(journal_dir, log, old, note).as_json()["path"],
        },
        bound=carry(journal_dir, places, {log: note}),
    )


def _texts(value: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    return ((path, one) for path, one in _inner(value) if isinstance(one, str) and one)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        value = value[name]
    return value


def _inner(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
    elif isinstance(value, list):
        pairs = enumerate(cast("list[Any]", value))
    for name, inner in pairs:
        yield from _inner(inner, (*path, name))


def _put(value: Any, path: tuple[Any, ...], text: str) -> None:
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = text
