"""The grammar: templates, noun phrases, and the clues that tell items apart."""
