"""Duplicates: exact by content, near by MinHash; within one compartment and never up a label."""
