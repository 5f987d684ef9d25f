"""Removing rows for good: orders by two people, the removal, and what cannot be removed."""

from halocline_governance.erasure.order import Order, Standing, What

# The room is not here: lineage and reports, which it needs, ask `told` what is erased.
__all__ = ["Order", "Standing", "What"]
