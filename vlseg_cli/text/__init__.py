"""Words to token sequences: instructions, conditions, tokenizers. No pixels, no torch."""
