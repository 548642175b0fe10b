"""The systems as the training loop sees them: a batch goes in, weighted losses come out."""
