"""What is said points at what is wrong, and half of a file is never left."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cnn
from conftest import ROOT, hear_ctrl_c, small_model
from digits import UserError, figures, load_model
from digits.model import built, save_model
from digits.page import export
from digits.training import checkpoint

layers = cnn.keras.layers


def chain(*more):
    return cnn.keras.Sequential([cnn.keras.Input((28, 28, 1)), *more])


def end():
    return [layers.Flatten(), layers.Dense(10, activation="softmax")]


def too_much_pooling():
    return chain(*(layers.MaxPooling2D() for _ in range(5)), *end())


def pooling_found_late():  # without an Input it is built only by the check
    return cnn.keras.Sequential([*(layers.MaxPooling2D() for _ in range(5)), *end()])


def no_flatten():
    return chain(layers.Conv2D(3, 3), layers.Dense(10, activation="softmax"))


def no_name():
    return chain(layers.Conv2D(3, 3, name=""), *end())


def one_name_twice():
    return chain(layers.Dense(3, name="a"), layers.Dense(3, name="a"), *end())


@pytest.mark.parametrize(
    ("build_model", "said"),
    [
        (
            too_much_pooling,
            r"^test_messages\.py, line \d+: .*output size would be zero or negative",
        ),
        (pooling_found_late, "^Keras cannot build this model: Computed output size would be zero"),
        (no_flatten, r"gives 26x26x10 .*; let a Flatten\(\) stand before its last Dense"),
        (no_name, "has a layer without a name; leave its name out"),
        (one_name_twice, r"line \d+: .*should have unique names"),
    ],
)
def test_what_keras_refuses_in_a_model_is_a_line(build_model, said):
    with pytest.raises(UserError, match=said) as raised:
        built(build_model)
    assert "\n" not in str(raised.value) and "\x1b" not in str(raised.value)


def test_a_bug_in_the_building_keeps_its_traceback():
    with pytest.raises(ValueError, match="invalid literal"):
        built(lambda: int("a"))


def test_files_cut_short_are_to_be_copied_again(fresh, tmp_path):
    whole = (fresh / "model.h5").read_bytes()
    small_model().save(tmp_path / "whole.keras")
    for name, content in (("a.h5", whole), ("a.keras", (tmp_path / "whole.keras").read_bytes())):
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(UserError, match=rf"{name} is damaged or cut short; copy or download"):
            load_model(tmp_path / name)


def test_what_only_reads_says_so_before_any_data_is_fetched(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    monkeypatch.setattr(cnn, "load_mnist", None)
    with pytest.raises(UserError, match="openvino only reads"):
        cnn.main([])


def test_a_linked_pair_stays_linked(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    for name in ("model.json", "model.h5"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "elsewhere" / name)
    model = small_model()
    for _ in range(2):  # before the files are there, and after
        save_model(model, tmp_path / "here")
        assert all(file.is_symlink() for file in (tmp_path / "here").iterdir())
        assert len(list((tmp_path / "elsewhere").iterdir())) == 2
        assert load_model(tmp_path / "here").count_params() == model.count_params()


def test_a_full_disk_leaves_no_half_files(tmp_path, monkeypatch):
    def full(file, content):
        with open(file, "wb") as opened:
            opened.write(content[:1])
        raise OSError(28, "No space left on device")

    (tmp_path / "a.png").write_bytes(b"before")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="No space left"):
        figures.save(figures.new_figure(), tmp_path / "a.png")
    for made in ("as_network", "detector_bytes"):
        monkeypatch.setattr(export, made, lambda _: b"")
    with pytest.raises(UserError, match="No space left"):
        export.export_page(None, tmp_path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


def test_a_full_disk_leaves_the_last_whole_state(tmp_path, monkeypatch):
    model = small_model()
    model.compile("sgd", "mse")
    kept = checkpoint.Checkpoint(tmp_path, {})
    kept._write(model, {}, "1.npz")

    def full(file, *_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(UserError, match="No space left"):
        kept._write(model, {}, "2.npz")
    assert sorted(os.listdir(tmp_path / ".training")) == ["1.npz", "state.json"]


@pytest.mark.parametrize("script", ["load_model.py", "cnn.py", "draw.py"])
def test_ctrl_c_while_it_imports_is_a_line(tmp_path, script):
    (tmp_path / "numpy.py").write_text(
        "import signal, time\nsignal.raise_signal(signal.SIGINT)\ntime.sleep(9)\n"
    )
    result = subprocess.run(
        [sys.executable, ROOT / script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        preexec_fn=hear_ctrl_c,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 130
    assert result.stderr.strip() == f"{script}: stopped before the end"
