"""Quality signals of texts, all from one pass; thresholds live in recipes.

Words are runs between white space, as in datatrove's and the papers' counts for English text.
"""

from halocline_governance.detect.quality.measure import VERSION, signals, table
from halocline_governance.detect.quality.signal import DUPLICATE_GRAMS, TOP_GRAMS, Signal

__all__ = ["DUPLICATE_GRAMS", "TOP_GRAMS", "VERSION", "Signal", "signals", "table"]
