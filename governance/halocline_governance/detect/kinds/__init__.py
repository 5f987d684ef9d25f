"""What structured personal data looks like, family by family; `pii.py` puts them together."""
