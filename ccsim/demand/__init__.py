"""DRAWN: every random number of a replication."""
