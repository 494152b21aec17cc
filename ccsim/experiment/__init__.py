"""Draw, run, measure, price: over replications and processes."""

from ccsim.experiment.pricing import price_sample
from ccsim.experiment.replicate import available_cores, replicate, whole_blocks

__all__ = ["available_cores", "price_sample", "replicate", "whole_blocks"]
