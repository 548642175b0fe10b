"""Official state dicts to ours: pure functions over names and tensors, one table per system."""
