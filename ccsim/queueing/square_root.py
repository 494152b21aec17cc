"""Square-root laws: agents = load + surplus · √load, as starting points and sanity checks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing import special
from ccsim.queueing._arrays import (
    FloatOrArray,
    Floats,
    flattened,
    floats,
    number,
    positive_duration,
    positive_fraction,
    quantity,
)

_FURTHEST = 1e8  # surpluses beyond this are not told apart from it


def square_root_agents(load: ArrayLike, surplus: ArrayLike) -> FloatOrArray:
    """Agents for a load and a surplus in units of its square root; not rounded.

    Parameters
    ----------
    load : array_like
        Offered load [erlang].
    surplus : array_like
        Agents above the load, in units of √load: 0 to 1 is usual, below 0 when customers abandon.

    Returns
    -------
    Agents, at least 0.

    Raises
    ------
    ValueError
        If the load is negative or not a number.

    Examples
    --------
    >>> square_root_agents(100, 0.5)
    105.0
    """
    shape, (a, surplus_) = flattened(quantity("load", load), number("surplus", surplus))
    return floats(np.maximum(a + surplus_ * np.sqrt(a), 0.0), shape)


def halfin_whitt(surplus: ArrayLike) -> FloatOrArray:
    """Share that has to wait in a large centre where nobody abandons.

    Parameters
    ----------
    surplus : array_like
        (agents - load) / √load.

    Returns
    -------
    Waiting probability; 1 where the surplus is not above zero.

    Raises
    ------
    ValueError
        If the surplus is not a number.

    Notes
    -----
    The limit of Erlang C: 1 / (1 + β Φ(β) / φ(β)) [1]_. Its distance to Erlang C falls like
    1 / √load.

    References
    ----------
    .. [1] S. Halfin, W. Whitt (1981), "Heavy-traffic limits for queues with many exponential
       servers", Operations Research 29(3), 567-588. doi:10.1287/opre.29.3.567

    Examples
    --------
    With a surplus of one square root, 22 % wait, whatever the size:

    >>> round(halfin_whitt(1.0), 3)
    0.223
    """
    shape, (surplus_,) = flattened(number("surplus", surplus))
    return floats(_halfin_whitt(surplus_), shape)


def garnett(surplus: ArrayLike, handle_time: ArrayLike, patience: ArrayLike) -> FloatOrArray:
    """Share that has to wait in a large centre where customers abandon.

    Parameters
    ----------
    surplus : array_like
        (agents - load) / √load; may be below zero.
    handle_time, patience : array_like
        Means [s].

    Returns
    -------
    Waiting probability.

    Raises
    ------
    ValueError
        If the surplus is not a number or a mean is not above zero.

    Notes
    -----
    The limit of Erlang A: 1 / (1 + √r h(β/√r) / h(-β)) [1]_, with r = handle time ÷ patience and h
    the hazard rate of the normal law.

    References
    ----------
    .. [1] O. Garnett, A. Mandelbaum, M. Reiman (2002), "Designing a call center with impatient
       customers", Manufacturing & Service Operations Management 4(3), 208-227.
       doi:10.1287/msom.4.3.208.7753

    Examples
    --------
    >>> round(garnett(0.0, handle_time=180, patience=180), 3)
    0.5
    """
    shape, (surplus_, h, p) = flattened(
        number("surplus", surplus),
        positive_duration("handle_time", handle_time),
        positive_duration("patience", patience),
    )
    return floats(_garnett(surplus_, h / p), shape)


def halfin_whitt_surplus(waiting_probability: ArrayLike) -> FloatOrArray:
    """Surplus at which a share has to wait where nobody abandons: `halfin_whitt` turned round.

    Parameters
    ----------
    waiting_probability : array_like
        A fraction above 0.

    Returns
    -------
    Surplus, in units of √load.

    Raises
    ------
    ValueError
        If the share is not a fraction above 0.

    Examples
    --------
    >>> round(halfin_whitt_surplus(0.2), 3)
    1.062
    """
    shape, (share,) = flattened(positive_fraction("waiting_probability", waiting_probability))
    return floats(_surplus(_halfin_whitt, share, 0.0), shape)


def garnett_surplus(
    waiting_probability: ArrayLike, handle_time: ArrayLike, patience: ArrayLike
) -> FloatOrArray:
    """Surplus at which a share has to wait where customers abandon: `garnett` turned round.

    Parameters
    ----------
    waiting_probability : array_like
        A fraction above 0 and below 1.
    handle_time, patience : array_like
        Means [s].

    Returns
    -------
    Surplus, in units of √load; below zero where more may wait than 1 / (1 + √(handle time ÷
    patience)), which is half of them where the two are alike.

    Raises
    ------
    ValueError
        If the share is not a fraction above 0 or a mean is not above zero.

    Examples
    --------
    Half may wait, with a patience of five handle times:

    >>> surplus = garnett_surplus(0.5, handle_time=180, patience=900)
    >>> round(surplus, 4), round(square_root_agents(100, surplus), 1)
    (0.3377, 103.4)
    """
    shape, (share, h, p) = flattened(
        positive_fraction("waiting_probability", waiting_probability),
        positive_duration("handle_time", handle_time),
        positive_duration("patience", patience),
    )
    ratio = h / p
    return floats(_surplus(lambda surplus: _garnett(surplus, ratio), share, -_FURTHEST), shape)


def _halfin_whitt(surplus: Floats) -> Floats:
    beta = np.maximum(surplus, 0.0)
    with np.errstate(over="ignore", divide="ignore"):
        # phi / Phi by the scaled complementary error function: neither vanishes.
        return 1 / (1 + beta / _hazard(-beta))


def _garnett(surplus: Floats, ratio: Floats) -> Floats:
    root = np.sqrt(ratio)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        return 1 / (1 + root * _hazard(surplus / root) / _hazard(-surplus))


def _hazard(x: Floats) -> Floats:
    """Density over the upper tail of the normal law."""
    with np.errstate(under="ignore", over="ignore", divide="ignore"):
        above = np.sqrt(2 / np.pi) / special.erfcx(np.maximum(x, -25.0) / np.sqrt(2))
        below = np.exp(-(np.minimum(x, 0.0) ** 2) / 2) / np.sqrt(2 * np.pi)
    hazard: Floats = np.where(x > -25, above, below)
    return hazard


def _surplus(waiting: Callable[[Floats], Floats], share: Floats, least: float) -> Floats:
    """Halve until doubles tell no more difference: waiting falls as the surplus rises."""
    low = np.full_like(share, -1.0 if least < 0 else 0.0)
    high = np.ones_like(share)
    for _ in range(40):
        low = np.where((waiting(low) < share) & (low > least), 2 * low, low)
        high = np.where((waiting(high) > share) & (high < _FURTHEST), 2 * high, high)
    for _ in range(100):
        middle = (low + high) / 2
        more = waiting(middle) > share
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return (low + high) / 2
