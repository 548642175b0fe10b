"""Drawings written as data: one line per part, in the ``*.toml`` files of this folder.

A table per category holds what its drawings share, and a table per drawing:

    [kettle]
    height = 0.14                 # usual height near the camera, units
    colors = "goods"              # a key of ``COLOR_SETS``, or a list of color words
    tilt = 3                      # largest angle, degrees
    [kettle.whistling]
    aspect = [1.0, 1.2]           # range of width / height
    held_out = true               # drawn by held-out hands alone
    top = [0.1, 0.9, 0.0]         # surface for other objects: left, right, y
    variant = 1                   # only where a scene type asks for this variant, or for any
    height = 0.2                  # instead of the category's
    parts = '''
    trim = black|steel            # a color of the drawing's own: one of several, chosen once
    blob main .1,1 .05,.5 .5,.1 .95,.5 .9,1
    curve trim .06 .2,.3 .5,-.05 .8,.3  ?.5
    '''

A part is a primitive, its color, points ``x,y`` in the unit box, numbers, and options:

    poly, blob      filled polygon; the same with smooth edges           points
    bar, curve      stroke; smooth stroke                                width, points
    rect, slab      rectangle; with round corners                        corners, [radius]
    oval, ring      filled ellipse; its outline                          center, radii, [width]
    disc, wheel     filled circle; black tire with a hub                 center, radius
    eye             black dot with a gleam                               center, radius
    grid            cells of a table                                     corners, columns, rows, gap

    ?.5             drawn with this probability
    ~.03            moved by at most this in both directions
    *3:.2,0         drawn 3 times, each moved by this from the last; *2-4:… 2 to 4 times
    mirror          drawn again, left and right exchanged
    a: b:           before the primitive: only one of the letters of a drawing is drawn

Widths, radii of discs and corners are shares of the box's height. Colors: main, its shades (dark,
light, deep, pale), ``any`` (some color word), those of ``NAMED``; ``wood*.7`` is darker,
``wood*1.2`` lighter.
"""
