"""An estimate without the luck of its arrivals: moved by what they were off their known mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing import special
from ccsim.statistics.intervals import FEWEST_SAMPLES, Estimate, check_level


def controlled_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    control: ArrayLike,
    expected: float,
    level: float = 0.95,
) -> Estimate:
    """Sum over sum, such as answered in time ÷ offered, as if arrivals had been at their mean.

    A day with more calls than expected has a worse service level; how much worse, the blocks
    tell. What of the estimate is due to more or fewer arrivals than their known mean is taken out.

    Parameters
    ----------
    numerators, denominators : (n,)
        Totals of one block each, pairwise.
    control : (n,)
        What was drawn in each block, such as its requests.
    expected : float
        The known mean of the control, over all blocks there could be.
    level : float
        Confidence of the two-sided interval.

    Notes
    -----
    Both means are moved along their regression on the control, x̃ = x̄ − b (c̄ − μ), and the ratio is
    r = x̃/ỹ. Its variance is that of the residuals of x − r·y on the control, with n − 2 degrees of
    freedom, a little more for the slope. Blocks that do not differ in the control control nothing.
    The bias is of order 1/n, as that of any ratio.

    References
    ----------
    S. S. Lavenberg, P. D. Welch (1981), "A perspective on the use of control variables to increase
    the efficiency of Monte Carlo simulations", Management Science 27(3), 322-335.
    doi:10.1287/mnsc.27.3.322

    Examples
    --------
    >>> requests = [100, 104, 96, 108, 92, 101, 99, 103, 97, 112, 88]
    >>> in_time = [81, 82, 80, 82, 79, 80, 81, 81, 80, 83, 77]
    >>> level = controlled_ratio(in_time, requests, requests, expected=100)
    >>> round(level.value, 4), round(level.half_width, 4)
    (0.8055, 0.0037)
    """
    x, y, c = (np.asarray(given, float) for given in (numerators, denominators, control))
    if not x.shape == y.shape == c.shape or x.ndim != 1:
        raise ValueError(
            "numerators, denominators and control: one number per block each, got shapes "
            f"{x.shape}, {y.shape} and {c.shape}"
        )
    if not (np.isfinite([x, y, c]).all() and np.isfinite(expected)):
        raise ValueError("numerators, denominators, control and expected: finite numbers")
    tail, count = (1 - check_level(level)) / 2, len(x)
    deviation, off = (c - c.mean(), c.mean() - expected) if count else (c, 0.0)
    spread = deviation @ deviation

    def slope(values: np.ndarray) -> float:
        return float(values @ deviation / spread) if spread else 0.0

    under = float(y.mean() - slope(y) * off) if count else 0.0
    if under == 0:
        return Estimate(np.nan, np.nan, np.nan, level, "simulated", count)
    value = float(x.mean() - slope(x) * off) / under
    if count < FEWEST_SAMPLES:
        return Estimate(value, np.nan, np.nan, level, "simulated", count)
    left = x - value * y
    residual = left - left.mean() - slope(left) * deviation
    variance = residual @ residual / (count - 2) * (1 / count + (off**2 / spread if spread else 0))
    half = float(special.stdtrit(count - 2, 1 - tail) * np.sqrt(variance) / abs(under))
    return Estimate(value, value - half, value + half, level, "simulated", count)
