"""A real PostgreSQL server, in a folder of its own and as a user who is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Postgres:
    """Listens on a socket in `folder` and nowhere else; every login needs the password."""

    folder: Path
    binaries: Path
    owner: pwd.struct_passwd

    def url(self, database: str = "postgres") -> sa.URL:
        return sa.URL.create(
            "postgresql+psycopg", "halocline", PASSWORD, database=database,
            query={"host": str(self.folder)},
        )  # fmt: skip

    def make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        os.chown(password, self.owner.pw_uid, self.owner.pw_gid)
        self._run(
            "initdb", "-U", "halocline", "-A", "scram-sha-256", "--pwfile", password,
            "-E", "UTF8", "--locale", "C", "-N",
        )  # fmt: skip

    def start(self) -> None:
        settings = "-c listen_addresses= -c fsync=off -c authentication_timeout=2"
        options = f"-k {self.folder} {settings}"
        self._run("pg_ctl", "start", "-w", "-s", "-l", self.folder / "log", "-o", options)

    def stop(self) -> None:
        """As in a power cut."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        engine = sa.create_engine(
            self.url(database), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with engine.connect() as connection:
            done: Any = connection.execute(sa.text(statement))
            return list(done) if done.returns_rows else []

    def _run(self, program: str, *arguments: object) -> None:
        as_owner: dict[str, Any] = {}
        if os.getuid() != self.owner.pw_uid:
            as_owner = {
                "user": self.owner.pw_uid,
                "group": self.owner.pw_gid,
                "extra_groups": list[int](),
            }
        command = [self.binaries / program, "-D", self.folder / "data", *map(str, arguments)]
        with (self.folder / "out").open("w+b") as out:
            code = subprocess.call(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C"}, **as_owner,
            )  # fmt: skip
        assert code == 0, (self.folder / "out").read_text()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The server, started; a test may stop and start it."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = installed[-1] if installed else shutil.which("initdb")
    assert found, "PostgreSQL is missing: run `make setup-system`"
    owner = pwd.getpwuid(os.getuid()) if os.getuid() else pwd.getpwnam("nobody")
    # Not under pytest's folder: that is closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="halocline-pg-"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = Postgres(folder, Path(found).parent, owner)
    try:
        server.make()
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    name = f"t{uuid4().hex}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    yield postgres_server.url(name).render_as_string(hide_password=False)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")
