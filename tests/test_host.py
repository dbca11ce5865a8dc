"""In somebody else's program it keeps to itself: nothing of the process is changed."""

import json
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT, drawn_seven, png

STATE = f"""
import logging, os, random, signal, sys, threading, warnings
sys.path.insert(0, {str(ROOT)!r})
from concurrent.futures import ThreadPoolExecutor
import cv2, keras, numpy, PIL.Image  # what these do to a process is their affair

def state():
    loggers = logging.root.manager.loggerDict | {{"root": logging.root}}
    return {{
        "descriptors": [os.fstat(n)[:3] for n in range(3)],
        "streams": [id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "hooks": [id(hook) for hook in (sys.excepthook, sys.meta_path, warnings.showwarning)],
        "modules": {{n: id(sys.modules.get(n)) for n in FOREIGN}},
        "finders": list(map(id, sys.meta_path)),
        "path": list(sys.path),
        "loggers": {{
            name: (log.level, log.disabled, log.propagate, list(map(id, log.handlers)))
            for name, log in loggers.items()
            if isinstance(log, logging.Logger)
        }},
        "environment": dict(os.environ),
        "Keras": (keras.config.floatx(), keras.config.image_data_format()),
        "filters": list(map(str, warnings.filters)),
        "signals": {{str(s): str(signal.getsignal(s)) for s in signal.valid_signals()}},
        "folder": os.getcwd(),
        "random": (random.getstate(), str(numpy.random.get_state())),
        "OpenCV": (cv2.getNumThreads(), cv2.useOptimized()),
        "Pillow": "HEIF" in PIL.Image.OPEN,
    }}

def check(what):
    after = state()
    # New ones, of modules that Pillow loads at need, are no change.
    after["loggers"] = {{name: after["loggers"][name] for name in before["loggers"]}}
    for key, value in before.items():
        assert after[key] == value, (what, key)

FOREIGN = [n for n in sys.modules if not n.startswith("digits")]
before = state()
"""
READ = """
import digits
check("import")
from digits import UserError, load_model, read
picture, model = open("a.png", "rb").read(), load_model()
check("load_model")
assert read(picture, model).text == "7"
check("read")
with ThreadPoolExecutor(4) as pool:
    pictures = [picture, b"", b"no picture", "gone.png"] * 8
    texts = list(pool.map(lambda p: read(p, model).text, pictures))
assert texts == ["7", "", "", ""] * 8
check("four threads")
for wrong in (lambda: load_model("nowhere"), lambda: read(7, model), lambda: read(picture, None)):
    try:
        wrong()
    except (TypeError, UserError):
        pass
    else:
        raise AssertionError
check("an error")
"""


def run(code, folder, **environment):
    """Run a program in a folder with a picture of a 7; return what came of it."""
    (folder / "a.png").write_bytes(png(drawn_seven()))
    (folder / "program.py").write_text(code)
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_nothing_of_the_process_is_changed(tmp_path):
    """With settings of Keras in its file; then with the usual ones, put back meanwhile."""
    settings = {"floatx": "float64", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "tensorflow"} | settings))
    usual = """
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")
before = state()
"""
    code = STATE + READ + usual + READ + "print('as it was')"
    result = run(code, tmp_path, KERAS_HOME=str(tmp_path))
    assert result.stdout == "as it was\n", result.stderr


SPEAKS = f"""
import logging, os, sys, warnings
sys.path.insert(0, {str(ROOT)!r})
from concurrent.futures import ThreadPoolExecutor
logging.basicConfig(level="INFO")
from digits import load_model, read
picture = open("a.png", "rb").read()
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """What came of a program that forks, loads, reads, forks, imports and ends with a line."""
    program = """
def work(job):
    try:
        return job()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
def in_a_child(name, job):
    if not os.fork():
        print(name, work(job), flush=True)
        os._exit(0)
    os.wait()
if hasattr(os, "fork"):
    in_a_child("before:", lambda: read("a.png", load_model()).text)
model = load_model()
with ThreadPoolExecutor(4) as pool:
    for n in pool.map(lambda n: (read([picture, b""], model), n)[1], range(30)):
        logging.info("line %d", n)
print("itself:", read("a.png", model).text, flush=True)
if hasattr(os, "fork"):
    in_a_child("read:", lambda: read(picture, model).text)
    in_a_child("load:", load_model)
import keras.visualization, matplotlib.pyplot
from keras.src.visualization import plot_image_gallery
print("Matplotlib:", plot_image_gallery.plt is matplotlib.pyplot, flush=True)
os.system("echo a child >&2")
raise SystemExit("the last words")
"""
    return run(SPEAKS + program, tmp_path_factory.mktemp("host"))


def test_the_log_of_the_host_still_speaks(host):
    assert all(f"INFO:root:line {n}\n" in host.stderr for n in range(30))
    assert "INFO:digits:Keras " in host.stderr
    assert host.stderr.endswith("a child\nthe last words\n")
    assert "itself: 7\n" in host.stdout and "INFO" not in host.stdout


def test_what_keras_imports_is_there_for_the_host_too(host):
    assert host.stdout.endswith("Matplotlib: True\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_after_a_fork_it_says_at_once_what_to_do(host):
    for job in ("read", "load"):
        assert re.search(f"(?m)^{job}: UserError: .*spawn", host.stdout), host.stdout + host.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_before_it_is_loaded_it_reads(host):
    assert host.stdout.startswith("before: 7\nitself: 7\n"), host.stderr


@pytest.mark.slow
def test_a_web_app_reads_on_four_threads_and_its_log_is_whole(tmp_path):
    program = """
model = load_model()
import io
from flask import Flask, jsonify, request
app = Flask("app")

@app.post("/")
def answer():
    reading = read(request.files["picture"], model)
    app.logger.warning("read %s", reading.text)
    return jsonify(reading.as_dict())

def ask(n):
    content = picture if n % 5 else b"no picture"
    answer = app.test_client().post("/", data={"picture": (io.BytesIO(content), "a.png")})
    return answer.get_json()["digits"]

with ThreadPoolExecutor(4) as pool:
    texts = list(pool.map(ask, range(200)))
print(texts == ["7" if n % 5 else "" for n in range(200)])
"""
    result = run(SPEAKS + program, tmp_path)
    assert result.stdout == "True\n", result.stderr
    assert result.stderr.count("read 7\n") == 160 and result.stderr.count("read \n") == 40


# --------------------------------------------------------------- the commands


def test_a_package_that_is_missing_is_a_line(tmp_path):
    for name, flags in (("load_model.py", ["a.png"]), ("cnn.py", []), ("draw.py", [])):
        command = [sys.executable, "-S", ROOT / name, *flags]  # without what pip installed
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 2 and result.stderr.count("\n") == 1
        assert (
            result.stderr.startswith(f"{name}: numpy, ")
            and "activate .venv, or pip install" in result.stderr
        )


def test_a_package_that_does_not_start_is_a_line(tmp_path):
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open it')")
    command = [sys.executable, ROOT / "load_model.py", "a.png"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    said = "cv2 cannot start: libGL.so.1: cannot open it; pip uninstall opencv-python, then pip"
    assert said in result.stderr
