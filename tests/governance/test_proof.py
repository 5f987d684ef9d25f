"""A proof shows its record from the trusted key alone, to both checkers; nothing else does."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import Journal, Signer, proof, read
from halocline_governance.journal.proof import Consistency, Proof
from halocline_governance.records import AuditEvent, Kind
from tests.governance.journal_world import SIGNER, Log, read_event, root_of, signed
from tests.governance.verifier_alone import VERIFIER, verified

LOG = "log-0000"


@pytest.fixture(scope="module")
def heads() -> dict[int, str]:
    return {}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory, heads: dict[int, str]) -> Path:
    """A log of three segments, and a head over each number of its records."""
    log = Log(LOG)
    for number in range(23):
        log.add(read_event(number, "ä\u2028\U0001f512"))
        log.turn() if number in (6, 15) else log.seal()
        heads[log.sealed] = log.note()
    log.put(directory := tmp_path_factory.mktemp("proof") / "journal")
    return directory


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], bool]:
    """What both checkers say of a proof's JSON, which must be the same."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "key").write_text(SIGNER.trust.text())

    def judge(content: Any) -> bool:
        (folder / "proof").write_text(json.dumps(content))
        theirs = verified("--proof", folder / "proof", folder / "key")["ok"]
        try:
            if "record" in content:
                proof.check(Proof.parse(json.dumps(content)), SIGNER.trust)
            else:
                Consistency.parse(json.dumps(content)).check(SIGNER.trust)
        except (Refused, Unverified):
            assert not theirs, content
            return False
        assert theirs, content
        return True

    return judge


def test_every_record_is_proven_in_every_head(
    journal: Path, heads: dict[int, str], judged: Callable[[Any], bool]
) -> None:
    events = [event for _, _, event in read(journal)]
    for size, head in heads.items():
        with proof.Prover(journal, LOG, head) as prover:
            proofs = [prover.prove(seq) for seq in range(size)]
        for seq, made in enumerate(proofs):
            assert proof.check(made, SIGNER.trust) == events[seq]
            assert Proof.parse(json.dumps(made.as_json())) == made
        assert judged(proofs[-1].as_json())
        with pytest.raises(Refused, match="a running process signs"):
            proof.prove(journal, LOG, size, head)


def test_every_head_goes_on_from_every_older_one(
    journal: Path, heads: dict[int, str], judged: Callable[[Any], bool]
) -> None:
    for old in heads:
        made: Consistency | None = None
        for new in (size for size in heads if size >= old):
            made = proof.consistency(journal, LOG, heads[old], heads[new])
            before, after = made.check(SIGNER.trust)
            assert (before.size, after.size) == (old, new)
            assert Consistency.parse(json.dumps(made.as_json())) == made
        assert made
        assert judged(made.as_json())
    assert proof.consistency(journal, LOG, heads[5]).new == heads[23]
    with pytest.raises(Refused, match="the older head covers 9"):
        proof.consistency(journal, LOG, heads[9], heads[8])


def test_no_altered_proof_is_accepted(
    journal: Path,
    heads: dict[int, str],
    judged: Callable[[Any], bool],
    rng: random.Random,
    scale: Callable[[int, int], int],
) -> None:
    """One character of any member changed, cut or doubled; members swapped with another's."""
    other = proof.prove(journal, LOG, 3, heads[9]).as_json()
    others = proof.consistency(journal, LOG, heads[3], heads[9]).as_json()
    good: Any = None
    for _ in range(scale(60, 6000)):
        size = rng.randrange(10, 24)
        good, donor = rng.choice(
            [
                (proof.prove(journal, LOG, rng.randrange(4, size), heads[size]).as_json(), other),
                (proof.consistency(journal, LOG, heads[size - 5], heads[size]).as_json(), others),
            ]
        )
        bad = json.loads(json.dumps(good))
        name = rng.choice([key for key in bad if key != "path"])
        how = rng.randrange(5)
        if how == 0:
            bad[name] = altered(rng, bad[name])
        elif how == 1 and bad["path"]:
            at = rng.randrange(len(bad["path"]))
            bad["path"][at] = altered(rng, bad["path"][at])
        elif how == 2:
            bad["path"] = bad["path"][1:] if bad["path"] else ["00" * 32]
        elif how == 3:
            bad[name] = donor[name]
        else:
            del bad[name]
        if bad != good:
            assert not judged(bad), (how, name)
    assert judged(good)


def altered(rng: random.Random, value: Any) -> Any:
    if isinstance(value, int):
        return value + rng.choice([-1, 1, 2, -value - 1])
    at = rng.randrange(len(value))
    return rng.choice(
        [value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :], value[:at], value + value[at]]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"format": "halocline-proof@2"},
        {"seq": True},
        {"seq": "3"},
        {"seq": 3.0},
        {"seq": -1},
        {"path": "00"},
        {"path": [1]},
        {"path": ["AB" * 32]},
        {"path": ["00"]},
        {"record": None},
        {"record": "\ud800"},
        {"checkpoint": 1},
        {"log": ["log-0000"]},
    ],
)
def test_another_form_is_refused(
    journal: Path, heads: dict[int, str], judged: Callable[[Any], bool], change: dict[str, Any]
) -> None:
    good = proof.prove(journal, LOG, 3, heads[9]).as_json()
    assert judged(good)
    assert not judged({**good, **change})


def test_a_key_nobody_trusts_proves_nothing(journal: Path, heads: dict[int, str]) -> None:
    stranger = Signer(Ed25519PrivateKey.generate()).trust
    with pytest.raises(Unverified):
        proof.check(proof.prove(journal, LOG, 3), stranger)
    with pytest.raises(Unverified):
        proof.consistency(journal, LOG, heads[3]).check(stranger)


def test_the_tlog_form(journal: Path, heads: dict[int, str]) -> None:
    made = proof.prove(journal, LOG, 3, heads[9])
    first, index, *rest = made.tlog().split("\n")
    at = rest.index("")

    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 3")
    assert len(rest[:at]) == len(made.path) == 4
    assert "\n".join(rest[at + 1 :]) == heads[9]


def test_a_damaged_log_proves_nothing_wrong(journal: Path, tmp_path: Path) -> None:
    """What is altered is not proven; what is not, still is."""
    shutil.copytree(journal, tmp_path / "j")
    segment = tmp_path / "j" / LOG / "000000000007.seg"
    good = segment.read_bytes()
    segment.write_bytes(good.replace(b'"number":8', b'"number":9'))

    with pytest.raises(JournalCorrupt):
        proof.prove(tmp_path / "j", LOG, 8)
    for log, why in (("log-0009", "no log"), ("../x", "no log")):
        with pytest.raises(Refused, match=why):
            proof.prove(tmp_path / "j", log, 0)
    with pytest.raises(Refused, match="checkpoint is of"):
        proof.prove(journal, LOG, 0, Log("log-0001").note(0))


def test_a_log_that_is_being_written_is_proven(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j", SIGNER) as writing:
        old = writing.seal()
        for number in range(40):
            writing.append(event(number))
        new = writing.seal()
        for seq in range(41):
            found = proof.check(proof.prove(tmp_path / "j", LOG, seq, new), SIGNER.trust)
            assert seq == 0 or found["object"] == {"number": seq - 1}
        proof.consistency(tmp_path / "j", LOG, old, new).check(SIGNER.trust)


def test_the_stand_alone_checker_runs_alone(
    journal: Path, heads: dict[int, str], tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(SIGNER.trust.text())
    (tmp_path / "proof").write_text(json.dumps(proof.prove(journal, LOG, 3).as_json()))
    command = [sys.executable, "-I", VERIFIER, "--proof", tmp_path / "proof", tmp_path / "key"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    said = done.stdout.splitlines()
    assert (done.returncode, said[-1]) == (0, "verified")
    assert {f'log: "{LOG}"', "seq: 3", 'kind: "read"'} < set(said)
    assert any(line.startswith("ts: ") for line in said)


def test_the_stand_alone_checker_refuses_a_member_that_stands_twice(
    journal: Path, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(SIGNER.trust.text())
    text = json.dumps(proof.prove(journal, LOG, 3).as_json())
    for content, is_ok in ((text, True), ('{"seq":2,' + text[1:], False), ("", False)):
        (tmp_path / "proof").write_text(content)
        assert verified("--proof", tmp_path / "proof", tmp_path / "key")["ok"] == is_ok
    command = [sys.executable, "-I", VERIFIER, "--help"]
    assert (
        "--proof FILE" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )


def test_heads_over_nothing_show_nothing_else(judged: Callable[[Any], bool]) -> None:
    nothing, other = (signed(f"halocline/{LOG}", 0, r) for r in (root_of([]), bytes(32)))
    form: dict[str, Any] = {"format": "halocline-consistency@1", "log": LOG, "path": []}

    assert judged({**form, "old": nothing, "new": nothing})
    for path in ("{}", '""', "null"):
        assert not judged({**form, "old": nothing, "new": nothing, "path": json.loads(path)})
    for old, new in ((nothing, other), (other, nothing), (other, other)):
        assert not judged({**form, "old": old, "new": new})


@pytest.mark.parametrize("more", ['"event":{},', '"f":NaN,', '"g":{"h":1,"h":2},', ""])
def test_a_record_that_two_read_differently_shows_nothing(
    judged: Callable[[Any], bool], more: str
) -> None:
    """Even one that was signed."""
    log = Log(LOG)
    log.add(read_event(1))
    log.payloads[0] = log.payloads[0].replace(
        b'},"head":', b"}," + more.encode() + b'"f":{},"head":'
    )
    log.seal()
    found = Proof(LOG, 0, log.payloads[0].decode(), (), log.note())
    assert judged(found.as_json()) == (more == "")


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})
