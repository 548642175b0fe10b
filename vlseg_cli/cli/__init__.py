"""The command line: one file per subcommand. Parses, then calls one function; never imports torch."""
