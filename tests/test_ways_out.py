"""docs/ways-out.md: its lines run, and the probabilities are as near as it says."""

import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from conftest import ROOT

PAGE = (ROOT / "docs/ways-out.md").read_text(encoding="utf-8")
SECTIONS = dict(section.split("\n", 1) for section in PAGE.split("\n## ")[1:])
LINES = {way: re.search(r"```python\n(.*?)```", text, re.S) for way, text in SECTIONS.items()}
WAYS = {way: lines[1] for way, lines in LINES.items() if lines}
BEFORE = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
ROWS = {
    way: float(difference)
    for way, difference in re.findall(r"^\| ([^|]+) \| [\d.]+ kB \| ([\de.-]+) \|", PAGE, re.M)
}
IN_NODE = """
const tf = require("@tensorflow/tfjs"), fs = require("fs");
const bytes = file => new Uint8Array(fs.readFileSync(file)).buffer;
const json = JSON.parse(fs.readFileSync("tfjs/model.json"));
const [{ weights, paths }] = json.weightsManifest;
const load = () => ({ ...json, weightSpecs: weights, weightData: bytes(`tfjs/${paths[0]}`) });
tf.loadGraphModel({ load: async () => load() }).then(model => {
  const images = tf.tensor(new Float32Array(bytes("images")), [1000, 28, 28, 1]);
  fs.writeFileSync("others", Buffer.from(model.predict(images).dataSync().buffer));
});
"""


@pytest.fixture
def images(digits):
    return digits[1][0][:1000, ..., None].astype("float32")


def is_as_near_as_it_says(way, others, model, images):
    difference = abs(np.asarray(others) - model.predict(images, verbose=0)).max()
    return difference <= 2 * ROWS[way]  # other processors round otherwise


def test_each_way_has_its_figures():
    assert list(SECTIONS) == list(ROWS) and len(WAYS) > 5


@pytest.mark.parametrize(
    "way",
    [pytest.param(w, marks=pytest.mark.slow) if w not in ("Keras", ".keras") else w for w in WAYS],
)
def test_its_lines_give_the_same_probabilities(way, images, shipped, tmp_path, monkeypatch):
    for name in ("model.json", "model.h5"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("tensorflow")
    if "onnx" in WAYS[way]:
        pytest.importorskip("tf2onnx")
        pytest.importorskip("onnxruntime")
    exec(BEFORE + WAYS[way], names := {})  # as pasted: with nothing but what the page gives
    assert is_as_near_as_it_says(way, names["others"], shipped, images)


@pytest.mark.slow
def test_a_browser_gives_the_same_probabilities(images, shipped, tmp_path):
    """TFJS_CONVERTER names the converter, and NODE_PATH the folder with @tensorflow/tfjs."""
    converter = os.environ.get("TFJS_CONVERTER")
    if not (converter and os.environ.get("NODE_PATH") and shutil.which("node")):
        pytest.skip("needs the converter in TFJS_CONVERTER, and tfjs for Node in NODE_PATH")
    (line,) = re.findall(r"converter/bin/tensorflowjs_converter (.*)", SECTIONS["TensorFlow.js"])
    shipped.export(tmp_path / "saved_model", verbose=False)
    images.tofile(tmp_path / "images")
    for command in ([converter, *line.split()], ["node", "-e", IN_NODE]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    others = np.fromfile(tmp_path / "others", "float32").reshape(-1, 10)
    assert is_as_near_as_it_says("TensorFlow.js", others, shipped, images)
