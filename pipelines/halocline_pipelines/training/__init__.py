"""From curated rows to a trained model: tokenizer, packing, the loop, and the run around them."""
