"""Modules and functions that systems share or that are a named idea of a paper.

Tensors in, tensors out. Shapes use one alphabet: B batch, P prompts, N queries, K conditions, M
objects or masks, H W pixels, h w feature map, T frames, L tokens, D channels, R regions.
"""
