"""Real S3 servers with two buckets and a user for each: SeaweedFS, and versitygw where it is."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest

from halocline_governance.lake import Lake
from halocline_governance.lake.places import Place
from halocline_governance.lake.signature import signed

SIDES = ("buy", "sell")
REGION = "us-east-1"
# What docs/object-storage.md gives as the least that a compartment's user needs.
ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListBucket",
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True)
class User:
    """Somebody with a key, and a client that sends a path as it is, dots and all."""

    name: str
    endpoint: str
    credential_file: Path

    @property
    def bucket(self) -> str:
        return bucket(self.name)

    @property
    def place(self) -> Place:
        return Place(self.bucket, "lake", self.endpoint, REGION, self.credential_file)

    def ask(
        self, method: str, path: str, query: str = "", content: bytes = b"", **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = signed(self.place, method, path, query, named, content)
        return send(self.endpoint, method, path, query, content, sent)


class Server(ABC):
    """One S3 server in a folder of its own, on ports of this machine's loopback."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder = folder
        self.binary = binary
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.keys = {name: (f"{name}key", secrets.token_hex(16)) for name in ("root", *SIDES)}
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def confine(self) -> None:
        """Let each side's user into its own bucket, and nowhere else."""

    @abstractmethod
    def revoke(self, name: str) -> None:
        """Take a user's key away."""

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._child = subprocess.Popen(self.command(), stdout=log, stderr=log)
        root = self.user("root")
        wait_until(lambda: root.ask("GET", "/").status == 200)

    def kill(self) -> None:
        """As in a power cut."""
        if self._child:
            self._child.kill()
            self._child.wait()

    def prepare(self) -> None:
        for name in SIDES:
            done = self.user("root").ask("PUT", f"/{bucket(name)}")
            assert done.status == 200, done
        self.confine()
        for name in SIDES:
            user = self.user(name)
            wait_until(
                lambda user=user: user.ask("GET", f"/{user.bucket}/", "list-type=2").status == 200
            )

    def user(self, name: str) -> User:
        key, secret = self.keys[name]
        path = self.folder / f"{name}.credential"
        write_credential(path, key, secret)
        return User(name, self.endpoint, path)

    def lake(self, home: Path, *credentials: str) -> Lake:
        """A lake that knows both buckets, and has the credentials of some."""
        home.mkdir(mode=0o700, exist_ok=True)
        for name in credentials:
            write_credential(home / f"{name}.credential", *self.keys[name])
        places = {
            name: {
                "place": f"s3://{bucket(name)}/lake",
                "endpoint": self.endpoint,
                "region": REGION,
                "credential": f"{name}.credential",
            }
            for name in SIDES
        }
        write_private(home / "lake.yaml", json.dumps({"compartments": places}))
        return Lake.at(home)


class SeaweedFS(Server):
    def command(self) -> list[str]:
        self._write_users()
        ports = {"master": free_port(), "volume": free_port(), "filer": free_port()}
        (self.folder / "data").mkdir(exist_ok=True)
        return [
            str(self.binary), "server", "-ip=127.0.0.1", f"-dir={self.folder / 'data'}",
            "-filer", "-s3", f"-s3.config={self.folder / 's3.json'}", f"-s3.port={self.port}",
            *(f"-{name}.port={port}" for name, port in ports.items()),
            f"-filer.localSocket={self.folder / 'filer.sock'}", "-s3.port.iceberg=0",
            "-s3.port.lance=0", "-volume.max=20", "-master.volumeSizeLimitMB=64",
        ]  # fmt: skip

    def confine(self) -> None:
        pass  # users and what they may do are in the file that it starts with

    def revoke(self, name: str) -> None:
        self.keys.pop(name)
        self.kill()
        self.start()

    def _write_users(self) -> None:
        may = {name: [f"{do}:{bucket(name)}" for do in ("Read", "Write", "List")] for name in SIDES}
        users = [
            {
                "name": name,
                "credentials": [{"accessKey": key, "secretKey": secret}],
                "actions": may.get(name, ["Admin"]),
            }
            for name, (key, secret) in self.keys.items()
        ]
        write_private(self.folder / "s3.json", json.dumps({"identities": users}))


class VersityGW(Server):
    def command(self) -> list[str]:
        for name in ("data", "versions", "iam"):
            (self.folder / name).mkdir(exist_ok=True)
        key, secret = self.keys["root"]
        return [
            str(self.binary), "--port", f"127.0.0.1:{self.port}", "--access", key,
            "--secret", secret, "--iam-dir", str(self.folder / "iam"), "--iam-cache-disable",
            "--quiet", "posix", "--versioning-dir", str(self.folder / "versions"),
            str(self.folder / "data"),
        ]  # fmt: skip

    def confine(self) -> None:
        for name in SIDES:
            key, secret = self.keys[name]
            self._admin("create-user", "--access", key, "--secret", secret, "--role", "user")
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement(name, key)]})
            done = self.user("root").ask(
                "PUT", f"/{bucket(name)}", "policy=", content=policy.encode()
            )
            assert done.status in (200, 204), done

    def revoke(self, name: str) -> None:
        self._admin("delete-user", "--access", self.keys.pop(name)[0])

    def _admin(self, *arguments: str) -> None:
        key, secret = self.keys["root"]
        login = ["--access", key, "--secret", secret, "--endpoint-url", self.endpoint]
        subprocess.run([self.binary, "admin", *login, *arguments], check=True, timeout=20)


@dataclass
class Servers:
    """Started once each; a test that breaks one asks for a fresh one."""

    name: str
    binary: Path
    kind: type[Server]
    folders: Callable[[str], Path]
    running: list[Server] = field(default_factory=list[Server])

    def fresh(self) -> Server:
        server = self.kind(self.folders(self.kind.__name__), self.binary)
        self.running.append(server)
        server.start()
        server.prepare()
        return server


KINDS = {"weed": SeaweedFS, "versitygw": VersityGW}


def installed(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.prefix) / "bin")) or shutil.which(name)


# One is needed, and `make setup-system` installs SeaweedFS; the other is tested too where it is.
@pytest.fixture(scope="session", params=[name for name in KINDS if installed(name)] or ["weed"])
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    name = str(request.param)
    found = installed(name)
    assert found, "no S3 server: run `make setup-system`"
    servers = Servers(name, Path(found), KINDS[name], tmp_path_factory.mktemp)
    yield servers
    for server in servers.running:
        server.kill()


@pytest.fixture(scope="session")
def server(servers: Servers) -> Server:
    """One that no test breaks."""
    return servers.fresh()


def bucket(name: str) -> str:
    return f"halocline-{name}"


def statement(name: str, key: str) -> dict[str, object]:
    arn = f"arn:aws:s3:::{bucket(name)}"
    return {
        "Effect": "Allow",
        "Principal": {"AWS": [key]},
        "Action": list(ACTIONS),
        "Resource": [arn, f"{arn}/*"],
    }


def send(
    endpoint: str, method: str, path: str, query: str, content: bytes, headers: dict[str, str]
) -> Answer:
    connection = HTTPConnection(endpoint.partition("://")[2], timeout=20)
    try:
        target = path + (f"?{query}" if query else "")
        connection.request(method, target, body=content or None, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()


def write_credential(path: Path, key: str, secret: str) -> None:
    write_private(path, f"access_key_id: {key}\nsecret_access_key: {secret}\n")


def write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def wait_until(is_so: Callable[[], bool], limit_s: float = 30) -> None:
    """Try until it is so; a server that is starting refuses or drops connections."""
    ends = time.monotonic() + limit_s
    while True:
        try:
            if is_so():
                return
        except OSError:
            pass
        assert time.monotonic() < ends, "the S3 server did not come up"
        time.sleep(0.1)


def free_port() -> int:
    """One whose twin 10,000 above, which SeaweedFS takes as well, is free too."""
    while True:
        port = 12_000 + secrets.randbelow(18_000)
        try:
            for number in (port, port + 10_000):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
