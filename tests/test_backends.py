"""JAX and PyTorch do what TensorFlow does, and OpenVINO reads, without TensorFlow installed."""

import json
import os
import re
import subprocess
import sys
import urllib.request

import cv2
import numpy as np
import pytest

from conftest import ROOT, drawn_seven, is_user_error, png
from digits import backends, training
from digits.command_line import UserError
from digits.model import predict, quiet_keras
from digits.reading import read

TRAINS = pytest.mark.parametrize("backend", ["jax", "torch"])
READS = pytest.mark.parametrize("backend", ["jax", "torch", "openvino"])


@pytest.fixture
def run(python_with, tmp_path):
    """Run a script under a backend, in an empty folder; return what came of it."""

    def run(backend, *command, asked_for=None):
        command = [python_with(backend), *map(str, command)]
        chosen = backend if asked_for is None else asked_for
        environment = os.environ | {"KERAS_BACKEND": chosen, "KERAS_HOME": str(tmp_path)}
        options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
        return subprocess.run(command, **options)

    return run


@pytest.mark.slow
@TRAINS
def test_it_trains_stops_and_resumes_to_the_same_weights(
    backend, run, small_cnn, tmp_path, python_with
):
    command = [*small_cnn[1:], "--epochs", "2", "--output"]
    whole = run(backend, *command, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    assert "trained 2 epochs" in whole.stdout and "saved model.json" in whole.stdout
    killed = subprocess.Popen(
        [python_with(backend), *command, tmp_path / "killed"],
        env=os.environ | {"KERAS_BACKEND": backend},
        stderr=subprocess.PIPE,
        text=True,
    )
    while "epoch 1 of" not in killed.stderr.readline():
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    resumed = run(backend, *command, tmp_path / "killed", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    one, other = ((tmp_path / name / "model.h5").read_bytes() for name in ("whole", "killed"))
    assert one == other
    assert "tensorflow" not in run(backend, "-m", "pip", "list").stdout


@pytest.mark.slow
@READS
def test_it_reads_and_draws_with_the_network_that_is_here(backend, run, tmp_path, python_with):
    cv2.imwrite(str(tmp_path / "a.png"), drawn_seven())
    result = run(backend, ROOT / "load_model.py", "a.png")
    assert re.fullmatch(r"a\.png  7  \S+ %\n", result.stdout) and result.stderr == ""
    page = subprocess.Popen(
        [python_with(backend), ROOT / "draw.py", "--no-browser", "--port", "0"],
        env=os.environ | {"KERAS_BACKEND": backend},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = page.stdout.readline().split()[2]
        headers = {"Content-Type": "image/png"}
        request = urllib.request.Request(f"{address}read", png(drawn_seven()), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert b'"digits":"7"' in answer.read().replace(b" ", b"")
    finally:
        page.kill()
        page.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "openvino"])
def test_what_is_installed_is_taken_where_nothing_is_chosen(backend, run, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), drawn_seven())
    for _ in range(2):  # the first one leaves a keras.json that names TensorFlow
        result = run(backend, ROOT / "load_model.py", "a.png", asked_for="")
        assert result.stdout.startswith("a.png  7 ") and result.stderr == ""
    result = run(backend, ROOT / "load_model.py", "a.png", asked_for="tensorflow")
    said = "asks for tensorflow, which is not installed; set KERAS_BACKEND="
    assert is_user_error(result, f"Keras cannot start: KERAS_BACKEND {said}{backend}")


@pytest.mark.parametrize("installed", ["jax", "torch", "openvino"])
def test_without_a_choice_it_is_what_is_installed(installed, monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(backends, "installed", lambda: [installed])
    assert backends.chosen_backend() == (installed, None)
    (tmp_path / "keras.json").write_text('{"backend": "tensorflow"}')  # as Keras writes it
    assert backends.chosen_backend() == (installed, None)
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert backends.chosen_backend() == ("torch", str(tmp_path / "keras.json"))


def test_training_with_what_only_reads_names_what_trains(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    with pytest.raises(UserError, match="openvino only reads; to train, set KERAS_BACKEND=tensor"):
        training.start(0)


def test_what_compiles_for_each_size_of_a_batch_sees_few_of_them(shipped, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), "uint8")
    expected, sizes = predict(shipped, images), set()

    def count(batch):
        sizes.add(len(batch))
        return at_once(batch)

    at_once = shipped.predict_on_batch
    monkeypatch.setattr(shipped, "predict_on_batch", count)
    monkeypatch.setattr(quiet_keras, "COMPILES", (backends.chosen_backend()[0],))
    for n in (1, 3, 17, 25, 33, 40):
        np.testing.assert_allclose(predict(shipped, images[:n]), expected[:n], atol=1e-5)
    assert sizes == {1, 4, 32, 64}


PROBABILITIES = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from digits.model import load_model, predict
model = load_model(sys.argv[1])
np.save("probabilities.npy", predict(model, np.load("images.npy")))
"""


@pytest.mark.slow
def test_openvino_gives_the_same_digits_and_confidences(run, shipped, digits, tmp_path):
    _, (x_test, _) = digits
    np.save(tmp_path / "images.npy", x_test)
    result = run("openvino", "-c", PROBABILITIES, ROOT)
    assert result.returncode == 0, result.stderr
    given, expected = np.load(tmp_path / "probabilities.npy"), predict(shipped, x_test)
    np.testing.assert_array_equal(given.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(given, expected, atol=1e-3)
    file = ROOT / "docs/page.jpg"
    page = json.loads(run("openvino", ROOT / "load_model.py", "--json", file).stdout)
    for answer, same in zip(page["boxes"], read(file, shipped).answers, strict=True):
        assert answer["digit"] == same.value
        assert answer["confidence"] == pytest.approx(same.confidence, abs=1e-3)


AT_ONCE = """
import sys
sys.path.insert(0, sys.argv[1])
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from digits.model import load_model, predict
model, images = load_model(sys.argv[1]), np.zeros((3, 28, 28))
with ThreadPoolExecutor(6) as pool:
    assert all(p.shape == (3, 10) for p in pool.map(lambda _: predict(model, images), range(300)))
"""


@pytest.mark.slow
def test_openvino_reads_for_several_people_at_once(run):
    result = run("openvino", "-c", AT_ONCE, ROOT)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_openvino_says_that_it_does_not_train(run, small_cnn):
    result = run("openvino", *small_cnn[1:])
    said = "openvino only reads; to train, pip install -r requirements.txt"
    assert is_user_error(result, said)
    assert "tensorflow" not in run("openvino", "-m", "pip", "list").stdout


def test_what_is_hidden_while_keras_starts_may_be_looked_for_but_not_imported(tmp_path):
    """PyTorch looks for scikit-learn there, and does not expect an error."""
    (tmp_path / "sklearn.py").touch()
    (tmp_path / "keras.py").write_text(
        "from importlib.util import find_spec\n"
        "find_spec('sklearn')\n"
        "try:\n"
        "    import sklearn\n"
        "except ImportError:\n"
        "    Model = 'hidden'\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from digits import own_process\n"
        "own_process.take(); import keras, sklearn; print(keras.Model)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.stdout == "hidden\n", result.stderr
