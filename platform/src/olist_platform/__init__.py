"""The library of the Olist platform: one place for every fact that several deployers read."""
