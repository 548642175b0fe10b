"""The systems in use: frames and prompts in, predictions and words out."""
