"""Any file name, any number of files, any order: the same answers, and all ends well."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from PIL import Image

import load_model
from conftest import ROOT, drawn_seven, hear_ctrl_c, run_measured
from digits.reading import read_pictures

COMMAND = [sys.executable, str(ROOT / "load_model.py"), "--model", str(ROOT)]
SEVEN = cv2.imencode(".png", drawn_seven())[1].tobytes()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_file_names_of_all_kinds(folder, monkeypatch, capfd):
    names = [" a b .png", "line\nbreak.png", "-x.png", "--json.png", os.fsdecode(b"\xff\xfe.png")]
    for name in names:
        (folder / name).write_bytes(SEVEN)
    (folder / "folder.png").mkdir()
    (folder / "nowhere.png").symlink_to("gone")
    (folder / "loop.png").symlink_to("loop.png")
    monkeypatch.chdir(folder)
    code = load_model.main(["--model", str(ROOT), "--json", "--", *names[:3], "."])
    out, err = capfd.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [a["digits"] for a in answers if "error" not in a] == ["7"] * (3 + len(names))
    assert len([a for a in answers if "error" in a]) == 2
    assert err == "" and code == 2


def test_a_reader_that_leaves_early():
    names = [f"{i}.png" for i in range(600)]
    process = subprocess.Popen(
        [*COMMAND, "--json", *names], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert b"no such file" in process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(60) == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_stopped_it_leaves_no_process_behind(folder, stop):
    (folder / "0.png").write_bytes(SEVEN)
    for i in range(1, 5000):
        os.link(folder / "0.png", folder / f"{i}.png")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = pipes | {"start_new_session": True, "preexec_fn": hear_ctrl_c}
    process = subprocess.Popen([*COMMAND, str(folder)], **options)
    for _ in range(400):  # enough for processes of their own
        process.stdout.readline()
    (os.killpg if stop == signal.SIGINT else os.kill)(process.pid, stop)  # a terminal stops all
    _, errors = process.communicate(timeout=20)
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert errors.decode().endswith("\nload_model.py: stopped before the end\n")
        assert b"Traceback" not in errors
    end = time.monotonic() + 20
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def test_the_same_answers_alone_and_in_any_order(digits, shipped):
    _, (x_test, _) = digits
    shifted = np.roll(x_test[:300], 3, axis=2)  # so that it goes through the whole search
    files = [(str(i), cv2.imencode(".png", x)[1].tobytes()) for i, x in enumerate(shifted)]
    random.Random(0).shuffle(files)
    together = {r.name: r for r in read_pictures(shipped, files)}
    for name, content in files[:20]:
        (alone,) = read_pictures(shipped, [(name, content)])
        assert together[name].digits == alone.digits
        for one, two in zip(together[name].answers, alone.answers, strict=True):
            np.testing.assert_allclose(one.probabilities, two.probabilities, atol=1e-6)


@pytest.mark.slow
def test_a_hundred_thousand_files(folder):
    kinds = {"seven": SEVEN, "empty": b"", "text": b"no picture"}
    for name, content in kinds.items():
        (folder.parent / name).write_bytes(content)
    for i in range(100_000):
        kind = "seven" if i % 100 == 0 else ("empty", "text")[i % 2]
        os.link(folder.parent / kind, folder / f"{i:06}.png")
    with open(folder.parent / "out", "w") as out, open(folder.parent / "errors", "w") as errors:
        result, peak = run_measured(
            folder.parent, [*COMMAND, folder], stdout=out, stderr=errors, timeout=300
        )
    assert result.returncode == 2
    answers = (folder.parent / "out").read_text().splitlines()
    assert len(answers) == 1000 and all("  7  " in line for line in answers)
    assert (folder.parent / "errors").read_text().count("not an image") == 99_000
    assert peak < 2e9


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_the_largest_pictures_fit_into_two_gigabytes(folder, kind):
    Image.new("RGBA", (7200, 7200)).save(folder / "1.png", kind)
    for i in range(2, 7):
        os.link(folder / "1.png", folder / f"{i}.png")
    command = [*COMMAND, folder]
    result, peak = run_measured(folder.parent, command, capture_output=True, timeout=100)
    assert result.stdout.count(b"no digit found") == 6 and result.returncode == 0
    assert peak < 2e9
