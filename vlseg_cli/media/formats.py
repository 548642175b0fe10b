"""Which files are pictures and which are videos, by name; and the decoders allowed to open them.

The decoders are a closed list: Pillow also knows formats that start other programs (EPS) or read
scientific containers, and an input file must never choose those for us.
"""

# fmt: off
# Tried in this order; the frequent ones come first because Pillow imports decoders as it goes.
DECODERS: tuple[str, ...] = (
    "PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "PPM", "AVIF", "JPEG2000", "ICO", "ICNS",
    "PSD", "DDS", "QOI", "SGI", "PCX", "TGA"
)

IMAGE_EXTENSIONS: frozenset[str] = frozenset((
    ".apng", ".avif", ".bmp", ".dds", ".dib", ".gif", ".icns", ".ico", ".j2c", ".j2k", ".jfif",
    ".jp2", ".jpe", ".jpeg", ".jpg", ".jpx", ".pbm", ".pcx", ".pfm", ".pgm", ".png", ".pnm",
    ".ppm", ".psd", ".qoi", ".sgi", ".tga", ".tif", ".tiff", ".webp"
))

VIDEO_EXTENSIONS: frozenset[str] = frozenset((
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"
))
