"""Where the facts that none of us made are read from; tests that need them skip loudly."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("CCSIM_SHARED", Path(__file__).parents[2] / "shared"))


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no folder shared/{name} beside the checkout; CCSIM_SHARED may name another")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Published and 40-digit numbers to be held against."""
    return _folder("cases")


@pytest.fixture(scope="session")
def published(shared_cases: Path) -> dict[str, dict[str, Any]]:
    """Published cases by name: inputs, outputs and what they say of themselves."""
    text = (shared_cases / "published_cases.json").read_text(encoding="utf-8")
    return {case["id"]: case for case in json.loads(text)["cases"]}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real calls of two banks."""
    return _folder("data")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests recorded about themselves, such as how much they compared."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} {value}")
