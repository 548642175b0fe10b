"""One reader per on-disk format, each yielding schema.Sample."""
