"""Removing rows for good: orders by two people, the removal, and what cannot be removed."""

from halocline_governance.erasure.order import Order, Standing, What
from halocline_governance.erasure.room import ErasureRoom

__all__ = ["ErasureRoom", "Order", "Standing", "What"]
