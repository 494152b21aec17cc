"""MEASURED: what a log shows, and how sure it is."""
