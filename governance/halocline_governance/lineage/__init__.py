"""Lineage: dataset versions, mixtures, runs, models and deployments, and the way between them."""
