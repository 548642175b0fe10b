"""Training: recipe, data sources, schedule, loop, EMA, checkpoints, logs and export."""
