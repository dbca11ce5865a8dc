"""A stopped training goes on, and ends as if it had never been stopped."""

import json
import shutil
import signal
import subprocess

import numpy as np
import pytest

import cnn
from conftest import small_convnet, small_model
from digits import training
from digits.command_line import UserError, new_parser
from digits.model import quiet_keras as keras
from digits.training.checkpoint import Checkpoint

X = np.random.default_rng(0).integers(0, 256, (600, 28, 28)).astype("uint8")
Y = np.arange(600, dtype="uint8") % 10
SETTINGS = {"--epochs": 3, "--seed": 5}


def train(folder, resume=False, build_model=small_convnet):
    """Train on noise; return the weights and the history.

    `folder`/1, /2 and /3 are then what a training killed after that epoch leaves.
    """
    keras.utils.set_random_seed(5)
    model, checkpoint = build_model(), Checkpoint(folder, SETTINGS, resume)
    keep = checkpoint.keep

    def keep_and_copy(before):
        callback = keep(before)
        write = callback.on_epoch_end

        def on_epoch_end(epoch, logs=None):
            write(epoch, logs)
            shutil.copytree(folder / ".training", folder / str(epoch + 1) / ".training")

        callback.on_epoch_end = on_epoch_end
        return callback

    checkpoint.keep = keep_and_copy
    _, history = cnn.train(model, X, Y, 3, 100, 5, 100, checkpoint=checkpoint)
    return b"".join(w.tobytes() for w in model.get_weights()), history


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(folder):
    return train(folder)


@pytest.fixture
def left(whole, folder, tmp_path):
    """What a training killed after its second epoch leaves."""
    return shutil.copytree(folder / "2", tmp_path / "left")


def test_it_ends_with_the_same_bytes(left, whole):
    assert train(left, resume=True) == whole


def test_other_settings_are_refused_and_named(left):
    with pytest.raises(UserError, match="had --epochs 3, not 9; give the same"):
        Checkpoint(left, SETTINGS | {"--epochs": 9}).restore(small_convnet())


@pytest.mark.parametrize("name", ["state.json", "npz"])
def test_a_damaged_state_is_refused(left, name):
    (file,) = (left / ".training").glob(f"*{name}")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        train(left, resume=True)


@pytest.mark.slow
def test_a_killed_command_resumes_to_the_same_files(tiny_cnn, tmp_path):
    command = [*tiny_cnn, "--epochs", "5"]

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


def test_another_training_that_tidies_up_does_not_stop_this_one(tmp_path, monkeypatch):
    def gone(file):
        raise FileNotFoundError(2, "No such file or directory", str(file))

    monkeypatch.setattr("digits.training.checkpoint.flush_to_disk", gone)
    _, history = train(tmp_path, build_model=small_model)
    assert len(history["loss"]) == 3


def test_the_time_of_all_epochs_counts(left):
    state = left / ".training" / "state.json"
    content = json.loads(state.read_text())
    assert 0 < content["seconds"] < 100
    state.write_text(json.dumps(content | {"seconds": 5000}))
    checkpoint, model = Checkpoint(left, SETTINGS, resume=True), small_convnet()
    assert checkpoint.seconds < 1000
    cnn.train(model, X, Y, 3, 100, 5, 100, checkpoint=checkpoint)
    assert 5000 <= checkpoint.seconds < 6000


def test_two_trainings_in_one_folder_are_told_of_each_other(tmp_path, capsys):
    arguments = training.add_options(new_parser("")).parse_args(["--output", str(tmp_path)])
    with training.checkpoint_of(arguments, [], small_model(), 600):
        assert "another" not in capsys.readouterr().err
        with training.checkpoint_of(arguments, [], small_model(), 600):
            said = capsys.readouterr().err
        assert f"another training goes on in {tmp_path}; the one that ends last stays" in said
    with training.checkpoint_of(arguments, [], small_model(), 600):
        assert "another" not in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
