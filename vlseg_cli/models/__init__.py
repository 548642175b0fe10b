"""A folder per system with the same files in each; what several share is beside them."""
