"""How scenes are planned and painted; ``synthetic.draw`` and ``synthetic.clip`` use it."""
