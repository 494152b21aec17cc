"""The special functions of SciPy, loaded when the first of them is called.

Loading them takes longer than a plain Erlang C of up to thirty agents, which needs none.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from scipy import special

    return getattr(special, name)
