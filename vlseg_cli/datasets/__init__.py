"""Data sets in the form they are published: one reader per format, all yielding ``Sample``.

A reader lists what is there when it is made and reads a picture when it is asked for its number;
``specimens/`` writes small data sets of the same form from drawn scenes.
"""
