"""What the README and the documentation show is in the repository, and works as they say."""

import re
import sys
import textwrap

import pytest

import cnn
import load_model
from conftest import ROOT
from digits.model import loading
from digits.model import quiet_keras as keras
from digits.model.evaluation import predict

sys.path.insert(0, str(ROOT / "benchmarks"))

import tables

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README, OWN_MODEL, GUARANTEES = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/your-own-model.md", "docs/guarantees.md")
)
MODELS = re.findall(r"```python\n(def build_model.*?)```", OWN_MODEL, re.DOTALL)
# | model | parameters | time | test accuracy | ...
FIGURES = re.findall(r"^\| [\w -]+ \| ([\d,]+) \| [\d.]+ \| ([\d.]+) %", OWN_MODEL, re.MULTILINE)


def built(code):
    names = {"keras": keras}
    exec(f"from __future__ import annotations\n{code}", names)
    return names["build_model"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_that_a_page_links_to_is_there(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_first_example_prints_what_it_says(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert load_model.main(["docs/page.jpg"]) == 0
    assert capsys.readouterr().out in README


def test_the_python_example_reads_the_same(monkeypatch, capsys):
    (lines,) = re.findall(r"```python\n(from digits import .*?)```", README, re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(lines, {})
    text, confidence = capsys.readouterr().out.rsplit(maxsplit=1)
    assert f"{text}  {100 * float(confidence):.1f} %\n" in README


def test_each_promise_names_tests_that_exist():
    rows = re.findall(r"^\| [A-Z].*\|$", GUARANTEES, re.MULTILINE)
    named = [re.findall(r"`(test_\w+\.py)::(test_\w+)`", row) for row in rows]
    assert len(rows) > 10 and all(named)
    for file, test in {pair for row in named for pair in row}:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", tables.PAGES)
def test_the_tables_are_what_was_measured(page):
    assert tables.filled(page, tables.read()) == (ROOT / page).read_text(encoding="utf-8")


def test_each_table_that_was_measured_is_shown():
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in tables.PAGES)
    shown = pages.count("<!-- table: ")
    assert shown == pages.count("<!-- end -->") == len(tables.read()) + 1  # and the README's own
    for name in tables.read():
        assert f"<!-- table: {name} -->" in pages


def test_a_benchmark_writes_its_table(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "FILE", tmp_path / "tables.json")
    monkeypatch.setattr(tables, "PAGES", ["page.md"])
    tables.FILE.write_text("{}")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table: speed -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr("sys.argv", ["benchmarks/speed.py", "--docs", "two pens"])
    tables.keep("speed", ["way", "seconds"], [["one", 1.5]])
    lines = page.read_text().splitlines()
    assert lines[:2] == ["before", "<!-- table: speed -->"]
    assert lines[2:5] == ["| way | seconds |", "| --- | ---: |", "| one | 1.5 |"]
    assert lines[-2:] == ["<!-- end -->", "after"] and "old" not in lines
    assert "`python benchmarks/speed.py --docs 'two pens'`: 20" in lines[-3]
    assert tables.surroundings()["machine"] in lines[-3]


def test_the_scripts_say_of_themselves_what_the_readme_says():
    accuracy = tables.cell(tables.read()["model"], "test digits right", "measured")
    lines = map(str.strip, load_model.__doc__.splitlines())
    (said,) = [line for line in lines if line.startswith("test accuracy")]
    assert said.startswith(f"test accuracy {accuracy} (") and f"\n{said}\n" in README
    *_, lines = cnn.__doc__.split("last lines that it prints:\n\n")
    assert f"```\n{textwrap.dedent(lines)}```\n" in README


def test_each_model_to_paste_has_its_figures():
    parameters = [f"{built(code)().count_params():,}" for code in MODELS]
    assert parameters == [count for count, _ in FIGURES] and len(parameters) == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_model_to_paste_is_trained_saved_and_read_with(number, digits, tmp_path, monkeypatch):
    (x_train, y_train), (x_test, y_test) = digits
    few = (x_train[:20_000], y_train[:20_000]), (x_test, y_test)
    monkeypatch.setattr(cnn, "load_mnist", lambda path: few)
    monkeypatch.setattr(cnn, "build_model", built(MODELS[number]))
    assert cnn.main(["--epochs", "4", "--batch-size", "50", "--output", str(tmp_path)]) == 0
    probabilities = predict(loading.load_model(tmp_path), x_test)
    right = 100 * (probabilities.argmax(axis=1) == y_test).mean()
    assert float(FIGURES[number][1]) - 2 < right  # with a third of the digits
