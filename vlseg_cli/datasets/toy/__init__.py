"""Small data sets of the published forms, drawn: to try a benchmark without its data."""
