"""MVP-LM: one model for detection, segmentation, grounding and captions.

Swin, Phi and a MaskDINO decoder. Unusual: queries come from the image, not from learned tokens:
every location of the pixel decoder is compared with the conditions (category names or a sentence,
averaged over all layers of Phi), and the most similar ones become queries with boxes. Two models
live here: the released code's, and the paper's (``summary_token``), which first generates a caption
and adds base queries from its ``<PER>`` token.

| file | what |
|---|---|
| ``config.py`` | sizes and switches; the defaults are those of the authors' code |
| ``modeling.py`` | the network: encode_image, run_language_model, build_queries, decode_masks |
| ``language.py`` | other passes of the language model: long lists of names, captions |
| ``prompts.py`` | instructions of the released code, the paper and a miniature |
| ``segmenter.py`` | frames and prompts to outputs |
| ``postprocessing.py`` | outputs to predictions; where gRefCOCO's no-target is decided |
| ``collator.py`` | samples to batches |
| ``criterion.py``, ``training.py`` | matching and losses; parameter groups |
| ``conversion.py`` | the released checkpoint |
"""
