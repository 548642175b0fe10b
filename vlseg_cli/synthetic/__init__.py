"""Synthetic scenes with exact ground truth: they train and test the embedded default.

``draw.draw_scene`` draws a scene from a seed (``drawing/``: plan, background, objects, styles),
``clip.draw_clip`` a video of it; ``hands`` says what may occur. ``referring`` and ``reasoning``
write sentences about its items (``language/``: templates, noun phrases, clues). ``samples`` and
``clip_samples`` combine both into training samples, ``text_samples`` needs no image, ``export``
writes files.
"""
