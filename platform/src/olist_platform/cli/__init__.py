"""The `olist` command: one thin module per subcommand."""
