"""A run over inputs: sources to batches to model to sinks."""

from vlseg_cli.jobs.images import Answered, AskAbout, Failed, Outcome, answer_images, run_images

__all__ = ["Answered", "AskAbout", "Failed", "Outcome", "answer_images", "run_images"]
