"""Files are whole or not there, whoever writes them at once, and the owner's alone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from halocline_governance import durable


def test_what_is_read_while_many_write_is_always_one_of_them_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write(path, b"0" * 100_000)
    torn: list[bytes] = []
    stopped = threading.Event()

    def read() -> None:
        while not stopped.is_set():
            content = path.read_bytes()
            if len(content) != 100_000 or len(set(content)) != 1:
                torn.append(content)

    def write(letter: bytes) -> None:
        for _ in range(30):
            durable.write(path, letter * 100_000)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(bytes([65 + n]),)) for n in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stopped.set()
    reader.join()
    assert torn == []
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("made", [durable.write, durable.create])
def test_a_file_is_the_owner_s_alone_whatever_the_mask_and_what_was_left(
    tmp_path: Path, made: object
) -> None:
    path = tmp_path / "file"
    left = tmp_path / f".file.{os.getpid()}.{threading.get_ident()}"
    left.touch()
    left.chmod(0o666)
    before = os.umask(0)
    try:
        assert callable(made)
        made(path, "naïve")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == "naïve".encode()
    assert os.listdir(tmp_path) == ["file"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "file").symlink_to(tmp_path / "other")

    assert not durable.create(tmp_path / "file", "mine")
    durable.write(tmp_path / "file", "mine")

    assert (tmp_path / "other").read_text() == "other"
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_text() == "mine"


def test_what_cannot_be_put_there_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)

    with pytest.raises(OSError, match="folder"):
        durable.write(tmp_path / "folder", "text")
    assert os.listdir(tmp_path) == ["folder"]


def test_of_many_that_create_one_file_one_does(tmp_path: Path) -> None:
    made: list[str] = []

    def create(text: str) -> None:
        if durable.create(tmp_path / "file", text):
            made.append(text)

    threads = [threading.Thread(target=create, args=(str(n),)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [(tmp_path / "file").read_text()]
    assert os.listdir(tmp_path) == ["file"]
