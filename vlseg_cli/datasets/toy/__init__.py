"""Toy data: small data sets in the published formats, made of synthetic scenes."""
