"""Installed by pip, it works anywhere, without the checkout."""

import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request

import cv2
import pytest
from packaging.requirements import Requirement

from conftest import ROOT, drawn_seven

PYPROJECT = (ROOT / "pyproject.toml").read_text()
FEW = """
import sys
from digits import data
(x_train, y_train), (x_test, y_test) = data.load_mnist()
few = (x_train[:3000], y_train[:3000]), (x_test[:300], y_test[:300])
data.load_mnist = lambda path: few
from digits.__main__ import train
sys.exit(train())
"""


def test_pip_installs_what_the_requirements_say():
    """The checkout's pins lie within those of the package, extra by extra."""
    tomllib = pytest.importorskip("tomllib")  # came with Python 3.11
    project = tomllib.loads(PYPROJECT)["project"]
    extras = project["optional-dependencies"]
    needed = {
        "requirements.txt": ("tensorflow", "page"),
        "requirements-openvino.txt": ("openvino", "page"),
        "requirements-cluster.txt": ("cluster",),
    }
    for file, names in needed.items():
        wide = pins([*project["dependencies"], *(pin for name in names for pin in extras[name])])
        narrow = pins((ROOT / file).read_text().splitlines())
        more = {"matplotlib"} if file == "requirements-openvino.txt" else set()  # for --plot
        base = set(pins(project["dependencies"])) if file == "requirements-cluster.txt" else set()
        assert set(narrow) - more == set(wide) - base
        for name in set(narrow) & set(wide):
            lowest = re.search(r">=([\d.]+)", str(narrow[name].specifier))[1]
            assert wide[name].specifier.contains(lowest), name
            assert wide[name].extras == narrow[name].extras
    assert extras["all"] == [f"{project['name']}[tensorflow,page]"]
    assert set(extras) == {"tensorflow", "openvino", "jax", "torch", "page", "cluster", "all"}


def pins(lines):
    found = [Requirement(line) for line in lines if re.match(r"[a-z]", line)]
    return {pin.name: pin for pin in found}


def test_it_says_what_there_is():
    command = [sys.executable, "-m", "digits"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and "python load_model.py page.jpg" in result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The commands of an environment with the wheel, and with the packages that are here."""
    folder = tmp_path_factory.mktemp("installed")
    built = pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    if "No matching distribution found for hatchling" in built.stderr:
        pytest.skip("no package index has hatchling, which builds the wheel")
    assert built.returncode == 0, built.stderr
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    bin = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    (packages,) = (folder / "venv").rglob("site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = folder.glob("*.whl")
    done = pip(bin / "python", "install", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    return bin


def pip(python, *arguments):
    command = [python, "-m", "pip", *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


@pytest.fixture
def run(installed, tmp_path):
    """Run a command of that environment in an empty folder."""

    def run(command, *arguments):
        command = [installed / command, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)

    return run


@pytest.mark.slow
def test_the_wheel_reads_a_picture_from_any_folder(run, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), drawn_seven())
    result = run("digits-read", "a.png", "gone.png", "--plot", "seen.png")
    assert result.stdout.startswith("a.png  7  ") and (tmp_path / "seen.png").exists()
    assert result.stderr.startswith("digits-read: gone.png: no such file\n")
    code = "import digits; r = digits.read('a.png', digits.load_model()); print(r, digits.__file__)"
    result = run("python", "-c", code)
    assert result.stdout.startswith("<Reading of a.png: 7, ") and str(ROOT) not in result.stdout
    (tmp_path / "model.json").write_text("{}")
    assert "train a new one with: digits-train" in run("digits-read", "a.png").stderr
    assert "digits-read page.jpg" in run("python", "-m", "digits").stdout


@pytest.mark.slow
def test_the_wheel_draws(installed, run, tmp_path):
    assert run("digits-draw", "--export", "web").returncode == 0
    assert (tmp_path / "web" / "index.html").stat().st_size > 500_000
    command = [installed / "digits-draw", "--no-browser", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        try:
            address = process.stdout.readline().split()[2]
            for name, text in (("", b"<!doctype html>"), ("page/page.js", b"import")):
                assert text in urllib.request.urlopen(address + name).read()
        finally:
            process.terminate()


@pytest.mark.slow
def test_the_wheel_trains_into_the_current_folder(run, tmp_path, digits):
    result = run("python", "-c", FEW, "--epochs", "1")
    assert "saved model.json, model.h5" in result.stdout, result.stderr
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["model.h5", "model.json", "result.png", "training.png"]
    assert "it replaces" not in result.stderr


@pytest.mark.slow
def test_a_type_checker_goes_through_a_users_program(installed, tmp_path):
    if not (mypy := shutil.which("mypy")):
        pytest.skip("needs mypy")
    program = (ROOT / "tests/typed_program.py").read_text()
    (tmp_path / "right.py").write_text(program)
    wrong = 'wrong: int = read("a.png", load_model()).text\nnumber = read(7, load_model())\n'
    (tmp_path / "wrong.py").write_text(program + wrong)
    command = [mypy, "--strict", "--python-executable", installed / "python"]
    results = [
        subprocess.run([*command, name], cwd=tmp_path, capture_output=True, text=True)
        for name in ("right.py", "wrong.py")
    ]
    assert [result.returncode for result in results] == [0, 1], results
    assert results[1].stdout.count("error:") == 2
