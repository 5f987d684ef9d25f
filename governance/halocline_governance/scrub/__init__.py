"""Findings out of a text, and something that tells less in their place.

`Scrubber` rewrites, `Scrubbing` says what is put where, the vault keeps what may be revealed, and
`reveal` gives it back to who may have it, recorded first. Importing this loads no framework.
"""

from halocline_governance.scrub.mode import Mode, Scrubbing
from halocline_governance.scrub.offsets import OffsetMap
from halocline_governance.scrub.scrubber import Scrubbed, Scrubber

__all__ = ["Mode", "OffsetMap", "Scrubbed", "Scrubber", "Scrubbing"]
