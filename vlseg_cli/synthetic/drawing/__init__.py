"""How scenes are planned and painted; ``worlds.draw`` and ``worlds.clip`` put it together."""
