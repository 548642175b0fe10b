"""What is sent to a benchmark's server; see ``scorers.base.Submission``.

Files of a sample are written when it is added, so the order does not matter; archives are written
at the end.
"""
