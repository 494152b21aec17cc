"""Arguments of the formulas: checked, made float, broadcast; results given back in their shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

FloatOrArray: TypeAlias = Any
"""A float when every argument was a scalar, else a float array of the broadcast shape."""

IntOrArray: TypeAlias = Any
"""An int when every argument was a scalar, else an int64 array of the broadcast shape."""


def _numbers(name: str, value: ArrayLike) -> Floats:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be a number or an array of numbers; got {value!r}"
        ) from error


def _refuse(name: str, rule: str, array: Floats, bad: Flags) -> None:
    if bad.any():
        raise ValueError(f"{name} must be {rule}; got {float(array[bad].flat[0])!r}")


def number(name: str, value: ArrayLike) -> Floats:
    """Any finite number."""
    array = _numbers(name, value)
    _refuse(name, "a finite number", array, ~np.isfinite(array))
    return array


def positive_number(name: str, value: ArrayLike) -> Floats:
    """More than zero, may be infinite."""
    array = _numbers(name, value)
    _refuse(name, "more than zero", array, ~(array > 0))
    return array


def quantity(name: str, value: ArrayLike) -> Floats:
    """Zero or more, and finite: a load, a number of agents, a count."""
    array = _numbers(name, value)
    _refuse(name, "zero or more, and finite", array, ~((array >= 0) & (array < np.inf)))
    return array


def duration(name: str, value: ArrayLike) -> Floats:
    """Zero or more, may be infinite: a threshold, a patience."""
    array = _numbers(name, value)
    _refuse(name, "zero or more", array, ~(array >= 0))
    return array


def positive_duration(name: str, value: ArrayLike) -> Floats:
    """More than zero, and finite: a handle time."""
    array = _numbers(name, value)
    _refuse(name, "more than zero, and finite", array, ~((array > 0) & (array < np.inf)))
    return array


def fraction(name: str, value: ArrayLike) -> Floats:
    """Between 0 and 1: a share, never a percentage."""
    array = _numbers(name, value)
    rule = "a fraction between 0 and 1 (0.8 for 80 %)"
    _refuse(name, rule, array, ~((array >= 0) & (array <= 1)))
    return array


def positive_fraction(name: str, value: ArrayLike) -> Floats:
    """Above 0 and up to 1: a ceiling that some number of agents can keep."""
    array = _numbers(name, value)
    rule = "a fraction above 0 and up to 1 (0.85 for 85 %)"
    _refuse(name, rule, array, ~((array > 0) & (array <= 1)))
    return array


def single(name: str, values: Floats) -> float:
    """The number of an argument that takes only one."""
    if values.ndim:
        raise ValueError(f"{name} must be one number; got {values.tolist()!r}")
    return float(values)


def whole_numbers(values: Floats) -> Iterator[tuple[NDArray[np.int64], Floats, Floats]]:
    """Split each number between the whole ones around it, as if each were so part of the time.

    First all that are below, then all that are above: their places, the whole numbers, and the
    shares of the time. What is whole stands below, with a share of 1.
    """
    below = np.floor(values)
    above = values - below
    for whole, share in ((below, 1 - above), (below + 1, above)):
        where = np.flatnonzero(share > 0)
        if where.size:
            yield where, whole[where], share[where]


def flattened(*arrays: Floats) -> tuple[tuple[int, ...], list[Floats]]:
    """Broadcast together as NumPy does; give the common shape and one flat copy of each."""
    together = np.broadcast_arrays(*arrays)
    return together[0].shape, [array.reshape(-1) for array in together]


def floats(values: Floats, shape: tuple[int, ...]) -> FloatOrArray:
    """Flat values in their shape again; a float where the shape is that of a scalar."""
    return values.reshape(shape) if shape else float(values[0])


def integers(values: Floats, shape: tuple[int, ...]) -> IntOrArray:
    """Whole numbers kept as floats, as int64 in their shape; an int for a scalar."""
    return values.astype(np.int64).reshape(shape) if shape else int(values[0])
