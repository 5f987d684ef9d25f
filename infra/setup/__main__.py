"""Set-up: checks the machine, then makes `.venv` from the lock, with Delta's JARs and OPA in it,
and compiles the detectors' loops.

Runs before the environment exists, so it needs nothing but Python. Each step is skipped when its
result is there, so a killed run is finished by running it again. Called by `make setup`.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import jars
import machine
import opa
import packages
from progress import Progress, Stopped

import kernels


def main() -> int:
    options = _options()
    root = Path(__file__).resolve().parents[2]
    progress = Progress(root, root / ".venv/setup.log")
    try:
        machine.check(root, progress, options.disk_gb)
        if not options.check:
            with _alone(root, progress):
                _set_up(root, progress, options.ivy_settings)
    except Stopped as stopped:
        print(f"\nSet-up stopped. {stopped}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up interrupted. Run the same command to go on.", file=sys.stderr)
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra/setup/run", description=__doc__)
    parser.add_argument("--check", action="store_true", help="check the machine and do nothing")
    parser.add_argument("--disk-gb", type=float, help="free disk space to insist on")
    parser.add_argument("--ivy-settings", type=Path, help="where Ivy finds the JARs, if not Maven")
    return parser.parse_args()


def _set_up(root: Path, progress: Progress, ivy_settings: Path | None) -> None:
    stamp = root / ".venv/setup.stamp"
    stamp.unlink(missing_ok=True)
    packages.ensure(root, progress)
    jars.ensure(root, progress, ivy_settings)
    opa.ensure(root, progress)
    kernels.ensure(root, progress)
    stamp.touch()
    progress.say("ready", "next: make demo")


@contextmanager
def _alone(root: Path, progress: Progress) -> Generator[None]:
    """One set-up per clone at a time: `make demo` and `make test` may both have started one."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("waiting", "another set-up of this clone is running")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main())
