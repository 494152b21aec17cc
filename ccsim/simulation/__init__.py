"""HAPPENED: the centre played event by event."""
