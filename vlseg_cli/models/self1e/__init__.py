"""SELF1E: the language model itself produces the mask (Zhang et al., arXiv 2603.19026).

InternVL and nothing else: no mask decoder, no second vision encoder. Image tokens attend to
``[SEG]`` (a two-pathway attention mask), and the mask is a dot product between image tokens and the
state that predicts ``[SEG]``. Residual features refilling brings the outputs of the language model
back to the fine grid that pixel shuffle had packed away. One mask per text, no object instances.

| file | what |
|---|---|
| ``config.py`` | sizes; the defaults are the published 2B model |
| ``modeling.py`` | the network: encode_image, run_language_model, build_queries, decode_masks |
| ``prompts.py`` | the authors' conversations, letter by letter |
| ``image_processing.py`` | a frame as one square, or as tiles |
| ``segmenter.py``, ``postprocessing.py`` | frames and prompts to predictions |
| ``collator.py`` | samples to batches |
| ``criterion.py``, ``training.py`` | losses; parameter groups |
| ``conversion.py`` | published checkpoints, and training from a plain InternVL |
"""
