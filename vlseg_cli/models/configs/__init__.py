"""The sizes of each system: defaults are what was published, a miniature is other numbers."""
