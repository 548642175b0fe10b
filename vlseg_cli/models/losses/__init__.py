"""What each system learns from, made of the losses in nn/."""
