"""Exact money: amounts are whole millionths of the currency, and parts add up to their whole.

Floats would lose cents on a large bill, and int64 products of microseconds and prices overflow;
so everything here is whole numbers and fractions, rounded once, where it is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ccsim.scenario.units import Money

Integers = NDArray[np.int64]

MILLIONTHS = 1_000_000
"""Parts of one unit of currency in which the amount of each replication is kept."""

# ISO 4217: currencies whose smallest coin is not a hundredth.
_WHOLE = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def cent(currency: str) -> Decimal:
    """Smallest amount that is written in a currency.

    Examples
    --------
    >>> cent("USD"), cent("JPY")
    (Decimal('0.01'), Decimal('1'))
    """
    digits = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    return Decimal(1).scaleb(-digits)


def exact(number: float) -> Fraction:
    """Fraction that a decimal number was written as: 0.3 is three tenths."""
    return Fraction(repr(float(number)))


def to_the_cent(amounts: Sequence[Fraction], currency: str) -> tuple[Decimal, ...]:
    """Round amounts so that they add up to their rounded total (largest remainder).

    Every amount is first cut to whole cents; the cents then missing go to those that lost most,
    the first among equals. No amount moves by a whole cent or more.

    Parameters
    ----------
    amounts
        Exact amounts, 0 or more [currency].
    currency
        Three letters; yen are rounded to the yen.

    Examples
    --------
    >>> to_the_cent([Fraction(100, 3)] * 3, "USD")
    (Decimal('33.34'), Decimal('33.33'), Decimal('33.33'))
    """
    unit = cent(currency)
    cents = [amount / Fraction(unit) for amount in amounts]
    return tuple(count * unit for count in _whole_parts(cents, round(sum(cents, Fraction(0)))))


def spread(total: Decimal, weights: Sequence[Fraction], currency: str) -> tuple[Decimal, ...]:
    """Spread a total in proportion to weights, to the cent (largest remainder).

    Raises
    ------
    ValueError
        A weight is negative, or there is something to spread and nothing to spread it over.

    Examples
    --------
    >>> spread(Decimal("10.00"), [Fraction(2), Fraction(1)], "USD")
    (Decimal('6.67'), Decimal('3.33'))
    """
    if any(weight < 0 for weight in weights):
        raise ValueError(f"weights {[float(weight) for weight in weights]} must be 0 or more")
    unit = cent(currency)
    cents = int(total / unit)
    whole = sum(weights, Fraction(0))
    if not whole:
        if cents:
            raise ValueError(f"{total} {currency} cannot be spread: every weight is 0")
        return tuple(0 * unit for _ in weights)
    shares = [weight * cents / whole for weight in weights]
    return tuple(count * unit for count in _whole_parts(shares, cents))


def _whole_parts(shares: Sequence[Fraction], whole: int) -> list[int]:
    """Whole numbers that add up to `whole`, each a share rounded down or up."""
    counts = [int(share) for share in shares]
    by_loss = sorted(range(len(shares)), key=lambda i: (counts[i] - shares[i], i))
    for i in by_loss[: whole - sum(counts)]:
        counts[i] += 1
    return counts


def times(quantities: Integers, factor: Fraction) -> Integers:
    """Multiply whole numbers with an exact factor and round (half up), without overflow inside."""
    product = quantities.astype(object) * (2 * factor.numerator) + factor.denominator
    return frozen(product // (2 * factor.denominator))


def share_out(amounts: Integers, weights: Sequence[Integers]) -> tuple[Integers, ...]:
    """Share each replication's amount out in proportion to its weights; the parts add up exactly.

    Where all weights of a replication are 0, the parts are equal.

    Parameters
    ----------
    amounts : (replications,)
        What is shared out [millionths], 0 or more.
    weights : sequence of (replications,)
        At least one; 0 or more.

    Notes
    -----
    The running total up to each part is cut to whole millionths, so that every part is within one
    millionth of its share and the last running total is the amount itself.

    Examples
    --------
    >>> first, second = share_out(np.array([100, 7]), [np.array([3, 0]), np.array([1, 0])])
    >>> first.tolist(), second.tolist()
    ([75, 3], [25, 4])
    """
    given = np.stack([weight.astype(object) for weight in weights])
    running = np.cumsum(np.where(given.sum(axis=0) == 0, 1, given), axis=0)
    upto = amounts.astype(object) * running // running[-1]
    return tuple(frozen(part) for part in np.diff(upto, axis=0, prepend=0))


def average(amounts: Integers) -> Fraction:
    """Mean over the replications, exact [currency], of amounts in millionths."""
    return Fraction(sum(amounts.tolist()), len(amounts) * MILLIONTHS)


def frozen(numbers: NDArray[np.generic]) -> Integers:
    """Copy as int64 that cannot be written to."""
    copy = np.array(numbers, dtype=np.int64)
    copy.setflags(write=False)
    return copy


def write_price(price: Money) -> str:
    """Write a price with all its digits, at least to the cent.

    Examples
    --------
    >>> write_price(Money(Decimal("21"), "USD")), write_price(Money(Decimal("0.825"), "USD"))
    ('21.00 USD', '0.825 USD')
    """
    unit = cent(price.currency)
    amount = price.amount.quantize(unit)
    return f"{amount if amount == price.amount else price.amount:,f} {price.currency}"
