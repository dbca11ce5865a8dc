"""The pair of files is whole, belongs together, and opens in plain Keras."""

import json
import shutil
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

import cnn
from conftest import ROOT, refuses, small_model
from digits.command_line import UserError
from digits.model import loading, saving
from digits.model import quiet_keras as keras
from digits.model.evaluation import predict

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype("uint8")


def edit_json(folder, change):
    file = folder / "model.json"
    architecture = json.loads(file.read_text())
    change(architecture)
    file.write_text(json.dumps(architecture))


def forge(folder, change):
    """Change the architecture in both files, as somebody would who means it."""
    edit_json(folder, lambda a: (change(a), a.pop(saving.CHECKSUM)))
    with h5py.File(folder / "model.h5", "r+") as file:
        inner = json.loads(file.attrs["model_config"])
        change(inner)
        # Where it is too large for an attribute, the test needs none.
        text = json.dumps(inner)
        file.attrs["model_config"] = text if len(text) < 60_000 else '{"config": {"layers": []}}'


def answers_of(folder):
    return predict(loading.load_model(folder), IMAGES)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_rebuilt_predictions_are_the_same_to_the_bit(tmp_path):
    model = cnn.build_model()
    saving.save_model(model, tmp_path)
    np.testing.assert_array_equal(answers_of(tmp_path), predict(model, IMAGES))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.h5", "model.json"]


def test_older_keras_can_read_the_shipped_files():
    # These settings came with Keras 3.13 to 3.15; Python 3.10 ends at Keras 3.12.
    with h5py.File(ROOT / "model.h5") as file:
        texts = (ROOT / "model.json").read_text(), file.attrs["model_config"]
    for text in texts:
        assert "renorm" not in text and "quantization_config" not in text
        assert "input_axes" not in text


def test_plain_keras_opens_the_shipped_files(shipped):
    architecture = (ROOT / "model.json").read_text()
    plain = keras.models.model_from_json(architecture)
    plain.load_weights(ROOT / "model.h5")
    whole = keras.models.load_model(ROOT / "model.h5")
    for model in (plain, whole):
        np.testing.assert_array_equal(predict(model, IMAGES), predict(shipped, IMAGES))


def test_stopped_between_the_two_files_the_new_pair_is_used(fresh, monkeypatch):
    model, real = small_model(), saving.os.replace

    def stop_before_json(source, target):
        if str(target).endswith("model.json"):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(saving.os, "replace", stop_before_json)
    with pytest.raises(KeyboardInterrupt):
        saving.save_model(model, fresh)
    np.testing.assert_array_equal(answers_of(fresh), predict(model, IMAGES))


def cut(name):
    def damage(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return damage


def replace(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def folder_instead(folder):
    (folder / "model.json").unlink()
    (folder / "model.json").mkdir()


def other_weights(folder):
    with h5py.File(folder / "model.h5", "r+") as file:
        inner = json.loads(file.attrs["model_config"])
        inner["config"]["layers"].pop()
        file.attrs["model_config"] = json.dumps(inner)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "no model in .*python cnn.py"),
        (lambda folder: (folder / "model.h5").unlink(), "half a model: .*model.h5 is missing"),
        (folder_instead, "model.json is not a file"),
        (cut("model.json"), "model.json is no model's architecture"),
        (replace("model.json", b"[1, 2]"), "model.json is no model's architecture"),
        (replace("model.json", b"\xff\xfe"), "model.json is no model's architecture"),
        (cut("model.h5"), "model.h5 is"),
        (replace("model.h5", b"no HDF5"), "model.h5 is no whole model file"),
        (other_weights, "do not belong together"),
    ],
)
def test_a_bad_pair_is_refused_in_one_line(fresh, damage, message):
    damage(fresh)
    assert refuses(loading.load_model, fresh, message)


def test_one_flipped_bit_is_noticed_anywhere(fresh):
    rng = np.random.default_rng(0)
    for name in ("model.json", "model.h5"):
        whole = (fresh / name).read_bytes()
        before = answers_of(fresh)
        for place in rng.integers(0, len(whole), 10):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << rng.integers(8)
            (fresh / name).write_bytes(damaged)
            try:
                after = answers_of(fresh)
            except UserError:
                continue
            np.testing.assert_array_equal(after, before)  # a bit that says nothing
        (fresh / name).write_bytes(whole)


def bomb(file):
    file.create_dataset("bomb", (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip")


def deep(file):
    group = file
    for _ in range(600):
        group = group.create_group("g")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.update({"x": h5py.ExternalLink("/etc/passwd", "/")}), "points else"),
        (lambda file: file.update({"x": h5py.SoftLink("/x")}), "points elsewhere"),
        (lambda file: file.create_dataset("x", (9,), "f4", external="/etc/passwd"), "points else"),
        (lambda file: file["model_weights"].update({"loop": file["/"]}), "too many parts"),
        (bomb, "unpacks to more than"),
        (deep, "too many parts"),
        (lambda file: file.create_dataset("x", data=[b"text"]), "other than numbers"),
    ],
)
def test_hostile_weights_are_refused(fresh, change, message):
    edit_json(fresh, lambda a: a.pop(saving.CHECKSUM))  # who forges, forges this too
    with h5py.File(fresh / "model.h5", "r+") as file:
        change(file)
    assert refuses(loading.load_model, fresh, message)


def test_a_group_of_weights_under_a_second_name_is_no_harm(fresh):
    edit_json(fresh, lambda a: a.pop(saving.CHECKSUM))
    with h5py.File(fresh / "model.h5", "r+") as file:
        file["x"] = file["model_weights"]
    loading.load_model(fresh)


def in_layer(number, **settings):
    return lambda a: a["config"]["layers"][number]["config"].update(settings)


def many_layers(architecture):
    layers = architecture["config"]["layers"]
    layers[2:2] = [layers[1]] * 10**4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (in_layer(2, filters=10**9), "too large: filters is"),
        (in_layer(2, filters=10**6), "too large: it has .* parameters"),
        (in_layer(2, kernel_size=[10**6, 10**6]), "model.json"),
        (in_layer(2, activation={"class_name": "function", "config": "f"}), "model.json"),
        (in_layer(2, activation="mine>activation"), "activation that Keras does not have"),
        (many_layers, "layers, more than"),
        (lambda a: a.update(class_name="Functional"), "asks for keras.Functional"),
        (lambda a: a["config"]["layers"][3].pop("config"), "no model that Keras can build"),
        (in_layer(0, batch_shape=[None, 28, 28, 3]), "instead of images of 28x28 pixels"),
    ],
)
def test_hostile_architectures_are_refused(fresh, change, message):
    forge(fresh, change)
    assert refuses(loading.load_model, fresh, message)


# Saves two models in turn until it is killed. The stand-ins write what Keras wrote before,
# so that the process starts at once and is killed while saving, not while importing.
SAVING = """
import itertools, os, shutil, sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from digits.model import loading, saving
class Trained:
    def __init__(self, folder): self.folder = folder
    def to_json(self): return (self.folder / "model.json").read_text()
    def count_params(self): return 1000
    def save(self, file, include_optimizer): shutil.copy(self.folder / "model.h5", file)
def save():
    for folder in itertools.cycle(map(Path, {folders!r})):
        saving.save_model(Trained(folder), Path({target!r}))
print("ready", flush=True)
"""
# For each line, seconds and a number, so many processes save and are killed after that time.
KILLING = """
for line in sys.stdin:
    seconds, number = line.split()
    children = []
    for _ in range(int(number)):
        children.append(os.fork())
        if not children[-1]:
            save()
    time.sleep(float(seconds))
    for process in children:
        os.kill(process, 9)
    for process in children:
        os.waitpid(process, 0)
    print("killed", flush=True)
"""


@pytest.fixture
def two_savers(tmp_path):
    """Return the answers of two models, the code that saves them in turn, and where to."""
    folders, answers = [], []
    for name in ("one", "other", "target"):
        model = cnn.build_model()
        (tmp_path / name).mkdir()
        saving.save_model(model, tmp_path / name)
        folders.append(str(tmp_path / name))
        answers.append(predict(model, IMAGES).tobytes())
    code = SAVING.format(root=str(ROOT), folders=folders[:2], target=folders[2])
    return answers, code, tmp_path / "target"


def test_two_trainings_may_save_into_one_folder(two_savers, monkeypatch):
    answers, code, target = two_savers
    real, others = saving.os.replace, []

    def interrupted(source, destination):
        if str(destination).endswith("model.h5") and not others:
            command = [sys.executable, "-c", f"{code}save()"]
            others.append(subprocess.Popen(command, stdout=subprocess.PIPE))
            others[0].stdout.readline()
            time.sleep(0.3)  # it would save some ten times here if it did not wait
        real(source, destination)

    monkeypatch.setattr(saving.os, "replace", interrupted)
    model = cnn.build_model()
    saving.save_model(model, target)
    others[0].kill()
    others[0].communicate()
    answers.append(predict(model, IMAGES).tobytes())
    assert answers_of(target).tobytes() in answers


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_at_any_instant_a_whole_pair_lies_there(two_savers, processes):
    answers, code, target = two_savers
    rng, found = np.random.default_rng(0), set()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code + KILLING], **pipes) as killer:
        killer.stdout.readline()
        for _ in range(200 // processes):
            print(rng.uniform(0, 0.05), processes, file=killer.stdin, flush=True)
            assert killer.stdout.readline() == "killed\n"
            found.add(answers.index(answers_of(target).tobytes()))
    assert found >= {0, 1}


def test_a_full_disk_is_named_and_the_old_pair_stays(fresh, monkeypatch):
    before = contents(fresh)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "flush_to_disk", full)
    with pytest.raises(UserError, match="No space left on device"):
        saving.save_model(cnn.build_model(), fresh)
    assert contents(fresh) == before


@pytest.mark.parametrize("room", [0, 1_000, 100_000, 500_000])
def test_when_the_disk_fills_up_in_the_middle_the_old_pair_stays(fresh, room):
    # A limit on the size of a file fails the writing of one as a full disk does, but for
    # this process alone, and in HDF5's own code too.
    resource = pytest.importorskip("resource")
    before = contents(fresh)
    model, limits = cnn.build_model(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(UserError, match="cannot save the model"):
            saving.save_model(model, fresh)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert contents(fresh) == before
