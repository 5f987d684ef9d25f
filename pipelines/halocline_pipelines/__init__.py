"""Data's way in: ingest, curation on Spark, mixtures, training runs."""
