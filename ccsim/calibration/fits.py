"""What a history of calls says about people: talk time, patience, calling again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PATIENCE_TIMES = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200)
SHORT_CALL = 10.0


@dataclass(frozen=True)
class TalkTime:
    """Talk time of one contact type.

    Attributes
    ----------
    calls : float
        Calls it rests on (a sum of weights).
    mean, median : float
        [s].
    cv : float
        Standard deviation ÷ mean.
    short_share : float
        Share of calls under 10 s.
    log_mean, log_sd : float
        Of the natural logarithm of the calls of 10 s and longer: the lognormal body of the mixture.
    table : tuple of (cumulative probability, seconds)
        Quantiles, to be read with straight lines between them, up to the longest call; all scaled
        by one factor close to 1 so that the table has exactly the mean of the calls.
    """

    calls: float
    mean: float
    median: float
    cv: float
    short_share: float
    log_mean: float
    log_sd: float
    table: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Patience:
    """How long callers are willing to wait, from waits that ended in either way.

    Attributes
    ----------
    waits, abandoned : int
        Calls that queued, and those among them that gave up.
    exponential_mean : float
        Seconds waited ÷ abandoned: the patience if it were exponential [s].
    median : float
        Where half have given up [s]; read off the tail where the waits do not reach so far.
    table : tuple of (seconds, share still waiting)
        Kaplan–Meier survival, to be read with straight lines between the rows, then the tail.
    low, high : tuple of float
        95 % limits (log-log Greenwood) of the first rows of `table`, as many as were observed.
    tail_from : float
        Beyond this time too few callers were still waiting: the tail is exponential [s].
    tail_mean : float
        Mean further patience in the tail [s].
    """

    waits: int
    abandoned: int
    exponential_mean: float
    median: float
    table: tuple[tuple[float, float], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    tail_from: float
    tail_mean: float


@dataclass(frozen=True)
class Redial:
    """Who calls again on the day they gave up, against who calls again anyway.

    Attributes
    ----------
    abandoned, answered : int
        Calls of known customers that were abandoned, and answered.
    again_after_abandoning, again_after_answer : float
        Share followed by another call of that customer on the same day.
    again_within_10_min, again_within_1_h : float
        Of those who abandoned.
    delay_median : float
        From giving up to the next call, of all who called again [s].
    probability : float
        Calls again *because* the call was abandoned: 1 − (1 − a) ÷ (1 − b), with a and b the two
        shares above.
    delay_median_because : float
        Median delay of those, from the same formula at each delay [s].
    """

    abandoned: int
    answered: int
    again_after_abandoning: float
    again_after_answer: float
    again_within_10_min: float
    again_within_1_h: float
    delay_median: float
    probability: float
    delay_median_because: float


@dataclass(frozen=True)
class CellPatience:
    """Mean patience read off the line 'abandonment = wait ÷ patience' over cells of history.

    Attributes
    ----------
    cells : int
        Cells used.
    patience : float
        From the line through the origin, cells weighted by their calls [s].
    correlation : float
        Between mean wait and share abandoned, over cells.
    intercept, patience_with_intercept : float
        The same line left free: a clear intercept means patience is not exponential [1], [s].
    """

    cells: int
    patience: float
    correlation: float
    intercept: float
    patience_with_intercept: float


def talk_time_fit(seconds: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> TalkTime:
    """Talk time in three forms: mean and spread, short calls and lognormal body, quantile table.

    Parameters
    ----------
    seconds : array_like (n_calls,)
        Talk time, above 0 [s].
    weights : array_like (n_calls,), optional
        How much of each call counts; 1 by default.

    Examples
    --------
    >>> fit = talk_time_fit([5, 60, 120, 180, 240])
    >>> fit.mean, fit.short_share
    (121.0, 0.2)
    """
    import numpy as np

    value = np.asarray(seconds, dtype=float)
    weight = np.ones_like(value) if weights is None else np.asarray(weights, dtype=float)
    if value.shape != weight.shape:
        raise ValueError(f"seconds {value.shape} and weights {weight.shape} differ in shape")
    value, weight = value[weight > 0], weight[weight > 0]
    if not len(value) or not (value > 0).all():
        raise ValueError("seconds: talk times above 0 s are needed, of one call or more")
    order = np.argsort(value, kind="stable")
    value, weight = value[order], weight[order]
    total = float(weight.sum())
    mean = float((weight * value).sum()) / total
    variance = float((weight * (value - mean) ** 2).sum()) / total
    body = value >= SHORT_CALL
    logs, in_body = np.log(value[body]), weight[body]
    log_mean = float((in_body * logs).sum() / in_body.sum()) if body.any() else float("nan")
    log_var = (in_body * (logs - log_mean) ** 2).sum() / in_body.sum() if body.any() else 0.0
    reached = np.cumsum(weight) / total
    return TalkTime(
        calls=total,
        mean=mean,
        median=float(value[np.searchsorted(reached, 0.5 - 1e-12)]),
        cv=variance**0.5 / mean,
        short_share=float(weight[~body].sum()) / total,
        log_mean=log_mean,
        log_sd=float(log_var) ** 0.5,
        table=_quantile_table(value, reached, mean),
    )


def patience_kaplan_meier(
    waited: npt.ArrayLike, abandoned: npt.ArrayLike, *, fewest_waiting: int = 50
) -> Patience:
    """Patience by Kaplan–Meier: an answered call says only that patience was longer than its wait.

    A call answered at once waited 0 s: it is censored at 0, is at risk at no later time and changes
    nothing, so such calls are dropped. The tail, where fewer than `fewest_waiting` callers are
    left, is exponential with the rate of giving up in the last half of what was seen; the table
    follows it down to 1 % of its start and ends at 0 where the mean of the rest is kept.

    Parameters
    ----------
    waited : array_like (n_calls,)
        Seconds in queue until answered or given up [s].
    abandoned : array_like of bool (n_calls,)
        Whether the caller gave up.
    fewest_waiting : int
        Callers still waiting that make a row worth believing; a quarter of all if that is less.

    Examples
    --------
    >>> fit = patience_kaplan_meier([10, 20, 30, 40], [True, False, True, False])
    >>> fit.exponential_mean
    50.0

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations.
    Journal of the American Statistical Association 53, 457-481. doi:10.1080/01621459.1958.10501452
    """
    import numpy as np
    from scipy import stats

    wait = np.asarray(waited, dtype=float)
    gave_up = np.asarray(abandoned, dtype=bool)
    if wait.shape != gave_up.shape:
        raise ValueError(f"waited {wait.shape} and abandoned {gave_up.shape} differ in shape")
    if (wait < 0).any() or not np.isfinite(wait).all():
        raise ValueError("waited: seconds of 0 or more are needed")
    wait, gave_up = wait[wait > 0], gave_up[wait > 0]
    events = int(gave_up.sum())
    if events < 2:
        raise ValueError(f"abandoned: {events} calls gave up after a wait; two or more are needed")
    waits = stats.CensoredData(  # type: ignore[attr-defined,no-untyped-call]
        uncensored=wait[gave_up], right=wait[~gave_up]
    )
    survival = stats.ecdf(waits).sf
    # Greenwood's formula divides by zero where nobody is left; those rows lie beyond the table.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        limits = survival.confidence_interval(method="log-log")

    ordered = np.sort(wait)
    grid = np.array(PATIENCE_TIMES, dtype=float)
    at_risk = len(ordered) - np.searchsorted(ordered, grid, side="left")
    enough = min(fewest_waiting, max(1, len(ordered) // 4))
    times = grid[: max(2, int((at_risk >= enough).sum()))]
    still = _step_at(survival.quantiles, survival.probabilities, times)
    low = _step_at(survival.quantiles, limits.low.probabilities, times)
    high = _step_at(survival.quantiles, limits.high.probabilities, times)
    tail_from = float(times[-1])

    late = gave_up & (wait > tail_from / 2)
    exposure = float(np.clip(wait - tail_from / 2, 0.0, None).sum())
    # With nobody giving up late, the rate over everything is the only one there is.
    rate = late.sum() / exposure if late.any() else events / float(wait.sum())
    tail = []
    if still[-1] > 0:
        steps = np.arange(1, 21)
        fade = 0.01 ** (steps / 20)
        tail = list(zip(tail_from - np.log(fade) / rate, still[-1] * fade, strict=True))
        # A straight line from s to 0 over 2/rate has the area s/rate of the exponential it ends.
        tail.append((tail[-1][0] + 2.0 / rate, 0.0))
    table = [*zip(times, still, strict=True), *tail]
    below = survival.probabilities <= 0.5
    median = float(survival.quantiles[below.argmax()]) if below.any() else float("inf")
    if median > tail_from and still[-1] > 0.5:
        # A step among the last few callers is chance; the tail says it more steadily.
        median = float(np.interp(-0.5, [-s for _, s in table], [t for t, _ in table]))
    return Patience(
        waits=len(wait),
        abandoned=events,
        exponential_mean=float(wait.sum()) / events,
        median=median,
        table=tuple((float(t), float(s)) for t, s in table),
        # Where nobody or everybody is left the formula has no value: nothing is known there.
        low=tuple(np.nan_to_num(low, nan=0.0).tolist()),
        high=tuple(np.nan_to_num(high, nan=1.0).tolist()),
        tail_from=tail_from,
        tail_mean=1.0 / float(rate),
    )


def redial_share(
    *,
    customer: npt.ArrayLike,
    day: npt.ArrayLike,
    arrival: npt.ArrayLike,
    ended: npt.ArrayLike,
    abandoned: npt.ArrayLike,
    answered: npt.ArrayLike,
) -> Redial:
    """How many customers who gave up call again the same day, and how many because of it.

    Limits: only calls with a known customer count, on both ends; where the file names customers
    only when they queue, a next call that found an idle agent is not seen (after either outcome).

    Parameters
    ----------
    customer : array_like (n_calls,)
        Number of the customer; 0 is unknown and left out.
    day : array_like (n_calls,)
        Label of the day.
    arrival, ended : array_like (n_calls,)
        When the call came and when it ended, on one clock [s].
    abandoned, answered : array_like of bool (n_calls,)
        Outcome; a call that is neither only counts as a call made again.
    """
    import numpy as np
    import pandas as pd

    calls = pd.DataFrame(
        {"customer": customer, "day": day, "arrival": arrival, "ended": ended}
    ).assign(abandoned=np.asarray(abandoned, bool), answered=np.asarray(answered, bool))
    calls = calls[calls["customer"] != 0].sort_values("arrival", kind="stable")
    calls["delay"] = calls.groupby(["customer", "day"])["arrival"].shift(-1) - calls["ended"]
    after_abandoning = calls.loc[calls["abandoned"], "delay"].to_numpy(float)
    after_answer = calls.loc[calls["answered"], "delay"].to_numpy(float)
    if not len(after_abandoning) or not len(after_answer):
        raise ValueError("customer: no known customer abandoned, or none was answered")

    def by(delays: npt.NDArray[np.float64], seconds: float) -> float:
        return float((delays <= seconds).mean())  # a missing delay is never within

    def because(seconds: float) -> float:
        anyway = by(after_answer, seconds)
        if anyway >= 1.0:
            return 0.0
        return max(0.0, 1.0 - (1.0 - by(after_abandoning, seconds)) / (1.0 - anyway))

    forever = float("inf")
    delays = np.sort(after_abandoning[np.isfinite(after_abandoning)])
    half = because(forever) / 2
    reached = (float(delay) for delay in delays if because(float(delay)) >= half > 0)
    return Redial(
        abandoned=len(after_abandoning),
        answered=len(after_answer),
        again_after_abandoning=by(after_abandoning, forever),
        again_after_answer=by(after_answer, forever),
        again_within_10_min=by(after_abandoning, 600.0),
        again_within_1_h=by(after_abandoning, 3600.0),
        delay_median=float(np.median(delays)) if len(delays) else float("nan"),
        probability=because(forever),
        delay_median_because=next(reached, float("nan")),
    )


def patience_from_cells(
    cell: npt.ArrayLike, waited: npt.ArrayLike, abandoned: npt.ArrayLike, *, at_least: int = 20
) -> CellPatience:
    """Mean patience from totals by cell: if exponential, abandonment = wait ÷ patience.

    A check of Kaplan–Meier that needs no single call: totals by day and hour do. Least squares with
    each cell weighted by its calls.

    Parameters
    ----------
    cell : array_like (n_calls,)
        Label of each call's cell, e.g. day and hour.
    waited : array_like (n_calls,)
        Seconds in queue, 0 when answered at once [s].
    abandoned : array_like of bool (n_calls,)
    at_least : int
        Cells with fewer calls are left out.

    References
    ----------
    Brown, L. et al. (2005). Statistical analysis of a telephone call center: a queueing-science
    perspective. Journal of the American Statistical Association 100, 36-50.
    doi:10.1198/016214504000001808
    """
    import numpy as np

    _, label, size = np.unique(np.asarray(cell), return_inverse=True, return_counts=True)
    used = size >= at_least
    if used.sum() < 3:
        raise ValueError(f"cell: {used.sum()} cells of {at_least} calls or more; three are needed")
    wait = (np.bincount(label, np.asarray(waited, float)) / size)[used]
    share = (np.bincount(label, np.asarray(abandoned, float)) / size)[used]
    if not wait.any() or not share.any():
        raise ValueError("waited: nobody waited or nobody abandoned, so there is no line")
    calls = size[used]
    slope, intercept = np.polyfit(wait, share, 1, w=np.sqrt(calls))
    return CellPatience(
        cells=int(used.sum()),
        patience=float((calls * wait**2).sum() / (calls * wait * share).sum()),
        correlation=float(np.corrcoef(wait, share)[0, 1]),
        intercept=float(intercept),
        patience_with_intercept=float(1.0 / slope),
    )


def _quantile_table(
    value: npt.NDArray[np.float64], reached: npt.NDArray[np.float64], mean: float
) -> tuple[tuple[float, float], ...]:
    import numpy as np

    levels = np.r_[np.arange(98) / 100, 0.98, 0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999, 1.0]
    at = np.minimum(np.searchsorted(reached, levels - 1e-12), len(value) - 1)
    seconds = value[at]
    # Chords lie above a convex quantile curve; the scale takes the excess out of the mean.
    seconds = seconds * mean / float((np.diff(levels) * (seconds[1:] + seconds[:-1]) / 2).sum())
    return tuple(
        (float(level), float(second)) for level, second in zip(levels, seconds, strict=True)
    )


def _step_at(
    times: npt.NDArray[np.float64], survival: npt.NDArray[np.float64], at: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Survival just after each time: 1 before the first event."""
    import numpy as np

    position = np.searchsorted(times, at, side="right") - 1
    return np.where(position >= 0, survival[np.maximum(position, 0)], 1.0)
