"""How long things take: talk, wrap-up, patience, delays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ccsim.scenario.given import FilePath, Given, Name, Positive, one_of
from ccsim.scenario.quantities import Duration, Length, Share


class Constant(Given):
    """Always the same length."""

    value: Duration
    """The length."""


class Exponential(Given):
    """Memoryless, the assumption of the Erlang formulas."""

    mean: Length
    """The mean length."""


class Lognormal(Given):
    """Lognormal: the usual shape of talk times."""

    mean: Length
    """The mean length (not the median)."""
    cv: Positive
    """Coefficient of variation: standard deviation divided by mean."""


class Weibull(Given):
    """Weibull: shape below 1 means that who has waited long tends to stay."""

    mean: Length
    """The mean length."""
    shape: Positive
    """1 is exponential; below 1 the rate falls with time, above 1 it grows."""


class Empirical(Given):
    """A measured distribution: a table of quantiles in a CSV file."""

    file: FilePath
    """CSV with the columns `cumulative` (0 to 1, rising) and `seconds`."""


class Survival(Given):
    """A measured patience: the share still waiting after so many seconds (Kaplan-Meier)."""

    file: FilePath
    """CSV with the columns `seconds` and `still_waiting` (1 at 0 s, falling)."""
    tail: Literal["exponential", "never"] = "exponential"
    """Beyond the last row: the mean hazard goes on, or whoever stayed so long never leaves."""


class Component(Given):
    """One part of a mixture."""

    share: Share
    """The share of contacts of this part; all shares add to 100%."""
    constant: Constant | None = None
    """Always the same length."""
    exponential: Exponential | None = None
    """Memoryless."""
    lognormal: Lognormal | None = None
    """Lognormal."""
    weibull: Weibull | None = None
    """Weibull."""
    empirical: Empirical | None = None
    """A measured table of quantiles."""

    @model_validator(mode="before")
    @classmethod
    def _bare_constant(cls, value: Any) -> Any:
        return bare_constant(value)

    @model_validator(mode="after")
    def _one_kind(self) -> Component:
        one_of(self, ("constant", "exponential", "lognormal", "weibull", "empirical"))
        return self


class Stage(Given):
    """One stage of the work: exactly one kind of distribution, and how much of it is left."""

    scale: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """Multiplies the length of this stage: 0.6 where assistance saves two fifths of it."""
    constant: Constant | None = None
    """Always the same length."""
    exponential: Exponential | None = None
    """Memoryless."""
    lognormal: Lognormal | None = None
    """Lognormal."""
    weibull: Weibull | None = None
    """Weibull."""
    empirical: Empirical | None = None
    """A measured table of quantiles."""
    mixture: dict[Name, Component] | None = None
    """Several kinds of contact, each with its share: with `constant: 0 s` those that do not need
    the stage."""

    @model_validator(mode="before")
    @classmethod
    def _bare_constant(cls, value: Any) -> Any:
        return bare_constant(value)

    @model_validator(mode="after")
    def _one_kind(self) -> Stage:
        one_of(self, ("constant", "exponential", "lognormal", "weibull", "empirical", "mixture"))
        check_shares(self.mixture)
        return self


class HandleDistribution(Given):
    """How long something takes; exactly one kind. A bare duration is a constant."""

    constant: Constant | None = None
    """Always the same length."""
    exponential: Exponential | None = None
    """Memoryless, the assumption of the Erlang formulas."""
    lognormal: Lognormal | None = None
    """Lognormal: the usual shape of talk times."""
    weibull: Weibull | None = None
    """Weibull."""
    empirical: Empirical | None = None
    """A measured table of quantiles, from a CSV file."""
    mixture: dict[Name, Component] | None = None
    """Several kinds of contact in one, each with its share."""
    stages: dict[Name, Stage] | None = None
    """What is done one after the other, each stage with its own length: their independent lengths
    add up. Of `talk_time` and `wrap_up` only."""

    @model_validator(mode="before")
    @classmethod
    def _bare_constant(cls, value: Any) -> Any:
        return bare_constant(value)

    @model_validator(mode="after")
    def _one_kind(self) -> HandleDistribution:
        kinds = ("constant", "exponential", "lognormal", "weibull", "empirical", "mixture")
        one_of(self, (*kinds, "stages"))
        check_shares(self.mixture)
        return self


class PatienceDistribution(Given):
    """How long a customer waits before giving up; exactly one kind."""

    exponential: Exponential | None = None
    """Memoryless, the assumption of Erlang A."""
    lognormal: Lognormal | None = None
    """Lognormal."""
    weibull: Weibull | None = None
    """Weibull."""
    survival: Survival | None = None
    """A measured table of who is still waiting, from a CSV file."""
    constant: Constant | None = None
    """Everybody waits equally long."""

    @model_validator(mode="before")
    @classmethod
    def _bare_constant(cls, value: Any) -> Any:
        return bare_constant(value)

    @model_validator(mode="after")
    def _one_kind(self) -> PatienceDistribution:
        one_of(self, ("exponential", "lognormal", "weibull", "survival", "constant"))
        return self


def check_shares(mixture: Mapping[str, Component] | None) -> None:
    """Refuse a mixture whose shares do not add to 100%."""
    if mixture is not None:
        total = sum(component.share for component in mixture.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the shares of the mixture add to {total:.2%}, not to 100%")


def bare_constant(value: Any) -> Any:
    """``10 s`` is short for a constant; ``constant: 10 s`` for its only field."""
    if isinstance(value, str):
        return {"constant": {"value": value}}
    if isinstance(value, Mapping) and isinstance(value.get("constant"), str):
        return {**value, "constant": {"value": value["constant"]}}
    return value
