"""Sources into `raw.documents`: whatever it is, it comes through the ingest gate with a label."""
