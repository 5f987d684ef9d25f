"""What this machine must have before anything is downloaded, and the words for what it lacks.

Knows nothing of the steps that follow. Every lack is named at once, each with its remedy.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import java
from progress import Progress, Stopped

# The environment has 8.7 GB, with what the download cache keeps beside it some 10; building OPA
# takes 2 GB more while it runs.
FRESH_GB = 13.0
CACHE_GB = 9.0
RESUMED_GB = 3.0


def check(root: Path, progress: Progress, disk_gb: float | None) -> None:
    """Returns when set-up can work here; `Stopped` otherwise."""
    lacks = [*_system(), *_venv(), *_disk(root, disk_gb)]
    fault = java.fault()
    if fault and not lacks and java.install(progress):
        fault = java.fault()
    if fault:
        lacks.append(fault)
    if lacks:
        raise Stopped(
            "Nothing was downloaded. This machine lacks:\n"
            + "\n".join("  - " + lack.replace("\n", "\n    ") for lack in lacks)
        )
    free = shutil.disk_usage(root).free / 1e9
    version = ".".join(map(str, sys.version_info[:3]))
    progress.say("machine", f"Python {version}, Java {java.version()}, {free:.0f} GB free")


def _system() -> list[str]:
    if sys.platform == "linux":
        return []
    return [f"Linux: this is {sys.platform}.\nUse a Linux machine, a container or WSL 2."]


def _venv() -> list[str]:
    if all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        return []
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return [
        f"the venv module of Python {minor} ({sys.executable}).\n"
        f"sudo apt-get install python3-venv    (or python{minor}-venv; "
        "elsewhere, your system's package of it)"
    ]


def _disk(root: Path, disk_gb: float | None) -> list[str]:
    installed = any((root / ".venv/lib").glob("python*/site-packages/torch"))
    need = disk_gb or (RESUMED_GB if installed else FRESH_GB)
    lacks = [_room(root, need, "Free some, or clone to a larger disk.")]
    cache = _existing(uv_cache())
    if not installed and cache.stat().st_dev != root.stat().st_dev:
        lacks.append(_room(cache, CACHE_GB, "Or name another place for downloads: UV_CACHE_DIR=."))
    return [lack for lack in lacks if lack]


def _room(place: Path, need_gb: float, advice: str) -> str:
    free_gb = shutil.disk_usage(place).free / 1e9
    if free_gb >= need_gb:
        return ""
    return (
        f"disk space: {place} has {free_gb:.1f} GB free, set-up needs {need_gb:.0f} GB.\n{advice}"
    )


def uv_cache() -> Path:
    chosen = os.environ.get("UV_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.absolute().parent)
