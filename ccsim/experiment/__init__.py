"""Draw, run, measure, over replications and processes."""
