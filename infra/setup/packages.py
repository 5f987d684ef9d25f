"""The virtual environment and the packages in it, exactly those of requirements.lock.

Knows nothing of Java or OPA. Killed at any point, the next run finishes what it left.
"""

import ast
import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from progress import Progress

_NETWORK = (
    "If the network or the package index was the cause, run the same command again: what was\n"
    "downloaded is kept. A hash that does not match is never installed."
)


def ensure(root: Path, progress: Progress) -> None:
    environment = root / ".venv"
    python = environment / "bin/python"
    _ensure_venv(environment, progress)
    tools = root / "infra/setup/uv.lock"
    pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", tools]
    progress.run("uv", pip, _NETWORK)
    _ensure_locked(root, environment, progress)


def _ensure_venv(environment: Path, progress: Progress) -> None:
    if _fit(environment / "bin/python"):
        progress.say("venv", f"{environment} is there")
        return
    advice = f"Remove {environment} and run the same command again."
    progress.run("venv", [sys.executable, "-m", "venv", "--clear", environment], advice)
    progress.say("venv", f"made {environment}")


def _fit(python: Path) -> bool:
    """Whether the environment there is whole and of the Python that was chosen."""
    if not python.exists():
        return False
    probe = "import sys, pip; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", probe], capture_output=True, text=True)
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _ensure_locked(root: Path, environment: Path, progress: Progress) -> None:
    unfinished = environment / ".unfinished"
    if unfinished.exists():
        _forget_broken(environment, progress)
    unfinished.touch()
    uv, python = environment / "bin/uv", environment / "bin/python"
    settings = _uv_settings(python)
    target = ["--python", python]
    lock = ["--require-hashes", "--compile-bytecode", root / "requirements.lock"]
    if not any(environment.glob("lib/python*/site-packages/torch")):
        progress.say("packages", "from requirements.lock: 4 GB to download, 8.6 GB on disk")
    progress.run("packages", [uv, "pip", "sync", *target, *lock], _NETWORK, settings)
    editable = ["--no-deps", "--no-build-isolation", "--editable", root]
    progress.run("packages", [uv, "pip", "install", *target, *editable], _NETWORK, settings)
    unfinished.unlink()
    progress.say("packages", "all in place")


def _forget_broken(environment: Path, progress: Progress) -> None:
    """After a kill: uv takes a half-copied package for an installed one, so strike its record."""
    broken = [
        info
        for info in environment.glob("lib/python*/site-packages/*.dist-info")
        if not _whole(info)
    ]
    for info in broken:
        shutil.rmtree(info)
    progress.say("packages", f"an earlier run was cut short: {len(broken)} packages to lay anew")


def _whole(info: Path) -> bool:
    """Whether every file this package's record names is there in its full size."""
    record = info / "RECORD"
    if not record.exists():
        return False
    with record.open(newline="") as lines:
        for name, _, size in csv.reader(lines):
            path = info.parent / name
            if not path.exists() or (size and path.stat().st_size != int(size)):
                return False
    return True


def _uv_settings(python: Path) -> Mapping[str, str]:
    """uv reads none of pip's configuration: hand on the index and the certificate pip would use."""
    settings = {"UV_HTTP_TIMEOUT": os.environ.get("UV_HTTP_TIMEOUT", "180")}
    listed = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True
    ).stdout
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "cert": "SSL_CERT_FILE",
    }
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = names.get(key.rpartition(".")[2])
        if name and name not in os.environ:
            settings[name] = str(ast.literal_eval(value))
    return settings
