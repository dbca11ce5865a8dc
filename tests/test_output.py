"""Whatever becomes of what the scripts print, the work is done and what it made is there."""

import contextlib
import os
import subprocess
import sys

import cv2
import pytest

from conftest import ROOT, drawn_seven, is_user_error

pytestmark = pytest.mark.slow  # whole trainings
FOUR = ["model.h5", "model.json", "result.png", "training.png"]
READ = f"{sys.executable} {ROOT / 'load_model.py'}"


@pytest.fixture
def shell(small_cnn, tmp_path):
    """Run a line of shell in an empty folder; `$TRAIN` is cnn.py on few digits."""
    if sys.platform == "win32":
        pytest.skip("the lines are for a POSIX shell")
    (tmp_path / "seven.png").write_bytes(cv2.imencode(".png", drawn_seven())[1].tobytes())
    more = {"TRAIN": " ".join([*small_cnn, "--epochs 1 --output out"]), "READ": READ}

    def run(line, **environment):
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=tmp_path,
            env=os.environ | more | environment,
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


def files_in(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$TRAIN | head -1", 0),
        # The reader leaves before the training begins.
        ("$TRAIN 2>&1 | head -1", 0),
        ("$TRAIN >&- 2>&- <&-", 0),
    ],
)
def test_a_training_that_nobody_listens_to_saves_its_model(shell, tmp_path, line, code):
    assert shell(line, PYTHONUNBUFFERED="1").returncode == code
    assert files_in(tmp_path / "out") == FOUR


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is full")
def test_a_full_disk_behind_stdout_costs_only_what_is_printed(shell, tmp_path):
    result = shell("$TRAIN >/dev/full")
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last == "tiny.py: cannot write the results to stdout: No space left on device"
    assert files_in(tmp_path / "out") == FOUR
    assert is_user_error(shell("$READ seven.png --json >/dev/full"), "No space left")
    result = shell("$READ seven.png seven.png --plot seen.png >/dev/full")
    assert result.returncode == 2 and (tmp_path / "seen.png").exists()


def test_a_reader_that_leaves_still_gets_its_drawing(shell, tmp_path):
    result = shell("$READ seven.png seven.png seven.png --plot seen.png | head -1")
    assert result.returncode == 0 and result.stdout.startswith("seven.png  7  ")
    assert (tmp_path / "seen.png").exists()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_none_of_its_business(shell, tmp_path, closed):
    result = shell(f"$READ seven.png --plot seen.png {closed}")
    assert result.returncode == 0 and (tmp_path / "seen.png").exists()
    assert result.stdout.startswith("seven.png  7  ") == (">&-" not in closed.replace("2>&-", ""))


def test_the_way_is_shown_only_where_a_terminal_has_room_for_it(tmp_path):
    pty = pytest.importorskip("pty")
    (tmp_path / "a.png").write_bytes(b"")
    for output, shown in ((subprocess.PIPE, True), ("the terminal", False)):
        ours, theirs = pty.openpty()
        stdout = theirs if output == "the terminal" else output
        command = [*READ.split(), *["a.png"] * 3]
        with subprocess.Popen(command, cwd=tmp_path, stdout=stdout, stderr=theirs) as process:
            os.close(theirs)
            text = b""
            with open(ours, "rb", 0) as terminal, contextlib.suppress(OSError):  # its end
                while piece := terminal.read(1000):
                    text += piece
            assert process.wait() == 2
        assert (b"/3" in text) == shown
        assert text.count(b"load_model.py: a.png: ") == 3
