"""From predictions to the numbers of a table: one file per kind of prompt, each around metrics."""
