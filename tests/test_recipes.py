"""Table, plot and file of the recipes' comparison say the same."""

import sys

import pytest
from PIL import Image

from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import recipes


def test_the_documentation_shows_what_was_measured():
    results = recipes.read_results()
    table = recipes.tables.read()["recipes"]
    assert table["rows"] == recipes.table(results) and table["commands"] == results["commands"]
    assert recipes.tables.read()["sizes"]["rows"] == recipes.sizes(table["rows"])
    with Image.open(recipes.PLOT) as plot:
        shown = recipes.tables.markdown(table["header"], table["rows"])
        assert plot.text["Description"] == "\n".join(shown)


def test_what_was_measured_is_kept_and_the_rest_measured(tmp_path, monkeypatch):
    done = []

    def measure(name, seed):
        done.append((name, seed))
        seconds = {"classic": 50, "default": 40}[name] + seed
        return {
            "recipe": name,
            "seed": seed,
            "parameters": 1234,
            "seconds": seconds,
            "accuracy": 99.5,
        }

    monkeypatch.setattr(recipes, "measure", measure)
    monkeypatch.setattr(recipes, "RESULTS", tmp_path / "recipes.json")
    recipes.compare(["classic", "default"], 2, 3, "three of them")
    assert done == [("classic", 0), ("default", 0), ("classic", 1)]
    recipes.compare(["classic", "default"], 2, 9, "the rest")
    assert len(done) == 4 and done[-1] == ("default", 1)
    recipes.compare(["classic", "default"], 2, 9, "nothing")
    kept = recipes.read_results()
    assert kept["commands"] == ["three of them", "the rest"] and kept["date"]
    ratio = (40 / 50 + 41 / 51) / 2
    *_, default = recipes.table(kept)
    assert default == ["`cnn.py`", "1,234", "40 s", f"{ratio:.2f}", "99.50 %", "0.00", "2"]
    recipes.plot(recipes.read_results(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_measurements_of_two_machines_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "RESULTS", tmp_path / "recipes.json")
    monkeypatch.setattr(recipes.tables, "surroundings", lambda: {"machine": "another"})
    recipes.RESULTS.write_text('{"machine": "this", "runs": []}')
    with pytest.raises(recipes.UserError, match="measured elsewhere; delete it"):
        recipes.compare(["classic"], 1, 1, "here")
