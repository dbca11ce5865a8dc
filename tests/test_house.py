"""The rooms of `digits/`: imports point one way, and each room says what is in it."""

import ast
import re

import pytest

from conftest import ROOT

HOUSE = ROOT / "digits"
BELOW = {  # what each room may import besides itself
    "data": set(),
    "model": {"data"},
    "reading": {"data", "model"},
    "training": {"data", "model", "reading"},
    "page": {"data", "model", "reading", "training"},
}
FOR_ALL = {"backends", "command_line", "figures", "files", "own_process", "places", "streams"}
MODULES = sorted(HOUSE.rglob("*.py"))


def imported(file):
    """The modules that a file imports anywhere, as dotted names."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            below = "" if node.module != "digits" else "."
            yield from (f"{node.module}{below}{name.name if below else ''}" for name in node.names)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_imports_point_one_way(file):
    room = file.relative_to(HOUSE).parts[0]
    names = set(imported(file))
    assert not names & {"cnn", "load_model", "draw", "teach"}
    rooms = {name.split(".")[1] for name in names if name.startswith("digits.")}
    if room in BELOW:
        assert rooms <= BELOW[room] | {room} | FOR_ALL


@pytest.mark.parametrize("room", BELOW)
def test_a_room_says_what_is_in_it(room):
    text = ast.get_docstring(ast.parse((HOUSE / room / "__init__.py").read_text(encoding="utf-8")))
    assert "In: " in text and "Out: " in text
    named = set(re.findall(r"(?m)^(\w+)/? {2,}\S", text)) | set(re.findall(r"(?m)^(\w+)/ ", text))
    there = {file.stem for file in (HOUSE / room).glob("*.py")} - {"__init__"}
    assert there <= named


@pytest.mark.parametrize(
    ("script", "lines"),
    [("cnn.py", 120), ("load_model.py", 135), ("draw.py", 130), ("teach.py", 90)],
)
def test_a_script_is_a_page(script, lines):
    assert len((ROOT / script).read_text(encoding="utf-8").splitlines()) <= lines
