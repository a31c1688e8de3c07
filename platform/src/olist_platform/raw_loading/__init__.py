"""Loading landing files into the raw tables of the DuckDB warehouse, each exactly once."""
