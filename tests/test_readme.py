"""What the README shows is in the repository, and works as it says."""

import re

import pytest

import cnn
from conftest import ROOT
from digits import model_files
from digits import quiet_keras as keras

README = (ROOT / "README.md").read_text(encoding="utf-8")
NETWORKS = re.findall(r"```python\n(def build_model.*?)```", README, re.DOTALL)
# | network | parameters | time | test accuracy | ...
FIGURES = re.findall(r"^\| [\w -]+ \| ([\d,]+) \| [\d.]+ \| ([\d.]+) %", README, re.MULTILINE)


def built(code):
    names = {"keras": keras}
    exec(f"from __future__ import annotations\n{code}", names)
    return names["build_model"]


def test_each_network_to_paste_has_its_figures():
    parameters = [f"{built(code)().count_params():,}" for code in NETWORKS]
    assert parameters == [count for count, _ in FIGURES] and len(parameters) == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_network_to_paste_is_as_accurate_as_it_says(number, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cnn, "build_model", built(NETWORKS[number]))
    assert cnn.main(["--output", str(tmp_path)]) == 0
    accuracy = float(re.search(r"test accuracy ([\d.]+) %", capsys.readouterr().out)[1])
    assert accuracy == pytest.approx(float(FIGURES[number][1]), abs=0.3)
    model_files.load_model(tmp_path)
