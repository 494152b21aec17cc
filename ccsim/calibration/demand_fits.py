"""What a history of counts says about demand: a typical week, odd days, the forecast's error."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccsim.scenario.hours import WEEKDAYS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

ROBUST_SD = 1.4826  # a median absolute deviation times this is the sd of a normal law


@dataclass(frozen=True)
class DayFactor:
    """A factor with mean 1 that a whole day shares, as a gamma law with its uncertainty.

    Attributes
    ----------
    shape, shape_low, shape_high : float
        Gamma shape k and its 95 % limits; the factor's sd is 1/√k. Infinite: no variation seen.
    mean_ratio : float
        Mean of actual ÷ expected over the days; away from 1 it is a bias that the factor leaves.
    days : int
        Days that the estimate rests on.
    """

    shape: float
    shape_low: float
    shape_high: float
    mean_ratio: float
    days: int


def unusual_days(
    daily: pd.Series[float], *, weeks: int = 4, threshold: float = 3.0
) -> pd.Series[float]:
    """Days that no typical week should hold: holidays, strikes, a file that broke off.

    Each day is compared with the median of the same weekday in the weeks around it. A day is
    unusual when |log(day ÷ median)| exceeds `threshold` robust standard deviations (1.4826 × the
    median absolute deviation of all log ratios). Limits: a holiday that falls in a run of holidays
    may hide; a half-day holiday in a volatile centre passes.

    Parameters
    ----------
    daily : Series
        Contacts of each day, indexed by day.
    weeks : int
        Weeks to look back and ahead.
    threshold : float
        Robust standard deviations.

    Returns
    -------
    Series
        Day ÷ median, for the unusual days only, in order of date.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-01-05", periods=70)
    >>> daily = pd.Series([100.0 + 3 * (i % 5) for i in range(70)], index=days)
    >>> daily["2026-02-10"] = 20.0
    >>> unusual_days(daily).round(2).to_dict()
    {Timestamp('2026-02-10 00:00:00'): 0.19}
    """
    import numpy as np
    import pandas as pd

    daily = daily.sort_index()
    weekday = pd.DatetimeIndex(daily.index).day_of_week
    values = daily.to_numpy(np.float64)
    ordinal = pd.DatetimeIndex(daily.index).normalize().to_numpy().astype("datetime64[D]")
    ratio = np.ones(len(values))
    for day, total in enumerate(values):
        apart = np.abs((ordinal - ordinal[day]).astype(np.int64))
        around = values[(weekday == weekday[day]) & (apart <= 7 * weeks) & (apart > 0)]
        if len(around):
            # A tenth of a contact keeps the logarithm of an empty day finite (and unusual).
            ratio[day] = (total + 0.1) / (float(np.median(around)) + 0.1)
    logs = np.log(ratio) - float(np.median(np.log(ratio)))
    spread = ROBUST_SD * float(np.median(np.abs(logs)))
    unusual = np.abs(logs) > threshold * spread + 1e-9
    return pd.Series(ratio[unusual], index=daily.index[unusual])


def unusual_intervals(counts: pd.DataFrame, *, threshold: float = 6.0) -> pd.Series[float]:
    """Single intervals that burst far beyond their weekday's median: an outage, a mailing.

    An interval is a burst when count − m > threshold · √(m + (m/4)²), with m the median count of
    the same weekday and time: chance of a Poisson count and a busy day of a quarter above the rest.

    Returns
    -------
    Series
        The count of each burst, indexed by start.
    """
    median = counts.groupby(_week_key(counts))["count"].transform("median")
    allowed = median + threshold * (median + (0.25 * median) ** 2) ** 0.5
    # An interval that is normally empty has no scale to be compared with.
    burst = (counts["count"] > allowed) & (median >= 1)
    found: pd.Series[float] = counts.loc[burst, "count"].sort_index()
    return found


def weekday_profile(
    counts: pd.DataFrame,
    *,
    without_days: Collection[pd.Timestamp] = (),
    without_intervals: Collection[pd.Timestamp] = (),
) -> pd.DataFrame:
    """Mean contacts by weekday and time of day: the typical week.

    Parameters
    ----------
    counts : DataFrame
        Column `count`, indexed by local start of interval.
    without_days, without_intervals : collections of Timestamp
        Left out of the mean, as from `unusual_days` and `unusual_intervals`.

    Returns
    -------
    DataFrame
        `weekday` (mon … sun), `start` (HH:MM), `mean`, `standard_error` of the mean (from the
        spread between days; missing with one day), `days` used.

    Examples
    --------
    >>> import pandas as pd
    >>> starts = pd.date_range("2026-01-05 09:00", periods=4, freq="7D")
    >>> weekday_profile(pd.DataFrame({"count": [90.0, 100.0, 110.0, 100.0]}, index=starts))
      weekday  start   mean  standard_error  days
    0     mon  09:00  100.0        4.082483     4
    """
    import pandas as pd

    index = pd.DatetimeIndex(counts.index)
    used = counts[
        ~index.normalize().isin(list(without_days)) & ~index.isin(list(without_intervals))
    ]
    if used.empty:
        raise ValueError("counts: no interval is left after leaving out the unusual days")
    groups = used.groupby(_week_key(used))["count"]
    table = pd.DataFrame({"mean": groups.mean(), "standard_error": groups.sem()})
    table["days"] = groups.size()
    weekday, start = zip(*(key.split() for key in table.index), strict=True)
    table.insert(0, "weekday", [WEEKDAYS[int(number)] for number in weekday])
    table.insert(1, "start", list(start))
    return table.reset_index(drop=True)


def trailing_forecast(daily: pd.Series[float], *, weeks: int = 6) -> pd.Series[float]:
    """Forecast as planners do: each day the mean of the same weekday's last `weeks` days.

    Missing for the first `weeks` days of each weekday. Unusual days are best removed before: a
    planner knows a holiday and does not forecast from it.
    """
    import pandas as pd

    weekday = pd.DatetimeIndex(daily.index).day_of_week
    past = daily.groupby(weekday).transform(lambda same: same.shift(1).rolling(weeks).mean())
    return past.astype(float)


def forecast_error(totals: npt.ArrayLike, forecast: npt.ArrayLike) -> DayFactor:
    """How far days stray from their forecast beyond pure chance, as a gamma factor.

    A day's total is Poisson(forecast · B), B gamma with mean 1 and shape k. With r = total ÷
    forecast, mean r̄ and variance s²: 1/k = (s² − r̄ · mean(1/forecast)) ÷ r̄². The limits take the
    variance of s² from the fourth moment, days as independent; consecutive days share part of a
    forecast, so the true limits are somewhat wider.

    Parameters
    ----------
    totals, forecast : array_like (n_days,)
        Contacts that came, and that were expected; days where either is missing are skipped.

    Examples
    --------
    >>> fit = forecast_error([900, 1100, 1000, 1200, 800], [1000] * 5)
    >>> round(fit.shape, 1)  # sd of the ratio 15.8 %, of which 3.2 % is chance
    41.7
    """
    import numpy as np

    total = np.asarray(totals, dtype=float)
    expected = np.asarray(forecast, dtype=float)
    if total.shape != expected.shape:
        raise ValueError(f"totals {total.shape} and forecast {expected.shape} differ in shape")
    seen = np.isfinite(total) & np.isfinite(expected)
    total, expected = total[seen], expected[seen]
    if len(total) < 3:
        raise ValueError(f"totals: {len(total)} days with a forecast; three or more are needed")
    if (expected <= 0).any():
        raise ValueError("forecast: every day needs a forecast above 0")
    ratio = total / expected
    mean = float(ratio.mean())
    variance = float(ratio.var(ddof=1))
    fourth = float(((ratio - mean) ** 4).mean())
    excess = (variance - mean * float((1.0 / expected).mean())) / mean**2
    error = float(np.sqrt(max(fourth - variance**2, 0.0) / len(ratio))) / mean**2
    return DayFactor(
        shape=_shape(excess),
        shape_low=_shape(excess + 1.96 * error),
        shape_high=_shape(excess - 1.96 * error),
        mean_ratio=mean,
        days=len(ratio),
    )


def talk_day_factor(day: npt.ArrayLike, seconds: npt.ArrayLike) -> DayFactor:
    """How much the mean talk time moves from day to day beyond the chance of who called.

    One-way analysis of variance on calls within days: with mean squares between (MSB) and within
    (MSW) and n₀ the effective calls per day, the days' variance is (MSB − MSW) ÷ n₀, and 1/k is
    that over the squared mean. The limits come from the F law of MSB ÷ MSW; daily means of hundreds
    of calls are near enough to normal for it.

    Parameters
    ----------
    day : array_like (n_calls,)
        Label of each call's day.
    seconds : array_like (n_calls,)
        Talk time [s].
    """
    import numpy as np
    from scipy import special

    value = np.asarray(seconds, dtype=float)
    _, label, size = np.unique(np.asarray(day), return_inverse=True, return_counts=True)
    if len(label) != len(value):
        raise ValueError(f"day has {len(label)} labels for {len(value)} talk times")
    days, calls = len(size), len(value)
    if days < 2 or calls <= days:
        raise ValueError(f"day: {days} days with {calls} calls; two days and several calls needed")
    means = np.bincount(label, value) / size
    grand = float(value.mean())
    between = float((size * (means - grand) ** 2).sum()) / (days - 1)
    within = float(((value - means[label]) ** 2).sum()) / (calls - days)
    effective = (calls - float((size**2).sum()) / calls) / (days - 1)

    def one_over_shape(quantile: float) -> float:
        return (between / quantile - within) / effective / grand**2

    return DayFactor(
        shape=_shape(one_over_shape(1.0)),
        shape_low=_shape(one_over_shape(float(special.fdtri(days - 1, calls - days, 0.025)))),
        shape_high=_shape(one_over_shape(float(special.fdtri(days - 1, calls - days, 0.975)))),
        mean_ratio=1.0,
        days=days,
    )


def _shape(one_over_shape: float) -> float:
    return 1.0 / one_over_shape if one_over_shape > 0 else float("inf")


def _week_key(counts: pd.DataFrame) -> pd.Index[str]:
    """Sortable text of weekday number and time, e.g. '0 09:30'."""
    import pandas as pd

    index = pd.DatetimeIndex(counts.index)
    numbers = index.day_of_week.to_numpy()
    clock = index.strftime("%H:%M")
    return pd.Index([f"{number} {time}" for number, time in zip(numbers, clock, strict=True)])
