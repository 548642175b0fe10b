"""Text to token sequences: tokenizer, placeholders, assembled prompts. No pixels, no torch."""
