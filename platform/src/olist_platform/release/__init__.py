"""Releases: one commit as one bundle, carried through the environments as one unit."""
