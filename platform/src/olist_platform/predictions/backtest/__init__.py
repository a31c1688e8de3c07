"""Back-tests: every model held against what it had not seen, and against something simpler."""
