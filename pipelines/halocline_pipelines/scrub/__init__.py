"""Personal values and secrets out of a text, keyed pseudonyms in their place."""
