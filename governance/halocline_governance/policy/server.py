"""An OPA server of our own: a child on a loopback port with a token, gone when we are gone.

The token exists in memory only; what OPA gets is its hash. The bundle lies in a private folder
until it is loaded. Knows nothing of gates; `client` asks the questions.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.policy import signing
from halocline_governance.policy.archive import Archive, packed
from halocline_governance.policy.bundle import Bundle, layout
from halocline_governance.policy.client import DEADLINE_S, Address, Remote

START_TIMEOUT_S = 20.0
_LEASH = Path(__file__).with_name("leash.py")
_LISTENING = "0A"


def start(
    binary: Path,
    bundle: Bundle,
    *,
    signed: Archive | None = None,
    timeout_s: float = START_TIMEOUT_S,
    deadline_s: float = DEADLINE_S,
) -> Remote:
    """Start OPA on this bundle and wait until it answers.

    Args:
        binary: OPA 1.19.1 or newer.
        bundle: what it decides by.
        signed: the signed archive that the bundle came in; OPA checks its signature once more.
        timeout_s: how long the start may take.
        deadline_s: how long one answer may take afterwards.

    Raises:
        Refused: the binary cannot be run, or OPA refuses the policies.
        PolicyUnavailable: it does not answer in time.
    """
    token = secrets.token_urlsafe(32)
    with (
        tempfile.TemporaryDirectory(prefix="halocline-opa-") as name,
        tempfile.TemporaryFile() as log,
    ):
        folder = Path(name)
        arguments = _lay_out(folder, bundle, signed, token)
        child = Child([str(binary.resolve()), *arguments], folder, log)
        try:
            where = Address("127.0.0.1", _port(child, timeout_s), tls=False, token=token)
            engine = Remote(
                where,
                bundle.revision,
                name=f"OPA server ({binary})",
                deadline_s=deadline_s,
                on_close=child.close,
            )
            engine.wait(timeout_s, is_alive=child.is_alive)
        except PolicyUnavailable:
            child.close()
            raise _told(log, binary) from None
    return engine


class Child:
    """A process that dies with us. The kernel ties it to the *thread* that started it, so a thread
    of its own starts it and stays until it ends."""

    def __init__(self, command: list[str], folder: Path, log: IO[bytes]) -> None:
        started: SimpleQueue[subprocess.Popen[bytes] | OSError] = SimpleQueue()

        def tend() -> None:
            try:
                process = _spawn(command, folder, log)
            except OSError as error:
                started.put(error)
                return
            started.put(process)
            process.wait()

        self._thread = threading.Thread(target=tend, name="opa", daemon=True)
        self._thread.start()
        process = started.get()
        if isinstance(process, OSError):
            raise Refused(f"OPA cannot be started: {process.strerror}; run set-up again")
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.returncode is None and self._thread.is_alive()

    def close(self) -> None:
        """End it, and wait until it is gone."""
        self._process.kill()
        self._thread.join()


def _spawn(command: list[str], folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # Nothing of our environment: a policy could read it, and a proxy setting would leave a trace.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={"HOME": str(folder)},
        cwd="/",
        start_new_session=True,  # Ctrl-C is for us: our last acts still need decisions
    )


def _lay_out(folder: Path, bundle: Bundle, signed: Archive | None, token: str) -> list[str]:
    """Write what OPA loads; the arguments that have it loaded."""
    # Packed anew from what was checked: no other reading of the same file can sneak in.
    content = packed(signed.files if signed else layout(bundle, epoch=0))
    (folder / "bundle.tar.gz").write_bytes(content)
    access = hashlib.sha256(token.encode()).hexdigest()
    config = folder / "config.json"
    config.write_text(json.dumps({"labels": {"access": access}}), encoding="utf-8")
    checks: list[str] = []
    if signed is not None and signed.key is not None:
        key = folder / "policy.pub"
        key.write_bytes(signing.pem(signed.key))
        checks = ["--verification-key", str(key), "--signing-alg", signing.ALGORITHM]
    return [
        *("run", "--server", "--addr", "127.0.0.1:0", "--bundle", str(folder / "bundle.tar.gz")),
        *("--config-file", str(config), *checks),
        *("--authentication", "token", "--authorization", "basic"),
        *("--log-level", "error", "--skip-version-check"),
    ]


def _port(child: Child, timeout_s: float) -> int:
    """The port on which the child itself listens, read from the kernel, so no other process can
    have taken it between choosing and binding."""
    ends = time.monotonic() + timeout_s
    while child.is_alive() and time.monotonic() < ends:
        ports = _listening(child.pid)
        if ports:
            return ports[0]
        time.sleep(0.01)
    raise PolicyUnavailable(f"the policy server did not listen within {timeout_s:g} s")


def _listening(pid: int) -> list[int]:
    proc = Path("/proc") / str(pid)
    try:
        links = [os.readlink(entry) for entry in (proc / "fd").iterdir()]
        lines = (proc / "net" / "tcp").read_text().splitlines()[1:]
    except OSError:
        return []
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [line.split() for line in lines]
    return [int(r[1].split(":")[1], 16) for r in rows if r[3] == _LISTENING and r[9] in sockets]


def _told(log: Any, binary: Path) -> Refused:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    said = lines[0][:300] if lines else "it said nothing"
    return Refused(
        f"OPA did not start: {said}; `{binary} version` must say 1.19.1 or newer, and"
        " `halocline policy lint` find nothing"
    )
