"""Inputs: files listed, images and videos decoded to upright RGB frames within limits.

``sources`` lists files; ``formats`` and ``limits`` say what is accepted; ``image`` decodes images
(EXIF orientation, color); ``video``, ``decoding``, ``container`` and ``seek`` decode videos;
``random_access`` reads single frames; ``probe`` reads headers. ``decoder`` runs all of it in a
child process (``decoder_process``, ``decoder_child``, ``protocol``).
"""

from vlseg_cli.media.decoder import Decoder, read_mask
from vlseg_cli.media.formats import is_video
from vlseg_cli.media.image import read_image
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
