"""HyperSeg: Towards Universal Visual Segmentation with Large Language Model (Wei et al., 2024).

Two vision encoders: SigLIP's features become the image tokens of the language model (Phi-2), and
Swin's pyramid feeds the decoder and the fine-grained perceiver, whose tokens carry detail into the
language model. As in PSALM, hidden states of mask tokens become a Mask2Former decoder's queries.
Unusual: in a video the hidden states of one frame's fine-grained tokens are the perceiver's queries
in the next frame; names of what is present may be generated before the masks (hybrid recognition).

config.py      sizes and switches; the defaults are the published ones
modeling.py    the network; steps 2 to 4 are in ``mask2former/modeling.py``
prompts.py     instructions, with the tokens that the model generates itself
segmenter.py   images
video.py       sessions; tracking.py holds the state of one request
collator.py    samples and clips to batches
training.py    next-token, box and contrast losses beside those of ``mask2former/training.py``
conversion.py  the authors' checkpoints
system.py      the entry of the registry

The parts: ``nn/vision_encoders.py``, ``nn/perceiver.py``, ``nn/pixel_decoder.py``,
``nn/mask_decoder.py``, ``nn/reid.py``, ``nn/tracker.py``.
"""
