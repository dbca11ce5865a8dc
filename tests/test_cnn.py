"""`python cnn.py` as a user runs it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import cnn
from conftest import ROOT, hear_ctrl_c, is_user_error


def test_help_answers_at_once(script):
    result = script("cnn.py", "--help", env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"})
    assert "numpy" in result.stderr and "tensorflow" not in result.stderr  # nothing slow
    for option in ("--epochs", "--batch-size", "--seed", "--data", "--output"):
        assert option in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--epochs", "0"),
        ("--epochs", "x"),
        ("--batch-size", "-3"),
        ("--seed", "-1"),
        ("--nonsense",),
    ],
)
def test_a_wrong_option_is_refused_before_any_work(script, tmp_path, arguments):
    result = script("cnn.py", *arguments)
    assert result.returncode == 2 and arguments[0] in result.stderr
    assert "Traceback" not in result.stderr and not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_noticed_before_training(script, tmp_path):
    (tmp_path / "file").touch()
    assert is_user_error(script("cnn.py", "--output", "file/inside"), "file/inside", "choose")


def test_wrong_data_is_named(script, tmp_path):
    np.savez(tmp_path / "x.npz", x_train=np.zeros(3))
    assert is_user_error(script("cnn.py", "--data", "x.npz"), "x.npz", "not MNIST")


@pytest.fixture
def tiny(monkeypatch, digits):
    """Let main() train on little."""
    (x_train, y_train), (x_test, y_test) = digits
    few = (x_train[:3000], y_train[:3000]), (x_test[:300], y_test[:300])
    monkeypatch.setattr(cnn, "load_mnist", lambda path: few)


def test_it_prints_results_and_writes_four_files(tiny, tmp_path, capsys):
    assert cnn.main(["--epochs", "1", "--output", str(tmp_path / "new")]) == 0
    out, err = capsys.readouterr()
    for words in ("test accuracy ", "digit  images  wrong", "trained 1 epochs", "saved model.json"):
        assert words in out
    assert err.startswith(f"cnn.py: the network goes to {tmp_path / 'new'}\n")
    assert "accuracy:" in err and "accuracy:" not in out  # Keras's progress bar
    files = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert files == ["model.h5", "model.json", "result.png", "training.png"]


def test_ctrl_c_ends_in_one_line_and_leaves_the_old_pair(fresh):
    before = (fresh / "model.h5").read_bytes()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cnn.py"), "--output", str(fresh)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    while "Epoch 1/" not in (process.stderr.readline() or "Epoch 1/"):
        pass
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.strip().endswith("cnn.py: stopped before the end")
    assert "Traceback" not in err
    assert (fresh / "model.h5").read_bytes() == before


def test_ctrl_c_does_not_break_into_a_step(monkeypatch):
    model, steps = cnn.build_model(), []
    layer = model.layers[0]
    scale = layer.call

    def press_and_scale(x):
        os.kill(os.getpid(), signal.SIGINT)
        steps.append("whole")
        return scale(x)

    monkeypatch.setattr(layer, "call", press_and_scale)
    with pytest.raises(KeyboardInterrupt):
        cnn.train(model, np.zeros((60, 28, 28), "uint8"), np.zeros(60, "uint8"), 2, 20, 0, 20)
    assert steps == ["whole"]
