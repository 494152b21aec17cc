"""Contact-centre simulation and staffing optimization."""

__version__ = "0.1.0"
