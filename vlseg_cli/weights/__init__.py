"""Finding, verifying and safely reading weights, and converting official state dicts to ours."""
