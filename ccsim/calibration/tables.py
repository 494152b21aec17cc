"""Read a delimited history file as text, or say in one sentence why it is not one."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ccsim.errors import CcsimError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def read_table(path: Path | str, separator: str) -> pd.DataFrame:
    """Read a delimited text file, plain or gzipped, with every cell as text.

    Parameters
    ----------
    path : Path or str
        File; a name that ends in `.gz` is unpacked on the fly.
    separator : str
        Character between two cells.

    Raises
    ------
    CcsimError
        When there is no such file, or it is not delimited text.
    """
    import pandas as pd

    if not Path(path).is_file():
        raise CcsimError(f"{path}: no such file; name the history file to calibrate from")
    try:
        return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, pd.errors.ParserError) as reason:
        raise CcsimError(f"{path}: not a readable text table ({reason})") from reason
    except pd.errors.EmptyDataError as reason:
        raise CcsimError(
            f"{path}: the file is empty; a header line and rows are needed"
        ) from reason


def require_columns(
    table: pd.DataFrame, expected: Collection[str], path: Path | str, kind: str
) -> None:
    """Refuse a table that lacks a column, naming what came and what is expected."""
    missing = [name for name in expected if name not in table.columns]
    if missing:
        raise CcsimError(
            f"{path}: not {kind}: no column {', '.join(map(repr, missing))}; "
            f"came: {_some(list(table.columns))}; expected: {', '.join(expected)}"
        )


def to_numbers(table: pd.DataFrame, column: str, path: Path | str) -> npt.NDArray[np.float64]:
    """One column as numbers; the first cell that is none is named with its line."""
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    _refuse(~np.isfinite(numbers), table, column, path, "a number")
    return numbers


def to_clock_seconds(table: pd.DataFrame, column: str, path: Path | str) -> npt.NDArray[np.float64]:
    """One column of wall-clock times `H:MM:SS` as seconds since midnight [s]."""
    import numpy as np
    import pandas as pd

    since_midnight = pd.to_timedelta(table[column], errors="coerce").dt.total_seconds()
    clock = since_midnight.to_numpy().astype(np.float64)
    _refuse(~((clock >= 0) & (clock < 86_400)), table, column, path, "a time of day H:MM:SS")
    return clock


def to_dates(table: pd.DataFrame, column: str, path: Path | str) -> pd.Series[pd.Timestamp]:
    """One column of days, written `YYMMDD` or `YYYY-MM-DD`."""
    import pandas as pd

    short = pd.to_datetime(table[column], format="%y%m%d", errors="coerce")
    days = short.fillna(pd.to_datetime(table[column], format="%Y-%m-%d", errors="coerce"))
    _refuse(days.isna().to_numpy(), table, column, path, "a day YYMMDD or YYYY-MM-DD")
    return days


def _refuse(
    wrong: npt.NDArray[np.bool_], table: pd.DataFrame, column: str, path: Path | str, wanted: str
) -> None:
    if wrong.any():
        row = int(wrong.argmax())
        # Line 1 is the header, so row 0 stands on line 2.
        raise CcsimError(
            f"{path}:{row + 2}: {column}: {table[column].iloc[row]!r} is not {wanted}"
            f" ({int(wrong.sum())} such row(s))"
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(str(name)[:40] for name in names[:12])
    return shown if len(names) <= 12 else f"{shown}, … ({len(names)} columns)"
