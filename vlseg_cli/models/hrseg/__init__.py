"""HRSeg: a language model selects among mask proposals (Lin et al., ACM MM 2025).

Built on LLM-Seg: SAM proposes masks once per image, DINOv2 features are pooled under each of them,
and the hidden state that predicts ``[SEG]`` is compared with every mask. HRSeg adds high-resolution
perception (DINOv2 on N × N windows of the image, attended to by the overview) and enhancement
(cross attention from masks to features). No mask is decoded: the prediction is a union of
proposals. LLM-Seg is the same model with both additions off (``config.LLM_SEG``).

| file | what |
|---|---|
| ``config.py`` | sizes and switches; the defaults are the paper's |
| ``modeling.py`` | the network: encode_image, run_language_model, build_queries, decode_masks |
| ``prompts.py`` | LLM-Seg's conversations, letter by letter |
| ``image_processing.py`` | inputs of CLIP and DINOv2, soft masks |
| ``segmenter.py`` | frames and sentences to predictions, with the feature cache |
| ``postprocessing.py`` | the selection rules, and scores to a prediction |
| ``collator.py`` | samples to batches, with proposals |
| ``criterion.py``, ``training.py`` | losses and their targets; parameter groups |
| ``conversion.py`` | LLM-Seg's published checkpoint, and the SAM in it |
"""
