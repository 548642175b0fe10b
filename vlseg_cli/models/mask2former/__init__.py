"""What PSALM, HyperSeg and MVP-LM share: a Mask2Former decoder prompted by a language model.

Swin encodes the image, Phi runs over the instruction with mask tokens at its end, and the hidden
states of these tokens are the decoder's queries. PSALM and HyperSeg share everything here, MVP-LM
(which decodes with MaskDINO's parts) the sizes, the language model, preprocessing and conversion.

config.py            common sizes, and the configs of transformers made of them
modeling.py          the four steps and the values between them, text generation
segmenter.py         frames and requests to rows, rows to predictions; torch_segmenter.py runs them
postprocessing.py    scores and masks to segments, one function per kind of task
prompts.py           the conversation template of Phi
image_processing.py  frames and regions on the network's grids
collator.py          samples to batches
criterion.py         matching and the losses of masks and conditions
training.py          the losses of a batch, parameter groups
conversion.py        names of the authors' tensors that the systems have in common
"""
