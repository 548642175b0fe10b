"""The wide language, of every hand but the first: its frames stand in ``frames.toml``."""
