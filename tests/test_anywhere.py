"""It works wherever it is run: notebooks, containers, odd settings, any file name."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading

import cv2
import h5py
import numpy as np
import pytest

import cnn
import load_model
from conftest import ROOT, drawn_seven, is_user_error, small_model
from digits import figures
from digits.command_line import UserError
from digits.data import mnist
from digits.model import loading
from digits.reading import Reading, read_pictures
from digits.reading.plot import draw_readings

SEVEN = cv2.imencode(".png", drawn_seven())[1].tobytes()
READ = [sys.executable, str(ROOT / "load_model.py"), "--model", str(ROOT), "a.png"]


@pytest.fixture
def seven(tmp_path):
    (tmp_path / "a.png").write_bytes(SEVEN)
    return tmp_path


# ------------------------------------------------------------ Keras cannot start


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KERAS_BACKEND": "theano"}, "KERAS_BACKEND asks for the backend theano; set"),
        ({"KERAS_HOME": "old"}, "old/keras.json asks for the backend cntk; set KERAS_BACKEND"),
        ({"KERAS_HOME": "bad"}, "bad/keras.json is damaged; mend or delete it"),
    ],
)
@pytest.mark.slow
def test_a_bad_setting_of_keras_is_named(script, seven, environment, words):
    for name, settings in (("old", {"backend": "cntk"}), ("bad", {"floatx": "float3"})):
        (seven / name).mkdir()
        (seven / name / "keras.json").write_text(json.dumps(settings))
    result = script("load_model.py", "a.png", env=os.environ | environment)
    assert is_user_error(result, "Keras cannot start: ", words)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("keras.py", "print('mine')", "keras.py is taken for keras; rename it"),
        ("tensorflow/__init__.py", "", "is taken for tensorflow; rename it"),
        ("optree.py", "", "optree.py is taken for optree; rename it"),
        ("jax/mine.txt", "", "jax is taken for jax; rename it"),
        ("a.py", "sys.modules['tensorflow'] = None", "tensorflow is not installed; pip install"),
    ],
)
@pytest.mark.slow
def test_what_stands_in_for_a_library_is_named(seven, file, content, words):
    (seven / file).parent.mkdir(exist_ok=True)
    (seven / file).write_text(content)
    (seven / "mine.py").write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\n{content if file == 'a.py' else ''}\n"
        "import load_model\nfrom digits.command_line import run\nsys.exit(run(load_model.main))\n"
    )
    result = subprocess.run(
        [sys.executable, "mine.py", "a.png"], cwd=seven, capture_output=True, text=True
    )
    assert is_user_error(result, "mine.py: Keras cannot start: ", words)
    assert result.stdout == ""  # nothing of it was run


# -------------------------------------------------------------------- figures


@pytest.mark.parametrize("backend", ["module://nowhere.backend", "nonsense"])
@pytest.mark.slow
def test_a_backend_that_is_not_there_does_not_matter(script, seven, backend):
    environment = os.environ | {"MPLBACKEND": backend}
    result = script("load_model.py", "a.png", "--plot", "p.png", env=environment)
    assert result.returncode == 0 and (seven / "p.png").exists()
    assert result.stderr == f"saved {seven / 'p.png'}\n"


@pytest.mark.parametrize("images", [[], ["a.png"]])
def test_without_a_display_show_says_so_before_any_work(seven, monkeypatch, images):
    monkeypatch.chdir(seven)
    monkeypatch.setattr(load_model, "load_model", None)
    with pytest.raises(UserError, match="needs a display"):
        load_model.main([*images, "--show"])


def test_names_are_drawn_whatever_they_hold(tmp_path, recwarn):
    names = ["a$$b.png", "$x^{.png", os.fsdecode(b"\xff.png"), "\ud800.png", "照片.png", "l\nb.png"]
    white = np.full((9, 9), 255, "uint8")
    figure = draw_readings([Reading(name, grey=white) for name in names])
    figures.save(figure, tmp_path / "p.svg")
    assert not recwarn
    texts = [text.get_text() for cell in figure.subfigs for text in cell.texts]
    assert {"a$$b.png", r"\udcff.png", r"\ud800.png", r"\u7167\u7247.png", r"l\nb.png"} < set(texts)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.slow
def test_a_terminal_without_the_letters_of_a_name(script, tmp_path, encoding):
    for name in ("ü.png", "照.png"):
        (tmp_path / name).write_bytes(SEVEN)
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    result = script("load_model.py", "照.png", "ü.png", env=environment, text=False)
    assert result.returncode == 0 and result.stdout.startswith(rb"\u7167.png  7  ")
    assert "ü.png".encode(encoding, "backslashreplace") + b"  7  " in result.stdout


# ----------------------------------------------------------------- containers


def test_without_a_home_the_data_is_kept_somewhere(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless(_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(mnist.Path, "home", classmethod(homeless))
    assert mnist.cache_file().is_absolute()


def test_a_pair_in_use_or_out_of_reach_is_not_called_bad(fresh, monkeypatch):
    def fails(error):
        def open_file(*_, **__):
            raise error

        return open_file

    for error, words in (
        (BlockingIOError(11, "unable to lock file"), "in use by another program"),
        (PermissionError(13, "Permission denied"), "no permission to read"),
    ):
        monkeypatch.setattr(h5py, "File", fails(error))
        with pytest.raises(UserError, match=words) as raised:
            loading.load_model(fresh)
        assert "train" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_architecture_that_an_editor_saved_anew_is_read(fresh, encoding):
    text = (fresh / "model.json").read_text()
    (fresh / "model.json").write_text(text, encoding=encoding)
    assert loading.load_model(fresh).output_shape == (None, 10)


def test_without_shared_memory_threads_read_the_pictures(shipped, monkeypatch):
    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(multiprocessing.get_context("spawn"), "Lock", read_only)
    sources = [(str(i), b"") for i in range(700)]
    assert len(list(read_pictures(shipped, sources, processes=True))) == 700


@pytest.mark.slow
def test_without_a_temporary_folder_it_reads(script, seven):
    more = {"TMPDIR": "/nowhere"}
    code = "import tempfile; tempfile._candidate_tempdir_list = lambda: []\n"
    (seven / "mine.py").write_text(
        f"{code}import sys\nsys.path.append({str(ROOT)!r})\nimport load_model\n"
        "from digits.command_line import run\nsys.exit(run(load_model.main))\n"
    )
    result = subprocess.run(
        [sys.executable, "mine.py", "a.png", "--plot", "p.png"],
        cwd=seven,
        capture_output=True,
        text=True,
        env=os.environ | more,
    )
    assert result.stdout.startswith("a.png  7  ") and (seven / "p.png").exists()


# ------------------------------------------------------ notebooks, from Python


def test_training_in_a_thread():
    x, y = np.zeros((60, 28, 28), "uint8"), np.zeros(60, "uint8")
    history = []

    def train():
        history.append(cnn.train(small_model(), x, y, 1, 20, 0, 20)[1])

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert len(history[0]["loss"]) == 1


@pytest.mark.slow
def test_a_notebook_trains_reads_and_shows(tmp_path, digits, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.delenv("MPLBACKEND")  # a notebook has its own
    (tmp_path / "a.png").write_bytes(SEVEN)
    cells = [
        f"import sys; sys.path.append({str(ROOT)!r})\nimport cnn, load_model",
        "data = cnn.load_mnist(None)\n"
        "few = tuple((x[:3000], y[:3000]) for x, y in data)\n"
        "cnn.load_mnist = lambda path: few\n"
        "cnn.main(['--epochs', '1'])",
        f"load_model.main(['--model', {str(ROOT)!r}, 'a.png', 'gone.png', '--show'])",
        "from matplotlib import pyplot as plt\nplt.plot([1, 2]); plt.show()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    outputs = [cell.outputs for cell in notebook.cells]

    def text(cell, name="stdout"):
        return "".join(o.text for o in outputs[cell] if o.get("name") == name)

    def pictures(cell):
        return sum("image/png" in o.get("data", {}) for o in outputs[cell])

    assert "saved model.json" in text(1) and "epoch 1 of 1" in text(1, "stderr")
    assert (tmp_path / "model.h5").exists() and pictures(1) == 0
    assert text(2).startswith("a.png  7  ") and pictures(2) == 1
    assert text(2, "stderr").endswith(": gone.png: no such file\n")
    assert pictures(3) == 1  # the notebook's own figures are as before


def test_the_way_in_takes_no_time():
    code = "import digits, sys; print(sorted({'numpy', 'keras', 'cv2'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize("name", ["cnn.py", "load_model.py", "draw.py", "teach.py"])
def test_it_runs_where_python_takes_no_modules_from_the_scripts_folder(tmp_path, name):
    command = [sys.executable, "-I", ROOT / name, "--help"]  # -I includes -P
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0 and not result.stderr
