"""What may be opened as an Excel workbook: a reader fills every cell up to the furthest one."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import BadZipFile, ZipFile

_MOST_UNPACKED = 100 << 20
_MOST_CELLS = 5_000_000  # of a sheet, from A1 to its last cell
_CELL = re.compile(rb"<(?:\w+:)?(?:c|row)\s[^>]*?\br\s*=\s*[\"']([A-Z]{0,3})(\d{1,9})", re.ASCII)


def why_not_opened(data: bytes) -> str | None:
    """Why a workbook is refused, or None: it unpacks to much, or one cell stands very far out.

    Examples
    --------
    >>> why_not_opened(b"not a workbook")
    'not a readable Excel file: File is not a zip file'
    """
    try:
        with ZipFile(BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST_UNPACKED:
                return f"unpacks to more than {_MOST_UNPACKED >> 20} MiB; remove other sheets"
            for entry in packed.infolist():
                if not entry.filename.lower().endswith(".xml"):
                    continue
                height = width = 1
                for letters, digits in _CELL.findall(packed.read(entry)):
                    height, width = max(height, int(digits)), max(width, _number(letters))
                if height * width > _MOST_CELLS:
                    return f"reaches row {height} and column {width}; delete what is far out"
    except (BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError) as error:
        return f"not a readable Excel file: {error}"
    return None


def _number(letters: bytes) -> int:
    """Number of a column of Excel: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
