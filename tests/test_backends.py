"""JAX and PyTorch do what TensorFlow does, and without TensorFlow installed."""

import os
import re
import subprocess
import urllib.request

import cv2
import pytest

from conftest import ROOT, drawn_seven, png

BACKENDS = pytest.mark.parametrize("backend", ["jax", "torch"])


@pytest.fixture
def run(python_with, tmp_path):
    """Run a script under a backend, in an empty folder; return what came of it."""

    def run(backend, *command):
        command = [python_with(backend), *map(str, command)]
        environment = os.environ | {"KERAS_BACKEND": backend}
        options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
        return subprocess.run(command, **options)

    return run


@pytest.mark.slow
@BACKENDS
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
@BACKENDS
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
