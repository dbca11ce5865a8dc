"""docs/ways-out.md: its lines run, and the probabilities are as near as it says."""

import re
import shutil

import numpy as np
import pytest

from conftest import ROOT

PAGE = (ROOT / "docs/ways-out.md").read_text(encoding="utf-8")
SECTIONS = [section.split("\n", 1) for section in PAGE.split("\n## ")[1:]]
WAYS = {way: re.search(r"```python\n(.*?)```", text, re.DOTALL)[1] for way, text in SECTIONS}
ROWS = {
    way: float(difference)
    for way, difference in re.findall(r"^\| ([^|]+) \| [\d.]+ kB \| ([\de.-]+) \|", PAGE, re.M)
}


def test_each_way_has_its_figures():
    assert list(WAYS) == list(ROWS) and len(WAYS) > 5


@pytest.mark.parametrize(
    "way",
    [pytest.param(w, marks=pytest.mark.slow) if w not in ("Keras", ".keras") else w for w in WAYS],
)
def test_its_lines_give_the_same_probabilities(way, digits, shipped, tmp_path, monkeypatch):
    for name in ("model.json", "model.h5"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {"keras": pytest.importorskip("keras"), "tf": pytest.importorskip("tensorflow")}
    if "onnx" in WAYS[way]:
        pytest.importorskip("tf2onnx")
        names["onnxruntime"] = pytest.importorskip("onnxruntime")
    images = digits[1][0][:1000, ..., None].astype("float32")
    exec(WAYS[way], names := names | {"images": images, "model": shipped})
    difference = abs(np.asarray(names["others"]) - shipped.predict(images, verbose=0)).max()
    assert difference <= 2 * ROWS[way]  # other processors round otherwise
