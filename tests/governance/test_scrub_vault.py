"""The vault: what is sealed comes back whole, by its token alone, until its key is destroyed."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.errors import Refused, StorageUnavailable
from halocline_governance.scrub import Mode
from halocline_governance.scrub.ring import Ring
from halocline_governance.scrub.sealed import REVERSIBLE, Sealer, Token
from halocline_governance.scrub.vault import Vault
from tests.governance.scrub_world import SOUP, scrubber, vault

VALUE = "jo@corp.example"


@pytest.fixture
def held(tmp_path: Path) -> Vault:
    return vault(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return vault(tmp_path_factory.mktemp("vault"))


def sealed(held: Vault, value: str = VALUE, compartment: str = "buy", kind: str = "email") -> str:
    sealing = held.sealing(compartment)
    token = sealing.token(kind, value)
    sealing.commit()
    return token


def opened(held: Vault, text: str) -> str | None:
    token = Token.parse(text)
    return None if token is None else held.opened(token)


def restored(held: Vault, text: str) -> str:
    """As often as a token stands in a value that was sealed later."""
    before = ""
    while text != before:
        before = text
        text = REVERSIBLE.sub(lambda match: opened(held, match[0]) or match[0], text)
    return text


@settings(max_examples=25)
@given(text=SOUP)
def test_a_scrubbed_text_can_be_restored_whole(shared: Vault, text: str) -> None:
    scrubbed = scrubber(Mode.REVERSIBLE, shared).scrub(text)

    assert restored(shared, scrubbed.text) == text


def test_one_value_has_one_token_under_one_key(held: Vault) -> None:
    first = sealed(held)

    assert sealed(vault(held.folder.parent)) == first
    others = {
        sealed(held, kind="url"),
        sealed(held, "Jo@corp.example"),
        sealed(held, VALUE, "sell"),
    }
    held.ring.rotate("buy")
    assert len({first, sealed(held), *others}) == 5
    assert opened(held, first) == VALUE


@settings(max_examples=60)
@given(data=st.data())
def test_a_forged_token_opens_nothing(shared: Vault, data: st.DataObject) -> None:
    genuine = sealed(shared)
    at = data.draw(st.integers(0, len(genuine) - 1))
    char = data.draw(st.sampled_from("abcdefghij234567r:<> \u00e9"))
    forged = data.draw(
        st.sampled_from(
            [
                genuine[:at] + char + genuine[at + 1 :],
                genuine[:at],
                genuine.replace("email", "phone"),
                genuine.replace(":r1:", ":r2:"),
                genuine.upper(),
                genuine + "\n",
            ]
        )
    )
    assert (opened(shared, forged) is None) == (forged != genuine)


def test_another_spelling_of_a_token_is_none(held: Vault) -> None:
    """The last letter has two bits to spare."""
    genuine = sealed(held)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    spellings = [genuine[:-2] + letter + ">" for letter in letters]

    assert [one for one in spellings if opened(held, one)] == [genuine]


def test_nothing_is_read_from_vault_and_keys_without_the_text(held: Vault) -> None:
    token = Token.parse(sealed(held))
    assert token is not None
    (key,) = held.ring.live()
    with sqlite3.connect(held.folder / "buy.sqlite") as connection:
        ((ident, *_, ciphertext),) = connection.execute("SELECT * FROM sealed")
    connection.close()

    assert token.iv not in (held.folder / "buy.sqlite").read_bytes()
    assert ident != token.iv
    assert Sealer(key).open(token, ciphertext) == VALUE
    assert Sealer(key).open(Token("email", 1, ident), ciphertext) is None
    assert VALUE.encode() not in (held.folder / "buy.sqlite").read_bytes()


def test_a_changed_vault_is_told_from_the_value(held: Vault) -> None:
    token, other = sealed(held), sealed(held, "al@corp.example")
    with sqlite3.connect(held.folder / "buy.sqlite") as connection:
        rows = connection.execute("SELECT id, ciphertext FROM sealed ORDER BY id").fetchall()
        cells = [(rows[1 - n][1], rows[n][0]) for n in range(2)]
        connection.executemany("UPDATE sealed SET ciphertext = ? WHERE id = ?", cells)
    connection.close()

    assert [opened(held, token), opened(held, other)] == [None, None]


def test_a_destroyed_key_opens_nothing_and_leaves_nothing(held: Vault) -> None:
    tokens = [sealed(held), sealed(held, "al@corp.example")]
    held.ring.rotate("buy")
    tokens.append(sealed(held))
    there = sealed(held, VALUE, "sell")
    secrets = [key.secret.hex() for key in held.ring.live() if key.compartment == "buy"]

    assert held.destroy("buy") == [1, 2]

    assert [opened(held, token) for token in tokens] == [None] * 3
    assert (held.count("buy"), opened(held, there)) == (0, VALUE)
    files = b"".join(path.read_bytes() for path in held.ring.folder.iterdir())
    assert [one for one in secrets if one.encode() in files] == []
    assert sealed(held).startswith("<email:r4:")
    assert held.destroy("buy") == [4]
    assert held.destroy("buy") == []


def test_a_destruction_that_was_interrupted_is_finished_by_another(held: Vault) -> None:
    token = sealed(held)
    held.ring.destroy("buy")
    assert (opened(held, token), held.count("buy")) == (None, 1)

    assert held.destroy("buy") == []

    assert held.count("buy") == 0


def test_a_value_that_is_forgotten_is_opaque_however_it_was_spelt(held: Vault) -> None:
    tokens = [sealed(held, "Jo@Corp.example"), sealed(held)]
    held.ring.rotate("buy")
    tokens.append(sealed(held))
    other, there = sealed(held, "al@corp.example"), sealed(held, VALUE, "sell")
    file = held.folder / "buy.sqlite"
    with sqlite3.connect(file) as connection:
        gone = [cell for (cell,) in connection.execute("SELECT id FROM sealed")]
    connection.close()

    assert held.forget("buy", " jo@corp.EXAMPLE") == 3

    assert [opened(held, token) for token in tokens] == [None] * 3
    assert (opened(held, other), opened(held, there)) == ("al@corp.example", VALUE)
    assert held.forget("buy", VALUE) == 0
    assert [ident in file.read_bytes() for ident in gone].count(True) == 1


def test_a_key_that_goes_while_values_are_sealed_lets_no_token_out(held: Vault) -> None:
    sealing = held.sealing("buy")
    sealing.token("email", VALUE)
    held.destroy("buy")

    with pytest.raises(StorageUnavailable, match="destroyed"):
        sealing.commit()


def test_files_are_the_owners_alone(held: Vault) -> None:
    previous = os.umask(0)
    try:
        sealed(held)
    finally:
        os.umask(previous)
    for path in (*held.folder.iterdir(), *held.ring.folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (held.folder, held.ring.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (held.ring.folder / "r1.buy.key").chmod(0o640)
    with pytest.raises(Refused, match="can be read by others"):
        sealed(held)


@pytest.mark.parametrize("name", ["x.cross-1", "../buy", "", "Buy", "a.b.c", "buy/../sell"])
def test_what_is_no_side_or_tenant_has_no_vault(held: Vault, name: str) -> None:
    with pytest.raises(Refused, match="vault"):
        held.sealing(name)
    assert not held.folder.exists()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"compartment":"buy","secret":"00"}', b"\xff"])
def test_a_damaged_key_is_no_key(held: Vault, content: bytes) -> None:
    sealed(held)
    (held.ring.folder / "r1.buy.key").write_bytes(content)

    with pytest.raises(Refused, match=r"r1\.buy\.key is no key"):
        sealed(held)


def test_a_key_under_another_name_is_no_key(held: Vault) -> None:
    sealed(held)
    held.ring.folder.joinpath("r1.buy.key").rename(held.ring.folder / "r1.sell.key")

    with pytest.raises(Refused, match="another compartment's"):
        sealed(held, VALUE, "sell")


@pytest.fixture
def full(held: Vault) -> Iterator[Vault]:
    """A disk that takes no more: sqlite's own error for it."""
    held.ring.current("buy")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield held
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


def test_on_a_full_disk_no_text_comes_out(full: Vault) -> None:
    with pytest.raises(StorageUnavailable, match="vault of buy") as error:
        scrubber(Mode.REVERSIBLE, full).scrub(f"mail {VALUE}")
    assert VALUE not in str(error.value)
    assert error.value.__suppress_context__
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    scrubbed = scrubber(Mode.REVERSIBLE, full).scrub(f"mail {VALUE}")
    assert restored(full, scrubbed.text) == f"mail {VALUE}"


def test_a_file_that_is_no_vault_is_told_without_a_value(held: Vault) -> None:
    sealed(held)
    (held.folder / "buy.sqlite").write_bytes(b"no database" * 1000)

    with pytest.raises(StorageUnavailable, match="vault of buy"):
        sealed(held)


def test_threads_and_processes_seal_into_one_vault(held: Vault) -> None:
    """Two processes begin at once, so that both would make the first key; threads beside them."""

    def seal(number: int) -> str:
        return sealed(held, f"p{number}@corp.example")

    start_r, start_w = os.pipe()
    children: list[tuple[int, int]] = []
    for number in range(2):
        told_r, told_w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(start_w)
            os.read(start_r, 1)
            tokens = [seal(n) for n in range(number, number + 4)]
            os.write(told_w, "\n".join(tokens).encode())
            os._exit(0)
        os.close(told_w)
        children.append((pid, told_r))
    os.close(start_w)
    os.close(start_r)
    with ThreadPoolExecutor(3) as pool:
        mine = list(pool.map(seal, range(6)))
    told: set[str] = set()
    for pid, pipe in children:
        with os.fdopen(pipe) as stream:
            told |= set(stream.read().split("\n"))
        assert os.waitpid(pid, 0)[1] == 0

    assert set(mine) >= told - {""}
    assert [opened(held, token) for token in mine] == [f"p{n}@corp.example" for n in range(6)]
    assert len(held.ring.live()) == 1


def test_a_killed_process_leaves_a_vault_that_can_be_used(held: Vault) -> None:
    """Killed at any moment while it seals: each token that was told is opened."""
    token = sealed(held)
    for _ in range(4):
        told_r, told_w = os.pipe()
        pid = os.fork()
        if pid == 0:
            for n in range(10_000):
                os.write(told_w, (sealed(held, f"k{n}@corp.example") + "\n").encode())
            os._exit(0)
        os.close(told_w)
        begun = os.read(told_r, 1)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(told_r, "rb") as stream:
            told = (begun + stream.read()).decode().splitlines()
        assert told
        assert all(opened(held, one) for one in told if len(one) == len(token))
    assert opened(held, token) == VALUE


def test_a_vault_travels_to_a_worker(held: Vault) -> None:
    import pickle

    one = scrubber(Mode.REVERSIBLE, held)
    again = pickle.loads(pickle.dumps(one))

    assert again.scrub(VALUE) == one.scrub(VALUE)
    assert Ring(held.ring.folder) == held.ring
