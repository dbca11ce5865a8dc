"""A stopped training goes on, and ends as if it had never been stopped."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import cnn
from conftest import ROOT
from digits import quiet_keras as keras
from digits.checkpoint import Checkpoint
from digits.command_line import UserError

X = np.random.default_rng(0).integers(0, 256, (600, 28, 28)).astype("uint8")
Y = np.arange(600, dtype="uint8") % 10
SETTINGS = {"--epochs": 3, "--seed": 5}


class Stopped(Exception):
    pass


def train(checkpoint, resume=False, stop_after=None, build_model=cnn.build_model):
    """Train on noise; raise Stopped after some epochs if told to. Return the weights."""
    keras.utils.set_random_seed(5)
    model = build_model()
    keep = checkpoint.keep

    def keep_and_stop(before):
        callback = keep(before)
        write = callback.on_epoch_end

        def on_epoch_end(epoch, logs=None):
            write(epoch, logs)
            if stop_after == epoch + 1:
                raise Stopped

        callback.on_epoch_end = on_epoch_end
        return callback

    checkpoint.keep = keep_and_stop
    history = cnn.train(model, X, Y, 3, 100, 5, 100, checkpoint, resume)
    return b"".join(w.tobytes() for w in model.get_weights()), history


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(folder):
    return train(Checkpoint(folder, SETTINGS))


@pytest.fixture
def left(whole, folder, tmp_path):
    """A folder with the state that a training has left."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("stop_after", [2])
def test_it_ends_with_the_same_bytes(tmp_path, whole, stop_after):
    with pytest.raises(Stopped):
        train(Checkpoint(tmp_path / "b", SETTINGS), stop_after=stop_after)
    resumed, history = train(Checkpoint(tmp_path / "b", SETTINGS), resume=True)
    assert (resumed, history) == whole


def test_other_settings_are_refused_and_named(left):
    with pytest.raises(UserError, match="had --epochs 3, not 9; give the same"):
        Checkpoint(left, SETTINGS | {"--epochs": 9}).restore(cnn.build_model())


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(UserError, match="no stopped training"):
        Checkpoint(tmp_path, SETTINGS).restore(cnn.build_model())


@pytest.mark.parametrize("name", ["state.json", "npz"])
def test_a_damaged_state_is_refused(left, name):
    (file,) = (left / ".training").glob(f"*{name}")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        train(Checkpoint(left, SETTINGS), resume=True)


@pytest.mark.slow
def test_a_killed_command_resumes_to_the_same_files(tmp_path):
    command = [sys.executable, str(ROOT / "cnn.py"), "--epochs", "2"]

    def run(folder, *more):
        return subprocess.run(
            [*command, "--output", str(folder), *more], capture_output=True, text=True
        )

    assert run(tmp_path / "whole").returncode == 0
    killed = subprocess.Popen(
        [*command, "--output", str(tmp_path / "killed")], stderr=subprocess.PIPE, text=True
    )
    while "epoch 1 of" not in killed.stderr.readline():
        pass
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert json.loads((tmp_path / "killed/.training/state.json").read_text())["history"]
    result = run(tmp_path / "killed", "--resume")
    assert result.returncode == 0, result.stderr
    for name in ("model.json", "model.h5"):
        whole, resumed = (tmp_path / "whole" / name, tmp_path / "killed" / name)
        assert whole.read_bytes() == resumed.read_bytes()
    assert not (tmp_path / "killed/.training").exists()


def test_another_training_that_tidies_up_does_not_stop_this_one(tmp_path, monkeypatch, whole):
    def gone(file):
        raise FileNotFoundError(2, "No such file or directory", str(file))

    monkeypatch.setattr("digits.checkpoint.flush_to_disk", gone)
    assert train(Checkpoint(tmp_path, SETTINGS)) == whole
