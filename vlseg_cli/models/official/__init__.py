"""Each system as its authors publish it, and how a folder of theirs becomes one of ours."""
