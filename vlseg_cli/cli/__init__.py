"""The command line: one file per subcommand. Parses, then calls one function; no torch here."""
