"""Mask proposals of an image, independent of prompts: SAM (torch or ONNX Runtime), or a folder.

| file | what |
|---|---|
| ``base.py`` | the options, ``Proposals``, and the contract of a proposer |
| ``filters.py`` | the filters of SAM's masks: ``filter_iou``, ``filter_stability``, ``nms`` |
| ``sam.py``, ``onnx_engine.py`` | SAM on a grid of points, by torch or by ONNX Runtime |
| ``onnx_export.py``, ``conversion.py`` | the ONNX export; SAM's published checkpoints |
| ``mask_folder.py`` | masks from files |
| ``cache.py`` | proposals and features on disk, by the image's content |
"""
