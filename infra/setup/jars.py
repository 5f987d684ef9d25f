"""JARs for Spark, resolved once and held to their hashes: Delta's into `.venv/jars`, by jars.xml
and jars.sha256. A second set, jars-s3, is Hadoop's S3 client.

Uses the Ivy that pyspark carries, with its own defaults or the settings file it is given.
"""

import hashlib
import shutil
import time
from pathlib import Path

import java
from progress import Progress, Stopped

_TRIES = 3


def ensure(root: Path, progress: Progress, ivy_settings: Path | None, name: str = "jars") -> None:
    folder = root / ".venv" / name
    expected = _expected(root, name)
    if folder.is_dir() and not _differences(folder, expected):
        progress.say("jars", f"{len(expected)} JARs are there, hashes match")
        return
    fresh = root / f".venv/{name}.new"
    _resolve(root, fresh, progress, ivy_settings, name)
    faults = _differences(fresh, expected)
    if faults:
        shutil.rmtree(fresh)
        raise Stopped(
            f"jars: what Ivy brought is not what infra/setup/{name}.sha256 names:\n"
            + "\n".join(f"    {fault}" for fault in faults)
            + "\nNothing of it was kept. Ask whoever runs the repository Ivy reads from."
        )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    progress.say("jars", f"{len(expected)} JARs for Spark in {folder}, hashes match")


def _resolve(
    root: Path, fresh: Path, progress: Progress, ivy_settings: Path | None, name: str
) -> None:
    found = sorted((root / ".venv/lib").glob("python*/site-packages/pyspark/jars/ivy-2*.jar"))
    if not found:
        raise Stopped("jars: pyspark carries no Ivy here. Remove .venv and run set-up again.")
    cache = root / f".venv/ivy-{name}"
    command: list[str | Path] = [java.executable() or "java", *java.proxy(), "-jar", found[0]]
    command += ["-novalidate", "-error", "-cache", cache, "-confs", "default"]
    command += ["-ivy", root / f"infra/setup/{name}.xml", "-types", "jar", "bundle"]
    command += ["-retrieve", str(fresh / "[artifact]-[revision].[ext]")]
    if ivy_settings:
        command += ["-settings", ivy_settings]
    advice = (
        "The JARs come from Maven Central. Behind a proxy, set https_proxy; with a mirror of your\n"
        "own, name its Ivy settings: make setup IVY_SETTINGS=ivysettings.xml"
    )
    for attempt in range(1, _TRIES + 1):
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            progress.run("jars", command, advice)
        except Stopped:
            if attempt == _TRIES:
                raise
            progress.say("jars", f"Ivy failed, trying again ({attempt} of {_TRIES - 1})")
            time.sleep(attempt)
        else:
            shutil.rmtree(cache, ignore_errors=True)
            return


def _expected(root: Path, name: str = "jars") -> dict[str, str]:
    lines = (root / f"infra/setup/{name}.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _differences(folder: Path, expected: dict[str, str]) -> list[str]:
    """Each JAR that is missing, altered or not in the list: Spark would load whatever lies here."""
    there = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    missing = [f"{name}: missing" for name in expected if name not in there]
    strange = [f"{name}: not in the list" for name in there if name not in expected]
    altered = [
        f"{name}: another hash"
        for name, digest in expected.items()
        if name in there and hashlib.sha256(there[name].read_bytes()).hexdigest() != digest
    ]
    return missing + strange + altered
