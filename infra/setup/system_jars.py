"""Hadoop's S3 client for Spark, into `.venv/jars-s3`: `infra/setup/system s3-jars` calls this."""

import os
import sys
from pathlib import Path

import jars
from progress import Progress, Stopped


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    settings = os.environ.get("IVY_SETTINGS")
    progress = Progress(root, root / ".venv/setup-system.log")
    try:
        jars.ensure(root, progress, Path(settings) if settings else None, "jars-s3")
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
