"""Samples become what each system learns from; runs in data-loading processes."""
