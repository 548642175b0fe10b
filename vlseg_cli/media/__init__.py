"""Sources: images and videos from anywhere; color, orientation, time and limits seen to."""

from vlseg_cli.media.decoder import Decoder
from vlseg_cli.media.formats import is_video
from vlseg_cli.media.image import read_image, read_mask
from vlseg_cli.media.limits import Limits
from vlseg_cli.media.protocol import Request
from vlseg_cli.media.sources import list_inputs

__all__ = [
    "Decoder",
    "Limits",
    "Request",
    "is_video",
    "list_inputs",
    "read_image",
    "read_mask",
]
