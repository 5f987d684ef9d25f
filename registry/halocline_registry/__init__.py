"""Models as signed packages, promoted by a ledger. Imports nothing heavy; MLflow loads lazily."""
