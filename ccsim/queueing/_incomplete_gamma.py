r"""Three ratios of incomplete gamma functions that never under- or overflow.

The Erlang formulas are ratios of an incomplete gamma function to a Poisson probability
d(y, x) = x^y e^-x / Γ(y+1). Both can be far below the smallest double while their ratio is an
everyday number. So: near the diagonal (|y - x| within three standard deviations) SciPy's uniform
expansion is used, and away from it a continued fraction for the ratio itself, whose convergence
there does not depend on the size of y and x (it tends to Laplace's fraction for Mills' ratio).

All functions take and give flat float arrays, unchecked.

References
----------
.. [1] NIST Digital Library of Mathematical Functions, 8.2, 8.9, 8.12.
   https://dlmf.nist.gov/8
.. [2] C. Loader (2000), "Fast and accurate computation of binomial probabilities" (saddle-point
   form of the Poisson probability).
"""

from __future__ import annotations

from math import factorial, pi

import numpy as np

from ccsim.queueing import special
from ccsim.queueing._arrays import Flags, Floats

_AWAY = 3.0  # standard deviations from the diagonal at which the continued fractions take over
NOBODY = 1e-290  # fewer completions than this per mean patience: whoever waits is lost
_DEPTH = 48  # terms of a continued fraction: 20 leave 4e-10 three standard deviations away
_FEW = 30.0  # whole agents up to here are counted one by one, which is as quick
_CHUNK = 8192  # queues at a time: what one step leaves for the next stays in the cache


def exp_minus_linear(t: Floats) -> Floats:
    """e^t - 1 - t without cancellation for small t."""
    series = np.zeros_like(t)
    small = np.where(np.abs(t) < 0.7, t, 0.0)
    for power in range(18, 1, -1):
        series = series * small + 1.0 / factorial(power)
    return np.where(np.abs(t) < 0.7, series * small * small, np.expm1(t) - t)


def below_diagonal(x: Floats, surplus: Floats) -> Flags:
    """Tell where the fraction serves: y far above x, or both small; `surplus` is y - x."""
    return (surplus > _AWAY * np.sqrt(x)) | ((x < 1) & (surplus >= 0))


def poisson_density(y: Floats, x: Floats, surplus: Floats) -> Floats:
    """x^y e^-x / Γ(y+1); `surplus` is y - x, given apart because the difference loses digits."""
    with np.errstate(under="ignore", divide="ignore", invalid="ignore", over="ignore"):
        large = np.where(y > 10, y, 11.0)
        # Loader's deviance y log(y/x) + x - y; a series in v where the terms would cancel.
        v = surplus / (x + large)
        near = np.where(np.abs(v) < 0.3, v, 0.0)
        square = near * near
        series = np.zeros_like(y)
        for odd in range(35, 1, -2):
            series = series * square + 1.0 / odd
        close = surplus * near + 2 * large * near * square * series
        far = large * np.log(large / x) - surplus
        deviance = np.where(np.abs(v) < 0.3, close, far)
        inverse = 1.0 / (large * large)
        stirling = (
            1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188 - inverse * 691 / 360360)
            * inverse) * inverse) * inverse) * inverse
        ) / large  # fmt: skip
        density = np.exp(-deviance - stirling - 0.5 * np.log(2 * pi * large))
        small = ~(y > 10)
        if small.any():
            y, x = y[small], x[small]
            density[small] = np.exp(special.xlogy(y, x) - x - special.gammaln(y + 1))
    return density


def _lower_fraction(x: Floats, surplus: Floats) -> tuple[Floats, Floats]:
    """r_1 and 1 - r_1 of r_k = k / (y - x + k + x r_{k+1}), all terms positive when y > x."""
    k = float(_DEPTH)
    ratio = 2 * k / (surplus + k + np.hypot(surplus + k, 2 * np.sqrt(x * k)))
    for k in range(_DEPTH - 1, 1, -1):
        ratio = k / (surplus + k + x * ratio)
    rest = surplus + x * ratio
    return 1.0 / (1.0 + rest), rest / (1.0 + rest)


def impatient_queue(y: Floats, x: Floats, surplus: Floats) -> tuple[Floats, Floats, Floats]:
    """Who waits, and who of them gives up, while all agents are busy.

    In units of mean patience: `x` contacts arrive, `y` would be completed, `surplus` = y - x.

    Returns
    -------
    empty : the share of the busy time without a queue, d(y, x) / P(y, x) = 1 / 1F1(1; y+1; x).
    abandoned : of the contacts that wait, the share that abandons.
    answered : the other share, given apart because it may be tiny.
    """
    empty, abandoned, answered = np.ones_like(x), np.ones_like(x), np.zeros_like(x)
    nobody = y < NOBODY
    empty[nobody] = np.exp(-x[nobody])

    below = ~nobody & below_diagonal(x, surplus)
    if below.any():
        abandoned[below], answered[below] = _lower_fraction(x[below], surplus[below])
        empty[below] = (surplus[below] + x[below] * abandoned[below]) / y[below]

    rest = ~nobody & ~below
    if rest.any():
        y, x, surplus = y[rest], x[rest], surplus[rest]
        total = special.gammainc(y, x)
        empty[rest] = np.minimum(poisson_density(y, x, surplus) / total, 1.0)
        answered[rest] = y / x * special.gammainc(y + 1, x) / total
        # 1 - answered, in the form that keeps its digits on either side of the diagonal.
        abandoned[rest] = (y * empty[rest] - surplus) / x
    return empty, abandoned, answered


def lower_gamma(y: Floats, x: Floats, surplus: Floats, empty: Floats) -> Floats:
    """P(y, x), with its relative precision also far below the diagonal."""
    value = np.empty_like(x)
    below = below_diagonal(x, surplus)
    value[~below] = special.gammainc(y[~below], x[~below])
    value[below] = poisson_density(y[below], x[below], surplus[below]) / empty[below]
    return value


def full_house(agents: Floats, load: Floats) -> tuple[Floats, Floats]:
    """Erlang B: d(n, a) / Q(n+1, a), and what is left to 1, for any real number of agents.

    A few whole agents are counted one by one: 1/B(n) = 1 + n/a · 1/B(n-1), from 1/B(0) = 1.
    """
    blocked, carried = np.empty_like(load), np.empty_like(load)
    for first in range(0, load.size, _CHUNK):
        part = slice(first, first + _CHUNK)
        blocked[part], carried[part] = _full_house(agents[part], load[part])
    return blocked, carried


def _full_house(agents: Floats, load: Floats) -> tuple[Floats, Floats]:
    blocked, carried = np.zeros_like(load), np.ones_like(load)
    surplus = agents - load

    above = -surplus > _AWAY * np.sqrt(agents) + 10
    if above.any():
        n, a, short = agents[above], load[above], -surplus[above]
        idle = np.zeros_like(n)  # mean number of idle agents, as a continued fraction
        for k in range(_DEPTH, 0, -1):
            idle = k * (n + 1 - k) / (short + 2 * k + idle)
        blocked[above], carried[above] = (short + idle) / a, (n - idle) / a

    few = ~above & (agents <= _FEW) & (agents == np.floor(agents)) & (load > 0)
    if few.any():
        n, a = agents[few], load[few]
        inverse = np.ones_like(a)
        with np.errstate(over="ignore"):  # nobody is blocked then
            for k in range(int(n.max()) - 1, -1, -1):
                inverse = 1.0 + np.maximum(n - k, 0.0) / a * inverse
        blocked[few] = 1.0 / inverse
        carried[few] = 1.0 - blocked[few]

    below = ~few & below_diagonal(load, surplus) & (load > 0)
    if below.any():
        n, a, spare = agents[below], load[below], surplus[below]
        density = poisson_density(n, a, spare)
        abandoned, answered = _lower_fraction(a, spare)
        # Q(n+1, a) = 1 - P(n+1, a), and P(n+1, a) = d (1F1(1; n+1; a) - 1)
        blocked[below] = density / (1.0 - density * a * answered / (spare + a * abandoned))
        carried[below] = 1.0 - blocked[below]

    near = ~above & ~few & ~below & (load > 0)
    if near.any():
        n, a = agents[near], load[near]
        density = poisson_density(n, a, surplus[near])
        blocked[near] = np.minimum(density / special.gammaincc(n + 1, a), 1.0)
        carried[near] = 1.0 - blocked[near]
    nobody = (agents == 0) & (load > 0)
    blocked[nobody], carried[nobody] = 1.0, 0.0
    return blocked, carried
