"""Reading weight files of any origin without running a line of what is in them."""
