"""What every part of a scenario file is made of: frozen, named, and strict about its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ccsim.scenario.quantities import Share

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
FilePath = Annotated[str, Field(min_length=1, max_length=200)]
Positive = Annotated[float, Field(ge=0.001, le=1_000_000)]
PartOfAll = Annotated[Share, Field(lt=1)]


class Given(BaseModel):
    """Anything in a scenario file: frozen, and an unknown field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_means_the_default(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {
            key: given for key, given in value.items() if given is not None or key not in optional
        }

    source: str | None = None
    """Where the numbers come from: a document, a system, a calibration, or "assumption"."""


def one_of(given: Given, kinds: tuple[str, ...]) -> None:
    """Refuse anything but exactly one of the named fields."""
    chosen = [kind for kind in kinds if getattr(given, kind) is not None]
    if len(chosen) != 1:
        came = " and ".join(chosen) if chosen else "none"
        hint = "; in a variant, 'null' takes the other away" if len(chosen) > 1 else ""
        raise ValueError(f"write exactly one of {', '.join(kinds)}; {came} came{hint}")
