"""Every notebook runs, and none is stored with outputs."""

from __future__ import annotations

import warnings
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's own packages
        from nbclient import NotebookClient

        monkeypatch.setenv("CCSIM_FAST", "1")
        notebook = nbformat.read(path, 4)
        NotebookClient(
            notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
        ).execute()
    assert any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_no_outputs_stored(path):
    cells = nbformat.read(path, 4).cells
    assert not any(cell.get("outputs") for cell in cells)
