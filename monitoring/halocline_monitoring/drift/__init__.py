"""Drift between a reference and a window: cheap from partials, and as a page for people."""
