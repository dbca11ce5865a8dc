"""What the README and the documentation show is in the repository, and works as they say."""

import re

import pytest

import cnn
import load_model
from conftest import ROOT
from digits.model import loading
from digits.model import quiet_keras as keras
from digits.model.evaluation import predict
from digits.training import augmentation

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README, OWN_MODEL, GUARANTEES, MEASURED = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/your-own-model.md", "docs/guarantees.md", "docs/measured.md")
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


def test_the_accuracy_of_the_shipped_model_is_the_same_everywhere():
    line = re.search(r"test accuracy ([\d.]+) % \((\d+) of 10000 wrong\)", load_model.__doc__)
    assert float(line[1]) == pytest.approx(100 - int(line[2]) / 100)
    assert line[0] in README and f"| {line[1]} % |" in MEASURED


def test_what_the_readme_says_of_a_batch_is_what_is_trained_on():
    names = ("OUTLIERS", "DRAWN", "PRINTED", "SMALL")
    text = " ".join(README.split())
    said = re.search(r"Of each batch, (.*?)\. The", text)[1]
    fractions = [round(100 * getattr(augmentation, name)) for name in names]
    assert [int(n) for n in re.findall(r"(\d+) %", said)] == fractions
    assert f"It has {cnn.build_model().count_params():,} parameters" in text
    assert f"The last {cnn.VALIDATION:,} training digits" in text


def test_figures_that_stand_twice_are_the_same():
    photos = re.search(r"photos of rows.*?\| ([\d.]+ %) \|", MEASURED)[1]
    assert f"Of photos of whole pages, {photos} are read" in README
    some = re.search(r"\d+ of \d+ pictures without digits give some", MEASURED)[0]
    assert some in README
    default = re.search(r"\| `cnn.py` \| .*? \| ([\d.]+) % \|", MEASURED)[1]
    assert f"The default of 4 epochs gives {float(default):.1f} %" in " ".join(README.split())
    seconds = re.search(r"`python teach.py own` with (50 pictures, takes \d+ s)", MEASURED)[1]
    assert seconds.replace(", takes", " that takes") in README


def test_each_model_to_paste_has_its_figures():
    parameters = [f"{built(code)().count_params():,}" for code in MODELS]
    assert parameters == [count for count, _ in FIGURES] and len(parameters) == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_model_to_paste_is_trained_saved_and_read_with(number, digits, tmp_path, monkeypatch):
    (x_train, y_train), (x_test, y_test) = digits
    few = (x_train[:12_500], y_train[:12_500]), (x_test, y_test)
    monkeypatch.setattr(cnn, "load_mnist", lambda path: few)
    monkeypatch.setattr(cnn, "build_model", built(MODELS[number]))
    assert cnn.main(["--epochs", "2", "--output", str(tmp_path)]) == 0
    probabilities = predict(loading.load_model(tmp_path), x_test)
    right = 100 * (probabilities.argmax(axis=1) == y_test).mean()
    assert float(FIGURES[number][1]) - 5 < right < float(FIGURES[number][1])
