"""Fields that are written with a unit: kept as plain numbers, written again as they came."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ccsim.scenario.units import (
    NUMBER,
    Money,
    parse_duration,
    parse_money,
    parse_rate,
    parse_share,
    parse_share_range,
    write_duration,
    write_rate,
    write_share,
    write_share_range,
)


def _text(what: str, pattern: str, example: str) -> WithJsonSchema:
    schema = {"type": "string", "title": what, "pattern": pattern, "examples": [example]}
    return WithJsonSchema(schema)


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration),
    _text("a length of time", rf"^\s*({NUMBER}\s*[A-Za-z]+\s*)+$", "30 min"),
]
"""A length of time, kept in whole microseconds."""

Length = Annotated[Duration, Field(gt=0)]
"""A length of time above zero."""

Share = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(write_share),
    _text("a share", rf"^\s*{NUMBER}\s*%\s*$", "10%"),
]
"""A percentage, kept as a fraction from 0 to 1."""

ShareRange = Annotated[
    tuple[float, float],
    BeforeValidator(parse_share_range),
    PlainSerializer(write_share_range),
    _text("a share or a range", rf"^\s*{NUMBER}\s*%\s*(-\s*{NUMBER}\s*%\s*)?$", "40% - 80%"),
]
"""A percentage or a range of them, kept as the smaller and the larger fraction."""

Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(write_rate),
    _text("a rate", rf"^\s*{NUMBER}\s*[A-Za-z]+\s*/\s*[A-Za-z]+\s*$", "200 calls/h"),
]
"""Contacts per hour."""

Price = Annotated[
    Money,
    BeforeValidator(parse_money),
    PlainSerializer(str),
    _text("a price", rf"^\s*{NUMBER}\s*[A-Z]{{3}}\s*$", "21.50 USD"),
]
"""Money with its currency."""
