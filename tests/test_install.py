"""What the README has people install is what the scripts need, and no more."""

import ast
import re
import sys

from conftest import ROOT

PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "pillow_heif": "pillow-heif",
    "axe_playwright_python": "axe-playwright-python",
}
COMES_WITH = {"werkzeug": "flask"}
OTHER_BACKENDS = {"jax"}  # imported only where KERAS_BACKEND asks for it


def required(name):
    lines = (ROOT / name).read_text().splitlines()
    return {re.match(r"[\w-]+", line)[0] for line in lines if line and line[0] not in "#-"}


def imported(*patterns):
    """Return the packages of all imports, wherever in the code, that Python itself lacks."""
    names = set()
    for file in (file for pattern in patterns for file in ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.split(".")[0])
    ours = {
        "digits",
        *(
            file.stem
            for folder in ("", "tests/", "benchmarks/")
            for file in ROOT.glob(f"{folder}*.py")
        ),
    }
    foreign = names - ours - set(sys.stdlib_module_names)
    return {PACKAGES.get(name, COMES_WITH.get(name, name)) for name in foreign}


def test_who_runs_the_scripts_installs_what_they_import_and_no_more():
    scripts = imported("*.py", "digits/**/*.py")
    assert required("requirements.txt") == scripts - OTHER_BACKENDS | {"tensorflow"}


def test_who_only_reads_needs_no_tensorflow():
    lines, reading = (
        [line for line in (ROOT / name).read_text().splitlines() if line[0] != "#"]
        for name in ("requirements.txt", "requirements-openvino.txt")
    )
    assert {line for line in lines if not re.match("tensorflow|keras", line)} < set(reading)
    more = required("requirements-openvino.txt") - required("requirements.txt")
    assert more == {"openvino", "scipy"}


def test_who_checks_installs_that_and_the_tools():
    assert (ROOT / "requirements-dev.txt").read_text().startswith("-r requirements.txt\n")
    tools = required("requirements-dev.txt")
    assert tools.isdisjoint(required("requirements.txt"))
    assert imported("tests/test_*.py", "tests/conftest.py") <= tools | required("requirements.txt")
    assert {"pytest", "ruff"} <= tools


def test_the_readme_says_for_every_system_how_to_install():
    text = (ROOT / "README.md").read_text()
    blocks = [b for b in re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL) if "-m venv" in b[1]]
    assert [shell for shell, _ in blocks] == ["sh", "powershell"] * 2
    for (shell, commands), needed in zip(blocks, ["", "", "-dev", "-dev"], strict=True):
        assert f"install -r requirements{needed}.txt" in commands
        assert ("Scripts" in commands) == (shell == "powershell")
        assert ("python3 -m venv" in commands) == (shell == "sh")
    assert re.search(r"python -m pytest$", text, re.MULTILINE)
