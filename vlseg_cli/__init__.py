"""vlseg: segments images and videos from words."""

__version__ = "0.1.0"
