"""What scrubbing costs beside scanning: MB/s of one core by mode, over filings and over texts that
are full of values; a batch's rewrite alone, whose verdicts are known and that is scanned again as
the law wants it; and what the vault adds.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.detecting import blindset, machine, readers
from bench.detecting.corpus import filings

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.scrub import Mode, Scrubber, Scrubbing
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_governance.scrub.ring import Ring
from halocline_governance.scrub.vault import Vault

KEY = PseudonymKey.derive(b"b" * 32, "buy")
DETECTORS = (PiiDetector(), SecretDetector())


def main() -> None:
    readers.quiet()
    name, column = filings(max(20 * machine.SCALE, 1))
    dense = [one.text for one in blindset.blind(size=max(int(4_000 * machine.SCALE), 150))]
    told: dict[str, Any] = {}
    for what, texts in ((name, Texts.of_arrow(column)), ("blind set", Texts.of(dense))):
        told[what] = {"bytes": texts.num_bytes, **measured(texts)}
        print(what, told[what], file=sys.stderr, flush=True)
    print(json.dumps(told))


def measured(texts: Texts) -> dict[str, Any]:
    found = [one.scan_batch(texts) for one in DETECTORS]
    figures: dict[str, Any] = {
        "findings": sum(one.count() for one in found),
        "scan_mb_s": round(
            machine.rate(lambda: [one.scan_batch(texts) for one in DETECTORS], texts.num_bytes), 2
        ),
    }
    for mode in Mode:
        with tempfile.TemporaryDirectory() as folder:
            vault = Vault(Path(folder) / "vault", Ring(Path(folder) / "keys"))
            one = Scrubber(DETECTORS, KEY, Scrubbing(mode), vault)
            figures[mode.value] = {
                "scan_and_scrub_mb_s": round(
                    machine.rate(lambda one=one: one.scrub_batch(texts), texts.num_bytes), 2
                ),
                "after_the_scan_mb_s": round(
                    machine.rate(lambda one=one: one.scrub_batch(texts, found), texts.num_bytes), 2
                ),
                "replaced": sum(
                    row.count for row in one.scrub_batch(texts, found).changed.values()
                ),
            }
    return figures


if __name__ == "__main__":
    main()
