"""The formulas of the trade for a service level: one vocabulary for the whole project."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from ccsim.queueing._arrays import FloatOrArray, Floats, flattened, floats, quantity

ServiceLevelFormula: TypeAlias = Literal[
    "of_offered",
    "of_answered",
    "with_abandoned_in_time",
    "without_abandoned_in_time",
    "without_short_abandons",
    "with_short_abandons",
]

SERVICE_LEVEL_FORMULAS: tuple[ServiceLevelFormula, ...] = get_args(ServiceLevelFormula)
"""Every formula by name; the first is the default everywhere."""

SteadyStateFormula: TypeAlias = ServiceLevelFormula | Literal["virtual"]
"""Those, and one that no ACD can count: the share whose wait, had they endless patience, is in
time."""

FORMULAS_IN_WORDS: Mapping[SteadyStateFormula, str] = MappingProxyType(
    {
        "of_offered": "answered in time ÷ offered",
        "of_answered": "answered in time ÷ answered",
        "with_abandoned_in_time": "(answered or abandoned in time) ÷ offered",
        "without_abandoned_in_time": "answered in time ÷ (offered − abandoned in time)",
        "without_short_abandons": "answered in time ÷ (offered − short abandons)",
        "with_short_abandons": "(answered in time + short abandons) ÷ offered",
        "virtual": "offered wait in time, had customers endless patience",
    }
)
"""Every formula as a report says it."""


def check_formula(formula: str, *, virtual: bool = False) -> None:
    """Refuse a name that is no service-level formula; `virtual` allows that of a queue."""
    names = (*SERVICE_LEVEL_FORMULAS, "virtual") if virtual else SERVICE_LEVEL_FORMULAS
    if formula not in names:
        raise ValueError(f"formula must be one of {', '.join(names)}; got {formula!r}")


def good_and_base(
    formula: ServiceLevelFormula,
    *,
    offered: Floats,
    answered: Floats,
    answered_in_time: Floats,
    abandoned_in_time: Floats,
    short_abandons: Floats,
) -> tuple[Floats, Floats]:
    """Numerator and denominator of a formula, from counts or from shares of offered."""
    match formula:
        case "of_offered":
            return answered_in_time, offered
        case "of_answered":
            return answered_in_time, answered
        case "with_abandoned_in_time":
            return answered_in_time + abandoned_in_time, offered
        case "without_abandoned_in_time":
            return answered_in_time, offered - abandoned_in_time
        case "without_short_abandons":
            return answered_in_time, offered - short_abandons
        case "with_short_abandons":
            return answered_in_time + short_abandons, offered


def names_short_abandons(formula: SteadyStateFormula) -> bool:
    """Whether a formula asks who gave up within the short limit."""
    return formula in ("without_short_abandons", "with_short_abandons")


def level_of_shares(
    formula: SteadyStateFormula,
    *,
    answered: Floats,
    answered_in_time: Floats,
    abandoned_in_time: Floats,
    short_abandons: Floats,
    offered_wait_in_time: Floats,
) -> Floats:
    """Service level from shares of offered; 0 where a denominator is, as nobody is answered."""
    if formula == "virtual":
        return np.clip(offered_wait_in_time, 0.0, 1.0)
    good, base = good_and_base(
        formula,
        offered=np.ones_like(answered),
        answered=answered,
        answered_in_time=answered_in_time,
        abandoned_in_time=abandoned_in_time,
        short_abandons=short_abandons,
    )
    return np.clip(np.where(base > 0, good / np.where(base > 0, base, 1.0), 0.0), 0.0, 1.0)


def service_level_from_counts(
    *,
    offered: ArrayLike,
    answered: ArrayLike,
    answered_in_time: ArrayLike,
    abandoned_in_time: ArrayLike,
    short_abandons: ArrayLike,
    formula: ServiceLevelFormula = "of_offered",
) -> FloatOrArray:
    """Service level of a day (or any window) from what was counted in it.

    Parameters
    ----------
    offered : array_like
        Contacts that wanted an agent [contacts].
    answered : array_like
        Contacts that an agent took.
    answered_in_time : array_like
        Contacts that an agent took within the threshold.
    abandoned_in_time : array_like
        Contacts that gave up within the threshold.
    short_abandons : array_like
        Contacts that gave up within the (shorter) limit that the contract calls a short abandon.
    formula : str
        Which of `SERVICE_LEVEL_FORMULAS`.

    Returns
    -------
    Service level, a fraction; NaN where the denominator is zero: a window in which nothing counts
    has no service level.

    Raises
    ------
    ValueError
        If a count is negative or not a number, more are answered in time than answered, more are
        answered or abandoned than offered, or the formula is unknown.

    Notes
    -----
    ============================  ====================================================
    of_offered                    answered in time ÷ offered
    of_answered                   answered in time ÷ answered
    with_abandoned_in_time        (answered in time + abandoned in time) ÷ offered
    without_abandoned_in_time     answered in time ÷ (offered - abandoned in time)
    without_short_abandons        answered in time ÷ (offered - short abandons)
    with_short_abandons           (answered in time + short abandons) ÷ offered
    ============================  ====================================================

    Examples
    --------
    One day, six answers: 1000 answered, 860 of them in time; 60 abandoned, 20 of them in time and
    10 within 5 seconds.

    >>> for formula in SERVICE_LEVEL_FORMULAS:
    ...     level = service_level_from_counts(
    ...         offered=1060, answered=1000, answered_in_time=860,
    ...         abandoned_in_time=20, short_abandons=10, formula=formula)
    ...     print(f"{level:.2%}  {formula}")
    81.13%  of_offered
    86.00%  of_answered
    83.02%  with_abandoned_in_time
    82.69%  without_abandoned_in_time
    81.90%  without_short_abandons
    82.08%  with_short_abandons
    """
    check_formula(formula)
    shape, (all_, taken, in_time, gone_in_time, short) = flattened(
        quantity("offered", offered),
        quantity("answered", answered),
        quantity("answered_in_time", answered_in_time),
        quantity("abandoned_in_time", abandoned_in_time),
        quantity("short_abandons", short_abandons),
    )
    _check_at_most("answered_in_time", in_time, "answered", taken)
    _check_at_most("answered", taken, "offered", all_)
    _check_at_most("abandoned_in_time", gone_in_time, "offered - answered", all_ - taken)
    _check_at_most("short_abandons", short, "offered - answered", all_ - taken)
    good, base = good_and_base(
        formula,
        offered=all_,
        answered=taken,
        answered_in_time=in_time,
        abandoned_in_time=gone_in_time,
        short_abandons=short,
    )
    return floats(np.where(base > 0, good / np.where(base > 0, base, 1.0), np.nan), shape)


def _check_at_most(name: str, part: Floats, whole_name: str, whole: Floats) -> None:
    # Counts may be means over replications, so sums of them carry rounding.
    bad = part > whole * (1 + 1e-9) + 1e-9
    if bad.any():
        raise ValueError(
            f"{name} must be at most {whole_name}; "
            f"got {float(part[bad][0])!r} of {float(whole[bad][0])!r}"
        )
