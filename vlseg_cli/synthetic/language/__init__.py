"""The grammar: wordings, nouns, clues that tell things apart, and what they need of the facts."""
