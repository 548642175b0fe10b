"""Words to token sequences: instructions, conditions, placeholders, tokenizers. No pixels, no torch."""
