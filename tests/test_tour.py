"""The notebook runs from its first cell to its last, and says what it promises."""

import re

import pytest

from conftest import ROOT

nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")


def test_it_is_stored_without_results():
    notebook = nbformat.read(ROOT / "docs/tour.ipynb", 4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells and not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.slow
def test_the_tour_trains_reads_and_teaches(tmp_path, digits, monkeypatch):
    pytest.importorskip("ipykernel")
    monkeypatch.delenv("MPLBACKEND")  # a notebook has its own
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "docs/tour.ipynb", 4)
    where = {"metadata": {"path": tmp_path}}
    nbclient.NotebookClient(notebook, timeout=900, resources=where).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert int(re.search(r"(\d+) of 10000 wrong\n", said)[1]) < 300
    before, after = re.search(r"digits (\d+) are read right before, (\d+) after", said).groups()
    assert int(after) > int(before)
