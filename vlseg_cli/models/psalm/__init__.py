"""PSALM: Pixelwise SegmentAtion with Large Multi-Modal Model (Zhang et al., ECCV 2024).

Swin-B encodes the image, a connector turns its last map into image tokens, and Phi-1.5 runs over
one instruction: image tokens, the task, conditions (category names, an expression or regions) and
mask tokens. A Mask2Former decoder turns the mask tokens' hidden states into masks; their scores
are products with the pooled conditions. Unusual: every task is one forward pass without generated
text, and the conditions, not a fixed class head, are what queries are scored against.

config.py           sizes; the defaults are the published ones
modeling.py         the network; steps 2 to 4 are in ``mask2former/modeling.py``
prompts.py          the authors' instructions
segmenter.py        images
onnx_segmenter.py   images in ONNX Runtime, without torch: the embedded default; onnx_graphs.py
                    opens its graphs, onnx_export.py and onnx_weights.py make them
video.py            sessions; tracking.py and region_tracking.py hold the trackers
proposer.py         class-free masks for the systems that choose among proposals
training.py         parameter groups; losses and collator are those of ``mask2former/``
conversion.py       the authors' checkpoints, and Mask2Former's as a start
system.py           the entry of the registry
"""
