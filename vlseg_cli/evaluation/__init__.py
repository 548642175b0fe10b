"""Measuring: one file per metric (NumPy in, numbers out), benchmarks that run them, and reports."""
