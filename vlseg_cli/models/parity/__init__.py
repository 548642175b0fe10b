"""Every stage of each system against golden files: what the authors' own code computed."""
