"""Draw, run, measure, price: over replications and processes."""

from ccsim.experiment.parallel import available_cores, spread
from ccsim.experiment.pricing import price_sample
from ccsim.experiment.replicate import replicate, whole_blocks

__all__ = ["available_cores", "price_sample", "replicate", "spread", "whole_blocks"]
