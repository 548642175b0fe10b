"""One file per system, each the same four steps: see, read, ask, answer."""
