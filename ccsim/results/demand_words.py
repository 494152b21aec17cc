"""What changes a demand, in sentences: special days, causes, incidents, forecast errors."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING

from ccsim.performance.words import day_name

if TYPE_CHECKING:
    from ccsim.demand.incidents import IncidentModel
    from ccsim.demand.model import ContactTypeDemand
    from ccsim.scenario import Case
    from ccsim.scenario.demand import ForecastError, OtherDay
    from ccsim.scenario.model import ContactType


def special_days(case: Case) -> Iterator[str]:
    """Each special day of the horizon: when it is, and what is different for whom."""
    from ccsim.scenario.special_days import dates_of

    for name, special in case.scenario.special_days.items():
        days = dates_of(special, case.scenario.horizon)
        if days:
            yield f"{name}: {', '.join(day_name(day.isoformat()) for day in days)}"
            for contact_type, other in special.contact_types.items():
                yield f"  {contact_type} {_different(other)}"


def _different(other: OtherDay) -> str:
    from ccsim.scenario.hours import WEEKDAYS, write_spans

    said = []
    if other.open is not None:
        spans = write_spans(other.open)
        said.append(spans if isinstance(spans, str) else f"open {', '.join(spans)}")
    if other.like is not None:
        said.append(f"like {WEEKDAYS[other.like]}")
    if other.scale != 1:
        said.append(f"demand × {other.scale:g}")
    return ", ".join(said)


def forecast(case: Case, wanted: ContactType) -> Iterator[str]:
    """How far a day is off, by which lead, and what it has in common with others."""
    error = wanted.demand.forecast_error
    if error is None:
        return
    off = sqrt(1 / error.shape(case.scenario.horizon.published))
    whole = "a part of a day" if error.parts is not None else "a day"
    yield f"  forecast error: {whole} is off by {off:.1%} (one standard deviation)"
    if error.gamma_by_lead is not None:
        yield f"    {_by_lead(error, case.scenario.horizon.published)}"
    if error.parts is not None:
        from ccsim.scenario.hours import write_clock

        parts = ", ".join(map(write_clock, error.parts.begin))
        yield (
            f"    another part begins at {parts}; two parts of one day are correlated by "
            f"{error.parts.correlation:.0%}"
        )
    if error.shared:
        yield f"    {error.shared:.0%} of it is shared: the correlation with others of that share"


def _by_lead(error: ForecastError, published: int | None) -> str:
    from ccsim.scenario.units import write_duration

    leads = [lead for lead, _ in error.by_lead]
    when = "" if published is None else write_duration(published)
    if published in leads:
        return f"as of the plan published {when} before"
    return (
        f"as of the plan published {when} before; the variance lies on the line between "
        f"{write_duration(max(lead for lead in leads if lead < (published or 0)))} and "
        f"{write_duration(min(lead for lead in leads if lead > (published or 0)))}"
    )


def stages(case: Case, wanted: ContactType) -> Iterator[str]:
    """How long each stage of the work takes on average, and its share of that work."""
    from ccsim.demand.model import stage_table
    from ccsim.demand.table import mean_seconds

    for what, work in (("talk time", wanted.talk_time), ("wrap-up", wanted.wrap_up)):
        if work is None or work.stages is None:
            continue
        means = {
            name: mean_seconds(stage_table(stage, case.tables))
            for name, stage in work.stages.items()
        }
        whole = sum(means.values())
        yield f"  {what} by stages, {whole:.1f} s in all:"
        for name, mean in means.items():
            scale = work.stages[name].scale
            scaled = "" if scale == 1 else f" ({mean / scale:.1f} s × {scale:g})"
            yield f"    {name} {mean:.1f} s{scaled}, {mean / whole:.1%}" if whole else f"    {name}"


def changes(given: ContactTypeDemand, wanted: ContactType) -> Iterator[str]:
    """What causes no longer bring and incidents bring, on average, and what comes in all."""
    from ccsim.scenario.units import write_duration, write_share, write_share_range

    for cause in given.causes:
        one = wanted.demand.causes[cause.name]
        gone = float((given.fresh * cause.effect).sum()) * (cause.least + cause.most) / 2
        pace = f", after {write_duration(one.lag)}" if one.lag else ""
        pace += f", growing over {write_duration(one.ramp)}" if one.ramp else ""
        yield (
            f"  {cause.name}: {write_share_range(one.removed)} of its {write_share(one.share)} of "
            f"requests goes away from {one.start}{pace}"
        )
        yield f"    {gone:,.1f} requests of the horizon, which the results no longer count"
    for incident in given.incidents:
        yield from _incident(incident)
    if given.causes or given.incidents:
        yield f"  {float(given.expected.sum()):,.1f} first attempts in all"


def _incident(incident: IncidentModel) -> Iterator[str]:
    from ccsim.demand.keyed import CERTAIN_PPM as PPM

    brings, saved = float(incident.mean.sum()), float(incident.saved.sum())
    longer = "" if incident.talk_ppm == PPM else f", talk time × {incident.talk_ppm / PPM:g}"
    yield f"  {incident.name} brings {brings:,.1f} contacts{longer}"
    if saved:
        yield f"    its notice saves {saved:,.1f}, so {brings - saved:,.1f} come"
    if incident.shut_out >= 0.05:
        yield (
            f"    {incident.shut_out:,.1f} more find it closed or come after the horizon; "
            "they are not counted"
        )
