"""Training: a recipe file is the whole experiment; mixture, loop, checkpoints, logs and curves."""
