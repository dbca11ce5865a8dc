"""Several devices and several processes train one network together."""

import os
import re
import socket
import subprocess
import time

import h5py
import numpy as np
import pytest

from digits.command_line import UserError
from digits.training import distribution

NAMES = (distribution.ADDRESSES, distribution.PROCESSES, distribution.PROCESS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("10.0.0.1:1234", "2", None), "PROCESS_ID is not"),
        (("10.0.0.1:1234", "2", "2"), "from 0 to"),
        (("10.0.0.1:1234", "two", "0"), "from 0 to"),
        (("10.0.0.1", "2", "0"), "like 10.0.0.1:1234"),
    ],
)
def test_variables_that_say_half_of_it_are_named(values, words, monkeypatch):
    for name, value in zip(NAMES, values, strict=True):
        if value:
            monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=words):
        distribution.team()


def test_windows_has_no_several_processes_and_that_is_said(monkeypatch):
    for name, value in zip(NAMES, ("10.0.0.1:1234", "2", "0"), strict=True):
        monkeypatch.setenv(name, value)
    assert distribution.team().processes == 2
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UserError, match="on Windows; use WSL2"):
        distribution.team()


def test_several_processes_need_jax_and_that_is_said():
    with pytest.raises(UserError, match="set KERAS_BACKEND=jax"):
        distribution.Team(0, 2, "localhost:1234").join(250)


@pytest.mark.parametrize(("processes", "devices", "left_out"), [(1, 1, 0), (2, 2, 1), (2, 6, 3)])
def test_every_image_is_in_one_share(processes, devices, left_out):
    items = np.arange(123)
    teams = [distribution.Team(i, processes, devices=devices) for i in range(processes)]
    shares = [team.share_of(items) for team in teams]
    np.testing.assert_array_equal(np.concatenate(shares), items[: 123 - left_out])
    assert len({len(share) for share in shares}) == 1


# ------------------------------------------------------------- the trainings


@pytest.fixture
def begin(python_with, small_cnn, tmp_path):
    """Begin a training with some processes, of some devices each; return the processes."""
    started = []

    def begin(processes, devices, *options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        environment = os.environ | {
            "KERAS_BACKEND": "jax",
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        }
        for i in range(processes):
            if processes > 1:
                values = (address, str(processes), str(i))
                environment = environment | dict(zip(NAMES, values, strict=True))
            command = [python_with("jax"), *small_cnn[1:], *map(str, options)]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            started.append(subprocess.Popen(command, env=environment, cwd=tmp_path, **pipes))
        return started[-processes:]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ends_well(processes):
    """The first process prints its results, the others nothing at all."""
    (out, err), *others = (process.communicate(timeout=300) for process in processes)
    assert [process.returncode for process in processes] == [0] * len(processes), (err, others)
    assert "saved model.json" in out
    for out, err in others:
        assert out == "" and re.fullmatch("((fetching|waiting for) .*\n)*", err)


def weights(folder):
    values = []
    with h5py.File(folder / "model.h5") as file:
        file.visititems(
            lambda _, item: values.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    return values


@pytest.mark.slow
def test_four_processes_learn_what_one_does(begin, tmp_path):
    one_step = ("--epochs", 1, "--batch-size", 500, "--output")
    ends_well(begin(1, 1, *one_step, tmp_path / "one"))
    ends_well(begin(4, 1, *one_step, tmp_path / "four"))
    for one, four in zip(weights(tmp_path / "one"), weights(tmp_path / "four"), strict=True):
        # Where a gradient is about zero, rounding decides on the direction of a step.
        assert np.isclose(one, four, rtol=1e-3, atol=1e-5).mean() > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_process_ends_the_other_and_its_devices_alone_go_on(begin, tmp_path, lost):
    command = ("--epochs", 3, "--output")
    both = begin(2, 1, *command, tmp_path / "lost")
    while "epoch 1 of" not in both[0].stderr.readline():
        assert both[0].poll() is None
    both[lost].kill()
    began = time.monotonic()
    _, err = both[1 - lost].communicate(timeout=100)
    assert time.monotonic() - began < 60 and both[1 - lost].returncode == 2
    assert err.endswith(f"tiny.py: {distribution.LOST}\n") and "Traceback" not in err
    progress = ("epoch", "fetching", "waiting", "the model goes")
    assert len([line for line in err.splitlines() if not line.startswith(progress)]) == 1
    if lost == 0:
        ends_well(begin(1, 2, *command, tmp_path / "lost", "--resume"))
        ends_well(begin(2, 1, *command, tmp_path / "whole"))
        lost, whole = ((tmp_path / name / "model.h5").read_bytes() for name in ("lost", "whole"))
        assert lost == whole
