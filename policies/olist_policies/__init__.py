"""CrossGuard rules, one theme a file."""
