"""Keys of compartments: random, one file each, so that one can be destroyed without the others.

The vault's are one ring, the pseudonyms' another. Keys of a ring are numbered through the whole
installation, and a reversible token names its key by the number. Every
question reads the files again: a key that another process destroyed is gone here too.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from halocline_governance import durable, strict_json
from halocline_governance.errors import Refused

_NAME = re.compile(r"r([1-9][0-9]{0,5})\.([a-z0-9.-]+)\.key\Z")
_COMPARTMENT = re.compile(r"[a-z][a-z0-9-]{0,31}(\.[a-z][a-z0-9-]{0,31})?\Z")
_CROSSED = "x."
_NUM_BYTES = 32
_GONE = bytes(_NUM_BYTES)


@dataclass(frozen=True, slots=True)
class VaultKey:
    """One key of one compartment; its representation does not show it."""

    number: int
    compartment: str
    secret: bytes = field(repr=False)

    def derive(self, use: str, num_bytes: int) -> bytes:
        """HKDF-SHA256 (RFC 5869), for one use of it."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = b"\0".join((b"halocline vault", use.encode()))
        return HKDF(algorithm=SHA256(), length=num_bytes, salt=None, info=info).derive(self.secret)


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys in a folder, `r<number>.<compartment>.key`: only those that are wanted are read.

    Args:
        folder: of mode 0700, made when it is needed.
        crossings: whether compartments of crossings have keys too.
    """

    folder: Path
    crossings: bool = False

    def live(self, compartment: str | None = None) -> list[VaultKey]:
        """Keys that are not destroyed, by number: all, or a compartment's.

        Raises:
            Refused: a file is none of ours, or others may read it.
        """
        names = self._names()
        wanted = [one for one in names if compartment in (None, one[1])]
        return [key for one in wanted if (key := self._read(*one)) is not None]

    def key(self, number: int) -> VaultKey | None:
        """The key of this number; None when there is none, or none any more."""
        found = [one for one in self._names() if one[0] == number]
        return self._read(*found[0]) if found else None

    def current(self, compartment: str) -> VaultKey:
        """The key that seals there now, made when there is none.

        Raises:
            Refused: no compartment that may have a vault, or as `live`.
        """
        check_compartment(compartment, crossings=self.crossings)
        return self._newest(compartment) or self._make(compartment, anew=False)

    def rotate(self, compartment: str) -> VaultKey:
        """A new key that seals from now on. The older ones still open what they sealed."""
        check_compartment(compartment, crossings=self.crossings)
        return self._make(compartment, anew=True)

    def destroy(self, compartment: str) -> list[int]:
        """Overwrite every key of a compartment; their numbers. What they sealed cannot be opened
        again, by anybody. A number is never used twice."""
        with self._locked():
            gone = self.live(compartment)
            for key in gone:
                self._overwrite(key)
        return [key.number for key in gone]

    def _newest(self, compartment: str) -> VaultKey | None:
        mine = [one for one in self._names() if one[1] == compartment]
        return next((key for one in reversed(mine) if (key := self._read(*one))), None)

    def _make(self, compartment: str, *, anew: bool) -> VaultKey:
        with self._locked():
            # Another process may have made it while we waited.
            if not anew and (found := self._newest(compartment)):
                return found
            number = max((number for number, _ in self._names()), default=0) + 1
            key = VaultKey(number, compartment, secrets.token_bytes(_NUM_BYTES))
            durable.create(self._file(number, compartment), _content(key))
        return key

    def _overwrite(self, key: VaultKey) -> None:
        """In place, so that the old blocks do not stay behind a new file."""
        gone = _content(VaultKey(key.number, key.compartment, _GONE)).encode()
        handle = os.open(
            self._file(key.number, key.compartment), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        )
        try:
            os.pwrite(handle, gone, 0)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _file(self, number: int, compartment: str) -> Path:
        return self.folder / f"r{number}.{compartment}.key"

    def _names(self) -> list[tuple[int, str]]:
        names: list[str] = []
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(self.folder)
        return sorted((int(m[1]), m[2]) for name in names if (m := _NAME.match(name)))

    def _read(self, number: int, compartment: str) -> VaultKey | None:
        path = self._file(number, compartment)
        key = _parsed(number, path)
        if key.compartment != compartment:
            raise Refused(f"{path.name} is another compartment's key: give it its name back")
        return key if key.secret != _GONE else None

    @contextmanager
    def _locked(self) -> Generator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(self.folder / "lock", flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def check_compartment(name: str, *, crossings: bool = False) -> None:
    """
    Args:
        crossings: whether a crossing's own compartment will do.

    Raises:
        Refused: no compartment, or a crossing's own, whose walls only its rows' labels tell.
    """
    if not _COMPARTMENT.match(name) or (name.startswith(_CROSSED) and not crossings):
        raise Refused("a vault is a side's, a tenant's or the public compartment's: side[.tenant]")


def _content(key: VaultKey) -> str:
    told = {"compartment": key.compartment, "secret": key.secret.hex()}
    return json.dumps(told, sort_keys=True) + "\n"


def _parsed(number: int, path: Path) -> VaultKey:
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path.name} can be read by others; run: chmod 600 {path}")
    try:
        told = strict_json.loads(path.read_bytes())
        key = VaultKey(number, str(told["compartment"]), bytes.fromhex(told["secret"]))
    except (ValueError, TypeError, KeyError):
        raise Refused(
            f"{path.name} is no key of a vault: put back the one that was there"
        ) from None
    if len(key.secret) != _NUM_BYTES:
        raise Refused(f"{path.name} is no key of a vault: put back the one that was there")
    return key
