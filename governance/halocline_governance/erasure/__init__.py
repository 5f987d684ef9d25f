"""Removing rows for good: orders by two people, the removal, and what cannot be removed."""
