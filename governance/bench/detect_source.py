"""False alarms of the secrets detector on source text, a MB, beside detect-secrets.

    cd governance && python -m bench.detect_source [FOLDER]

FOLDER is the installed Python packages unless told otherwise; every seventh text file is read, up
to 60 MB, by detect-secrets the first 6 MB of them. What is marked there is counted, not judged.
"""

import sys
import sysconfig
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.secrets import SecretDetector

KINDS = (".py", ".js", ".json", ".md", ".txt", ".toml", ".cfg", ".yaml", ".html", ".css")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("purelib"))
    paths = sorted(path for path in folder.rglob("*") if path.suffix in KINDS)[::7]
    texts = Texts.of(read(paths, 60_000_000))
    detector = SecretDetector()
    detector.scan("warm")
    began = time.process_time()
    verdicts = detector.scan_batch(texts)
    took = time.process_time() - began
    size = texts.num_bytes / 1e6
    kinds = Counter([verdicts.kinds[int(code)] for code in verdicts.codes])
    print(f"ours: {verdicts.count()} in {size:.1f} MB {dict(kinds)}, {size / took:.1f} MB/s")
    few = list(zip(paths, read(paths, 6_000_000), strict=False))
    size = sum(len(data) for _, data in few) / 1e6
    began = time.process_time()
    marked = sum(theirs(path) for path, _ in few)
    took = time.process_time() - began
    print(f"detect-secrets: {marked} in {size:.1f} MB, {size / took:.2f} MB/s")


def read(paths: list[Path], limit: int) -> list[bytes]:
    rows: list[bytes] = []
    size = 0
    for path in paths:
        data = path.read_bytes()
        size += len(data)
        if size > limit:
            break
        rows.append(data)
    return rows


def theirs(path: Path) -> int:
    """With its default plugins and filters."""
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    with default_settings():
        return len(list(cast("Any", scan_file)(str(path))))


if __name__ == "__main__":
    main()
