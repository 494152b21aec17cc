"""How many contacts come: Poisson counts, one random word for each interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccsim.demand.keyed import uniform53
from ccsim.errors import CcsimError

Integers = NDArray[np.int64]


def poisson_counts(
    name: str, mean: NDArray[np.float64], words: NDArray[np.uint64], most: int
) -> Integers:
    """Poisson counts, refused where they are more than there are ordinals for."""
    count = _poisson(mean, words)
    if count.max(initial=0) >= most:
        raise CcsimError(
            f"{name!r}: {count.max():,} contacts in one interval; up to "
            f"{most - 1:,} can be drawn: check the unit of the demand"
        )
    return count


def _poisson(mean: NDArray[np.float64], words: NDArray[np.uint64]) -> Integers:
    """Poisson counts by inversion, so that a larger mean only adds contacts."""
    from scipy.special import ndtri, pdtr

    where = mean > 0
    some = mean[where]
    # The largest uniform would round to 1, which no count has.
    chance = np.minimum((uniform53(words[where]) + 0.5) * 2.0**-53, 1 - 2.0**-53)
    # Cornish and Fisher's guess is hardly ever more than one off.
    normal = ndtri(chance)
    guess = some + np.sqrt(some) * normal + (normal * normal - 1) / 6
    count = np.maximum(np.floor(guess), 0.0)
    enough = pdtr(count, some) >= chance
    down, up = np.flatnonzero(enough), np.flatnonzero(~enough)
    while down.size:  # the fewest that are enough
        down = down[count[down] > 0]
        down = down[pdtr(count[down] - 1, some[down]) >= chance[down]]
        count[down] -= 1
    while up.size:
        count[up] += 1
        up = up[pdtr(count[up], some[up]) < chance[up]]
    counts = np.zeros(mean.shape, np.int64)
    counts[where] = count
    return counts
