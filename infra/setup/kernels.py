"""The detectors' compiled loops, so that the first command that scans does not wait for them.

Knows nothing of detectors but that they can be warmed. Numba keeps what it compiled beside the
sources and compiles again whatever has changed since.
"""

from pathlib import Path

from progress import Progress

_ADVICE = "Run the same command again; .venv/setup.log tells what failed."


def ensure(root: Path, progress: Progress) -> None:
    command = [root / ".venv/bin/python", "-m", "halocline_governance.detect.warm"]
    progress.say("kernels", "compiling what the detectors need: up to a minute, once")
    progress.run("kernels", command, _ADVICE)
    progress.say("kernels", "compiled")
