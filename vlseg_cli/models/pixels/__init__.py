"""A frame becomes what a system's eyes get."""
