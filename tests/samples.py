"""Whether two samples are the same, to the last byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def arrays(of: Any, name: str = "sample") -> Iterator[tuple[str, np.ndarray]]:
    """Every array and number of a sample, or of several, by its name."""
    if is_dataclass(of):
        for field in fields(of):
            yield from arrays(getattr(of, field.name), f"{name}.{field.name}")
    elif isinstance(of, tuple):
        for number, part in enumerate(of):
            yield from arrays(part, f"{name}[{number}]")
    else:
        yield name, np.asarray(of)


def unequal(one: Any, other: Any) -> list[str]:
    """What differs in its bytes, its shape or its kind of number, or is in one of them only."""
    left, right = (
        {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays(of)} for of in (one, other)
    )
    return [name for name in left | right if left.get(name) != right.get(name)]
