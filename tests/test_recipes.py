"""Table, plot, README and file of the recipes' comparison say the same."""

import re
import sys

import pytest
from PIL import Image

from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import recipes


def test_the_documentation_shows_what_was_measured():
    if not recipes.RESULTS.exists():
        pytest.skip("the recipes are not measured yet: python benchmarks/recipes.py")
    results = recipes.read_results()
    page = recipes.PAGE.read_text(encoding="utf-8")
    shown = page.split(recipes.BEGIN)[1].split(recipes.END)[0]
    assert shown == recipes.table(results)
    assert results["commands"] and all(f"`{command}`" in shown for command in results["commands"])
    with Image.open(recipes.PLOT) as plot:
        assert plot.text["Description"] == shown
    assert recipes.PLOT.name in page
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = re.search(r"default of \d+ epochs\s+gives ([\d.]+) %", readme)[1]
    accuracy = [run["accuracy"] for run in recipes.by_recipe(results)["default"]]
    assert said == f"{sum(accuracy) / len(accuracy):.1f}"


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
    monkeypatch.setattr(recipes, "PAGE", tmp_path / "measured.md")
    recipes.PAGE.write_text(f"before\n{recipes.BEGIN}old{recipes.END}after\n")
    recipes.compare(["classic", "default"], 2, 3, "three of them")
    assert done == [("classic", 0), ("default", 0), ("classic", 1)]
    recipes.compare(["classic", "default"], 2, 9, "the rest")
    assert len(done) == 4 and done[-1] == ("default", 1)
    recipes.compare(["classic", "default"], 2, 9, "nothing")
    recipes.write_table(recipes.read_results())
    page = recipes.PAGE.read_text()
    assert page.startswith("before\n") and page.endswith("after\n") and "old" not in page
    assert "`three of them`, then\n`the rest`\n" in page and "nothing" not in page
    ratio = (40 / 50 + 41 / 51) / 2
    assert f"| `cnn.py` | 1,234 | {ratio:.2f} | 99.500 % | 0.00 | 2 |" in page
    recipes.plot(recipes.read_results(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_measurements_of_two_machines_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "RESULTS", tmp_path / "recipes.json")
    monkeypatch.setattr(recipes, "surroundings", lambda: {"machine": "another"})
    recipes.RESULTS.write_text('{"machine": "this", "runs": []}')
    with pytest.raises(recipes.UserError, match="measured elsewhere; delete it"):
        recipes.compare(["classic"], 1, 1, "here")
