"""What is sent to a benchmark's server, one file per form; see ``scores.score.Submission``.

Files of a sample are written when it comes, so their order does not matter, and what belongs
together is put together at the end.
"""
