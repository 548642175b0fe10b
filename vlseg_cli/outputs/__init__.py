"""Sinks: every file format a prediction can be written to, all atomic."""
