"""The benchmarks of the five papers' tables: plain data, one file per family.

``table.py`` lists them all; ``published.toml`` holds the papers' numbers.
"""
