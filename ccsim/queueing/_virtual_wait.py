"""Mean of the offered wait under Erlang A: an integral without a closed form."""

from __future__ import annotations

import numpy as np

from ccsim.queueing._arrays import Floats
from ccsim.queueing._incomplete_gamma import exp_minus_linear, impatient_queue

_CHUNK = 1024  # intervals at a time: their nodes fit the cache

# Right of the mode: double-exponential rule on (0, inf) for functions that fall like e^-u.
_T = np.arange(-3.9, 3.96, 0.075)
_RIGHT = np.exp(_T - np.exp(-_T))
_RIGHT_WEIGHTS = 0.075 * _RIGHT * (1 + np.exp(-_T))
# Left of it: Gauss's rule on (0, 1).
_LEGENDRE, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(48)
_LEFT, _LEFT_WEIGHTS = (_LEGENDRE + 1) / 2, _LEGENDRE_WEIGHTS / 2


def mean_of_virtual_wait(y: Floats, x: Floats, surplus: Floats) -> Floats:
    r"""Mean of s > 0 with density proportional to exp(φ(s)), φ(s) = x(1 - e^-s) - y s.

    For y >= 1 and surplus = y - x; flat arrays. φ is concave with its mode at
    max(0, log(x / y)). Right of the mode the law is that of an arrival rate min(x, y), of known
    area, so one rule scaled by that area fits all sizes; left of it φ falls by y(e^d - 1 - d) over
    a distance d, and is followed until e^-42.
    """
    mean = np.empty_like(x)
    for first in range(0, x.size, _CHUNK):
        part = slice(first, first + _CHUNK)
        mean[part] = _mean(y[part], x[part], surplus[part])
    return mean


def _mean(y: Floats, x: Floats, surplus: Floats) -> Floats:
    mode = np.where(surplus < 0, np.log1p(np.maximum(-surplus, 0.0) / y), 0.0)
    x, surplus = np.minimum(x, y), np.maximum(surplus, 0.0)
    area = 1 / (y * impatient_queue(y, x, surplus)[0])
    with np.errstate(over="ignore", under="ignore"):
        s = area[:, None] * _RIGHT
        height = np.exp(-surplus[:, None] * s - x[:, None] * exp_minus_linear(-s))
        right = area * ((s * height) @ _RIGHT_WEIGHTS)

        reach = np.log1p(42 / y + np.sqrt(84 / y))  # Newton from above for e^d - 1 - d = 42 / y
        for _ in range(4):
            reach -= (exp_minus_linear(reach) - 42 / y) / np.expm1(reach)
        reach = np.minimum(reach, mode)
        d = reach[:, None] * _LEFT
        height = np.exp(-y[:, None] * exp_minus_linear(d))
        left_area = reach * (height @ _LEFT_WEIGHTS)
        left = reach * ((d * height) @ _LEFT_WEIGHTS)
    mean: Floats = mode + (right - left) / (area + left_area)
    return mean
