"""Data sets in their published form: one reader per format, yielding ``Sample`` or ``ClipSample``.

A reader lists its samples when it is created and reads one on access. ``registry`` lists all
readers by name; ``toy`` writes small data sets of the same formats from synthetic scenes.
"""
