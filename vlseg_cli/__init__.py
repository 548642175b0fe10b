"""vlseg: segments images and videos from words."""

import os

__version__ = "0.1.0"

# No library that vlseg uses may report home; each reads this when it is imported.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
