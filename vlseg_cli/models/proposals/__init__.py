"""Masks proposed for a picture before anything is asked: who proposes, where it is kept."""
