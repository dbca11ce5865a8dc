"""What several test files share. No test needs a display, an accelerator or the internet."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ["MPLBACKEND"] = "agg"
pytest_plugins = ["browsers"]
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import cnn  # noqa: E402
import teach  # noqa: E402
from digits.command_line import UserError  # noqa: E402
from digits.data import load_mnist  # noqa: E402
from digits.model import load_model, save_model  # noqa: E402
from digits.page.learner import Learner  # noqa: E402


@pytest.fixture(scope="session")
def digits():
    """The real MNIST; from the cache after the first time."""
    return load_mnist()


@pytest.fixture
def row(digits):
    """Put a row of test digits that the model reads on an array of ink, 0 to 1."""
    _, (x_test, y_test) = digits

    def put(ink, text, x, y, height=40, gap=25):
        for digit in text:
            image = x_test[np.flatnonzero(y_test == int(digit))[3]]
            rows, columns = image.any(axis=1).nonzero()[0], image.any(axis=0).nonzero()[0]
            image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            width = round(image.shape[1] * height / image.shape[0])
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
            view = ink[y : y + height, x : x + width]
            np.maximum(view, image / 255, out=view)
            x += width + gap

    return put


@pytest.fixture(scope="session")
def shipped():
    """The model that comes with the project."""
    return load_model(ROOT)


@pytest.fixture
def learner(shipped, tmp_path):
    """The network of the page, which keeps pictures in `own` of the test's folder."""
    return Learner(shipped, tmp_path / "own")


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """A folder with the files of an untrained model, for all tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("untrained")
    save_model(cnn.build_model(), folder)
    return folder


@pytest.fixture
def fresh(untrained, tmp_path):
    """A folder with the files of an untrained model."""
    shutil.copytree(untrained, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def few_digits(digits, monkeypatch):
    """Let cnn.main() and teach.main() train on few digits."""
    (x_train, y_train), (x_test, y_test) = digits
    few = (x_train[:3000], y_train[:3000]), (x_test[:240], y_test[:240])
    for script in (cnn, teach):
        monkeypatch.setattr(script, "load_mnist", lambda path: few)


@pytest.fixture
def script(tmp_path):
    """Run a script as a user does, in an empty folder; return what came of it."""

    def run(name, *arguments, **options):
        command = [sys.executable, str(ROOT / name), *map(str, arguments)]
        options = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 100} | options
        return subprocess.run(command, **options)

    run.folder = tmp_path
    return run


@pytest.fixture(scope="session")
def start_page(tmp_path_factory):
    """Start draw.py as a user does; return the process and the page's address."""
    started, own = [], tmp_path_factory.mktemp("page") / "own"

    def start(*arguments):
        command = [sys.executable, str(ROOT / "draw.py"), "--no-browser", "--model", str(ROOT)]
        arguments = "--keep", own, *arguments
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_ctrl_c,
        )
        started.append(process)
        line = process.stdout.readline()
        assert line.startswith("draw at http://127.0.0.1:"), process.stderr.read()
        return process, line.split()[2]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def address(start_page):
    """The page, for all tests that only use it."""
    return start_page("--port", 0)[1]


TINY = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import cnn, teach
from digits.data.mnist import load_mnist

(x_train, y_train), (x_test, y_test) = load_mnist()
few = (x_train[:3000], y_train[:3000]), (x_test[:240], y_test[:240])
cnn.load_mnist = teach.load_mnist = lambda path: few
"""
SMALL = """
def small_convnet():
    layers, keras = cnn.keras.layers, cnn.keras
    first = [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255)]
    last = [layers.Flatten(), layers.Dropout(0.2), layers.Dense(10, activation="softmax")]
    return keras.Sequential([*first, *cnn.convolution(4, 5, "1", pool=True), *last])
"""
exec(SMALL, globals())  # for this process too; those of other backends have no pytest
START = "sys.exit(cnn.training.run(cnn.main))"


@pytest.fixture
def tiny_cnn(digits, tmp_path):
    """A command that is cnn.py on few digits."""
    (tmp_path / "tiny.py").write_text(TINY + START)
    return [sys.executable, str(tmp_path / "tiny.py")]


@pytest.fixture
def tiny_teach(digits, tmp_path):
    """A command that is teach.py among few digits."""
    (tmp_path / "tiny_teach.py").write_text(TINY + "sys.exit(cnn.training.run(teach.main))")
    return [sys.executable, str(tmp_path / "tiny_teach.py")]


@pytest.fixture
def small_cnn(tiny_cnn, tmp_path):
    """The same for a small model: JAX and PyTorch prepare a large one for long, each time anew."""
    (tmp_path / "tiny.py").write_text(TINY + SMALL + "cnn.build_model = small_convnet\n" + START)
    return tiny_cnn


@pytest.fixture(scope="session")
def python_with(tmp_path_factory):
    """Return the Python of an environment with a backend and without TensorFlow.

    JAX_PYTHON, TORCH_PYTHON or OPENVINO_PYTHON names one; else it is made, which takes a minute.
    """
    made = {}

    def make(backend):
        folder = tmp_path_factory.mktemp(backend)
        own = ROOT / f"requirements-{backend}.txt"
        needed = (own if own.exists() else ROOT / "requirements.txt").read_text()
        (folder / "needed.txt").write_text(re.sub("(?m)^tensorflow.*", "", needed))
        python = folder / "bin/python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [python, "-m", "pip", "install", "-q", "-r", folder / "needed.txt"]
        # The usual wheel of PyTorch brings gigabytes for GPUs; this one few package indexes have.
        command.append({"torch": "torch==2.13.0+cpu"}.get(backend, backend))
        done = subprocess.run(command, capture_output=True, text=True)
        return python if done.returncode == 0 else done.stderr.strip().split("\n")[-1]

    def python(backend):
        name = f"{backend.upper()}_PYTHON"
        if backend not in made:
            made[backend] = os.environ.get(name) or make(backend)
        if not os.access(made[backend], os.X_OK):
            pytest.skip(f"no {backend} to test, and {name} names none: {made[backend]}")
        return str(made[backend])

    yield python
    for file in made.values():  # they are large
        if str(file).startswith(str(tmp_path_factory.getbasetemp())):
            shutil.rmtree(Path(file).parent.parent)


IMPORTED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print("imported:", *({"numpy", "keras", "tensorflow", "matplotlib"} & set(sys.modules)))
"""


def run_and_list_imports(name, *arguments):
    """Run a script, and have it print which of the slow libraries it has imported."""
    command = [sys.executable, "-c", IMPORTED, ROOT / name, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def small_model():
    """A model that is built, trained and saved at once."""
    layers = cnn.keras.layers
    first = [cnn.keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), layers.Flatten()]
    return cnn.keras.Sequential([*first, layers.Dense(10, activation="softmax")], name="small")


def hear_ctrl_c():
    """For a child process: hear Ctrl-C even where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def run_measured(folder, command, **options):
    """Run a command; return what came of it, and the most memory a process of it took, in bytes.

    A small process starts it, since Linux counts the peak of the one that starts as its own.
    """
    pytest.importorskip("resource")
    measure = [sys.executable, "-c", MEASURE, folder / "peak"]
    result = subprocess.run([*map(str, measure), *map(str, command)], **options)
    peak = int((folder / "peak").read_text())
    return result, peak if sys.platform == "darwin" else 1024 * peak


def is_user_error(result, *words):
    """One line on stderr that names the thing, exit code 2, nothing else."""
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    return True


def refuses(load, place, words):
    """What a place holds is refused in one line with these words, a regular expression."""
    with pytest.raises(UserError, match=words) as error:
        load(place)
    assert "\n" not in str(error.value)
    return True


def png(image):
    """A picture as the bytes of a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def drawn_seven(side=100, thickness=8, ink=0, paper=255):
    """A 7 drawn with two lines."""
    import cv2

    image = np.full((side, side), paper, "uint8")
    points = np.array([[0.3, 0.25], [0.7, 0.25], [0.45, 0.8]]) * side
    cv2.polylines(image, [points.astype("int32")], False, ink, thickness, cv2.LINE_AA)
    return image
