"""Mode 3: what another OS user obtains from the guard server and from the machine it runs on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from bypass_evidence import Evidence, leaks
from bypass_server import SERVER, Target
from bypass_server_own import PLATFORM_FILES
from bypass_table import ATTACKS
from bypass_world import ABOVE, CAROL, MINE
from pyarrow import flight

from halocline_governance import keys
from halocline_governance.guard.client import connect
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.identity import Issuer
from halocline_governance.principal import Purpose

pytestmark = pytest.mark.system
OWNER, ATTACKER = 64101, 64102
HERE = Path(__file__).parent


@contextmanager
def serving(folder: Path) -> Generator[tuple[str, int]]:
    """`halocline lake serve` as OWNER; its URL and process id."""
    process = as_user(OWNER, HERE / "bypass_serve.py", environment(folder / "home"))
    try:
        assert process.stdout
        told: list[str] = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("guard at "):
                break
        assert told[-1].startswith("guard at "), "".join(told)
        yield told[-1].removeprefix("guard at ").strip(), process.pid
    finally:
        process.terminate()
        process.communicate(timeout=20)


def environment(home: Path) -> dict[str, str]:
    return {
        "HALOCLINE_HOME": str(home),
        "HALOCLINE_POLICY": "embedded",
        "HOME": str(home.parent),
        "PATH": "/usr/bin:/bin",
    }


def as_user(uid: int, script: Path, env: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, HERE / "bypass_user.py", script, str(uid), *words],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if script.name == "bypass_server.py" else subprocess.STDOUT,
        text=True,
    )


@contextmanager
def owned() -> Generator[Path]:
    """A folder of OWNER's that everybody may enter."""
    assert os.getuid() == 0, "only root can run another as another user"
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        place = folder / "owned"
        place.mkdir()
        os.chown(place, OWNER, OWNER)
        yield place
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def obtained() -> Iterator[dict[int, Evidence]]:
    """What each attack obtained."""
    with owned() as place, serving(place) as (url, pid):
        aimed = target(url, pid, place / "home")
        found = attacked(aimed, ATTACKER)
        assert num_rows(url, aimed.anothers_ticket, aimed.anothers_token) == 101, "it was spent"
        yield found


@dataclass(frozen=True, slots=True)
class Aimed(Target):
    """The target, and what shows that its ticket was good."""

    anothers_token: str = field(kw_only=True)


def target(url: str, pid: int, home: Path) -> Aimed:
    """All that the attacker is given: tickets that were not theirs, and what is no secret."""
    issuer = Issuer(keys.ed25519(home / "keys" / "identity.key"))
    ana, carol, dan = (
        issuer.issue(name, roles, clearance)
        for name, roles, clearance in (
            ("ana", ["analyst"], MINE),
            ("carol", ["compliance"], CAROL.clearance),
            ("dan", ["analyst"], ABOVE),
        )
    )
    with connect(url, carol) as client:
        assert client.read("buy:curated.documents").read_all().num_rows == 101
    tickets = [ticket(url, token) for token in (carol, dan)]
    assert num_rows(url, ticket(url, dan), dan) == 101
    disable("dan", home, carol)
    return Aimed(
        url=url,
        home=str(home),
        pid=pid,
        uid=OWNER,
        token=ana,
        anothers_ticket=tickets[0],
        anothers_token=carol,
        revoked_ticket=tickets[1],
        revoked_token=dan,
        public_key=issuer.key.public_key().public_bytes_raw().hex(),
        label_id=MINE.label_id,
        hidden_label_id=ABOVE.label_id,
    )


def ticket(url: str, token: str) -> str:
    asked = Descriptor("buy:curated.documents", purpose=Purpose.ANALYSIS).encode()
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    with flight.connect(url) as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(asked), options)
        return info.endpoints[0].ticket.ticket.hex()


def num_rows(url: str, ticket: str, token: str) -> int:
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    with flight.connect(url) as client:
        rows = client.do_get(flight.Ticket(bytes.fromhex(ticket)), options)
        return rows.read_all().num_rows


def disable(subject: str, home: Path, token: str) -> None:
    """As an officer does, beside the running server."""
    env = {**environment(home), "HALOCLINE_TOKEN": token}
    command = Path(sys.prefix) / "bin" / "halocline"
    process = as_user(OWNER, command, env, "directory", "disable", subject)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told


def attacked(aimed: Aimed, uid: int, *numbers: int) -> dict[int, Evidence]:
    folder = tempfile.mkdtemp()
    os.chown(folder, uid, uid)
    env = {"PATH": "/usr/bin:/bin", "HOME": folder, "TMPDIR": folder}
    process = as_user(uid, HERE / "bypass_server.py", env, *map(str, numbers))
    given = {one.name: getattr(aimed, one.name) for one in fields(Target)}
    told, complaint = process.communicate(json.dumps(given), timeout=120)
    shutil.rmtree(folder)
    assert process.returncode == 0, complaint
    answer: dict[str, Any] = json.loads(told)
    assert answer["uid"] == uid
    return {
        int(number): Evidence(found["text"], found["hidden"], found["sign"])
        for number, found in answer["found"].items()
    }


@pytest.mark.parametrize("number", sorted(SERVER))
def test_what_the_server_gives_away(number: int, obtained: dict[int, Evidence]) -> None:
    found = leaks(obtained[number])
    expected = ATTACKS[number].verdict("server")
    assert ("open" if found else "blocked") == expected, f"{ATTACKS[number].name}: {found}"


def test_each_attack_is_made_on_the_server() -> None:
    assert set(SERVER) == {n for n, one in ATTACKS.items() if one.verdict("server") != "residual"}


def test_the_attacks_work_where_nothing_separates() -> None:
    """As the server's own user they get what they are after: so it is the user that blocks them."""
    with owned() as place, serving(place) as (url, pid):
        by_files = (1, 8, 11, 13, 23, 24, 25, 29, 44, 45, 46, 47, 48, 33, 30, 31, 32)
        found = attacked(target(url, pid, place / "home"), OWNER, *by_files)
    assert [number for number in by_files if not leaks(found[number])] == []
    assert str(found[46].text) == str(list(PLATFORM_FILES))
