"""Mode 1: Spark and Delta alone, with the filter that a careful hand would write.

Attacks that go by the files serve against the library too: a job that holds files holds them.
"""

from __future__ import annotations

import bypass_bare_known
import bypass_bare_own
from bypass_by_hand import BARE, texts

ATTACKS = (bypass_bare_known, bypass_bare_own)
"""Importing them fills the list."""

__all__ = ["ATTACKS", "BARE", "texts"]
