"""Draw, run, measure, price: over replications, cores and machines."""

from ccsim.experiment.checkpoint import Checkpoint, new_checkpoint, old_checkpoint
from ccsim.experiment.contact_files import write_contacts
from ccsim.experiment.parallel import available_cores, spread
from ccsim.experiment.precision import Precision
from ccsim.experiment.pricing import price_sample
from ccsim.experiment.replicate import replicate, whole_blocks

__all__ = [
    "Checkpoint",
    "Precision",
    "available_cores",
    "new_checkpoint",
    "old_checkpoint",
    "price_sample",
    "replicate",
    "spread",
    "whole_blocks",
    "write_contacts",
]
