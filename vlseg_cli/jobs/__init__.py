"""A run over inputs: sources to batches to model to sinks."""
