"""Parts that systems share or that are a named idea of a paper. Tensors in, tensors out."""
