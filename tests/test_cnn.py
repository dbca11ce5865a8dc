"""`python cnn.py` as a user runs it."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest

import cnn
from conftest import (
    ROOT,
    hear_ctrl_c,
    is_user_error,
    run_and_list_imports,
    small_convnet,
    small_model,
)
from digits import places
from digits.command_line import UserError

PIPES = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}


def test_help_answers_at_once():
    result = run_and_list_imports("cnn.py", "--help")
    assert result.stdout.endswith("\nimported: numpy\n")  # nothing slow
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
def test_a_wrong_option_is_refused_before_any_work(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cnn, "load_mnist", None)
    with pytest.raises(SystemExit) as stopped:
        cnn.main([*arguments])
    assert stopped.value.code == 2 and arguments[0] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_noticed_before_training(script, tmp_path):
    (tmp_path / "file").touch()
    assert is_user_error(script("cnn.py", "--output", "file/inside"), "file/inside", "choose")


def test_wrong_data_is_named(tmp_path, capsys):
    np.savez(tmp_path / "x.npz", x_train=np.zeros(3))
    with pytest.raises(UserError, match=r"^[^\n]*x\.npz[^\n]*not MNIST[^\n]*\Z"):
        cnn.main(["--data", str(tmp_path / "x.npz"), "--output", str(tmp_path)])
    assert capsys.readouterr() == ("", "")


def test_it_prints_results_and_writes_four_files(digits, tmp_path, monkeypatch, capsys):
    (x_train, y_train), (x_test, y_test) = digits
    few = (x_train[:4700], y_train[:4700]), (x_test[:240], y_test[:240])
    monkeypatch.setattr(cnn, "load_mnist", lambda path: few)
    monkeypatch.setattr(cnn, "build_model", small_convnet)
    monkeypatch.setattr(cnn, "VALIDATION", 200)
    monkeypatch.setattr(cnn, "train", partial(cnn.train, validation=200))
    folder = tmp_path / "new"
    options = ["--epochs", "3", "--batch-size", "100", "--output", str(folder)]
    assert cnn.main(options) == 0
    out, err = capsys.readouterr()
    words = "digit  images  wrong", "trained 3 epochs in", f"the model in {ROOT} before: test acc"
    assert all(f"\n{line}" in out for line in words) and 90 < float(out.split()[2]) < 100
    assert out.endswith(f"saved model.json, model.h5, result.png and training.png in {folder}\n")
    assert err.startswith(f"the model goes to {folder}\n")
    assert err.count("\n") == 4 and "\nepoch 1 of 3: accuracy " in err  # as a log wants it
    files = sorted(file.name for file in folder.iterdir())
    assert files == ["model.h5", "model.json", "result.png", "training.png"]


@pytest.mark.slow
def test_the_default_training_prints_what_the_script_says(digits, tmp_path, capsys):
    assert cnn.main(["--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for line in textwrap.dedent(cnn.__doc__.split("prints:\n\n")[1]).splitlines():
        assert re.search("(?m)^" + re.escape(line).replace(r"\.\.\.", ".*") + "$", out), line


@pytest.mark.parametrize(
    "line", ["the model goes to", pytest.param("epoch 2 of", marks=pytest.mark.slow)]
)
def test_ctrl_c_says_what_is_kept_and_leaves_the_old_pair(fresh, tiny_cnn, line):
    before = (fresh / "model.h5").read_bytes()
    process = subprocess.Popen(
        [*tiny_cnn, "--epochs", "50"], cwd=fresh, preexec_fn=hear_ctrl_c, **PIPES
    )
    lines = iter(process.stderr.readline, "")
    assert any(line in text for text in lines)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    assert (fresh / "model.h5").read_bytes() == before
    kept = r"tiny\.py: stopped: (\d+) of 50 epochs are kept; python (cnn\.py .*) goes on"
    if line == "the model goes to":
        assert err.splitlines()[-1].startswith("tiny.py: stopped")
        return
    number, arguments = re.fullmatch(kept, err.splitlines()[-1]).groups()
    assert int(number) >= 2 and arguments == "cnn.py --epochs 50 --resume"
    resumed = subprocess.Popen(
        [*tiny_cnn, *arguments.split()[1:]], cwd=fresh, preexec_fn=hear_ctrl_c, **PIPES
    )
    lines = iter(resumed.stderr.readline, "")
    assert f"epoch {int(number) + 1} of 50" in next(text for text in lines if "epoch " in text)
    resumed.kill()
    resumed.communicate()


def test_without_a_stopped_training_nothing_is_resumed(few_digits, tmp_path, capsys):
    with pytest.raises(UserError, match=f"no stopped training in {tmp_path}; leave out --resume"):
        cnn.main(["--resume", "--output", str(tmp_path)])
    assert capsys.readouterr().err == ""


def test_ctrl_c_does_not_break_into_a_step(monkeypatch):
    model, calls = small_model(), []
    layer = model.layers[0]
    scale = layer.call

    def press_and_scale(x):
        if not calls:  # a second one would end it at once
            os.kill(os.getpid(), signal.SIGINT)
        calls.append("whole")
        return scale(x)

    monkeypatch.setattr(layer, "call", press_and_scale)
    with pytest.raises(KeyboardInterrupt):
        cnn.train(model, np.zeros((60, 28, 28), "uint8"), np.zeros(60, "uint8"), 2, 20, 0, 20)
    assert calls and int(model.optimizer.iterations) == 1


def test_before_it_replaces_the_shipped_pair_it_says_so(few_digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "PROJECT", tmp_path)
    monkeypatch.setattr(cnn, "train", stop)
    for folder, replaces in ((tmp_path, True), (tmp_path / "new", False)):
        with pytest.raises(KeyboardInterrupt):
            cnn.main(["--output", str(folder)])
        err = capsys.readouterr().err
        assert ("git checkout -- model.json" in err and "--output" in err) == replaces


def test_a_ctrl_c_names_the_command_that_goes_on(few_digits, tmp_path, monkeypatch):
    def stopped_after_one(*_, checkpoint, **__):
        checkpoint.kept = 1
        raise KeyboardInterrupt

    monkeypatch.setattr(cnn, "train", stopped_after_one)
    words = ["--epochs", "9", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["cnn.py", *words])
    for argv in (words, None):  # called, and as the shell does
        with pytest.raises(KeyboardInterrupt, match=r"1 of 9 .*cnn\.py --epochs 9 .* --resume"):
            cnn.main(argv)


def stop(*_, **__):
    raise KeyboardInterrupt
