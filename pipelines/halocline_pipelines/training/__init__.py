"""Training: governed rows in, a labelled model folder out, with every input on record."""
