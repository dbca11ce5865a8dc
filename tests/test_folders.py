"""Which pictures a path, a pattern or a folder means, and what is said where there are none."""

import os

import pytest

import load_model
from conftest import ROOT, drawn_seven, run_and_list_imports
from digits.data import picture_folders
from digits.data.picture_files import ImageError
from digits.data.picture_folders import find_pictures


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make files by their names in an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return tmp_path

    return make


def names_and_errors(*arguments):
    found = find_pictures(arguments)
    names = [name for name, file in found if not isinstance(file, ImageError)]
    return names, {name: str(file) for name, file in found if isinstance(file, ImageError)}


def test_pictures_with_all_their_endings_in_order(here):
    endings = ["HEIC", "JPG", "avif", "bmp", "jfif", "jpe", "pgm", "pnm", "tif", "webp"]
    here(*(f"in/{ending}/a.{ending}" for ending in endings), "in/b.png", "in/notes.txt")
    names, errors = names_and_errors("in", "gone.png")
    assert names == ["in/b.png", *(f"in/{e}/a.{e}" for e in endings)]
    assert errors == {"gone.png": "no such file"}


def test_what_macos_adds_is_passed_over(here):
    here("in/a.png", "in/._a.png", "__MACOSX/in/a.png", "in/__MACOSX/._b.png")
    assert names_and_errors(".") == (["./in/a.png"], {})


def test_a_pattern_that_no_shell_expanded(here):
    here("a 1.png", "b.png", "c.jpg", "[1].png")
    assert names_and_errors("*.png", "[1].png")[0] == ["[1].png", "a 1.png", "b.png", "[1].png"]
    assert names_and_errors("*.tif") == ([], {"*.tif": "no file matches this pattern"})


def test_a_linked_folder_is_named_and_read_when_asked_for(here, tmp_path):
    here("in/a.png", "elsewhere/b.png")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    names, errors = names_and_errors("in")
    assert names == ["in/a.png"] and list(errors) == ["in/link", "in/up"]
    assert "linked folder" in errors["in/up"]
    assert names_and_errors("in/link") == (["in/link/b.png"], {})


def test_a_folder_that_may_not_be_read_is_named(here, monkeypatch):
    here("in/a.png", "in/secret/b.png")
    scandir = os.scandir

    def refuse(path):  # root may read everything, so that no mode would do
        if path == os.path.join("in", "secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(picture_folders.os, "scandir", refuse)
    expected = {os.path.join("in", "secret"): "permission denied"}
    assert names_and_errors("in") == (["in/a.png"], expected)


def test_a_folder_without_pictures_says_what_is_there(here):
    here("in/a.txt", "in/b.TXT", "in/README", "in/._c.png", "empty/__MACOSX/a.png")
    names, errors = names_and_errors("in", "empty")
    for words in ("no picture", "2 .txt", "1 without ending", "1 ._*", ".heic"):
        assert words in errors["in"]
    assert errors["empty"].startswith("no picture") and "found no file" in errors["empty"]
    assert names == []


def test_a_mistyped_name_needs_no_network():
    result = run_and_list_imports("load_model.py", "--model", ROOT, "phto.png")
    assert "phto.png: no such file" in result.stderr and result.returncode == 2
    assert result.stdout == "imported: numpy\n"  # it waits for nothing


def test_what_is_found_is_read_beside_what_is_not(tmp_path, monkeypatch, capsys):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for ending in ("jfif", "JPE"):
        Image.fromarray(drawn_seven()).save(tmp_path / "in" / f"a.{ending}", "JPEG")
    (tmp_path / "empty").mkdir()
    assert load_model.main(["--model", str(ROOT), "empty", "in"]) == 2
    out, err = capsys.readouterr()
    assert ": empty: no picture" in err and err.count("\n") == 1
    assert [line.split()[:2] for line in out.splitlines()] == [
        [os.path.join("in", "a.JPE"), "7"],
        [os.path.join("in", "a.jfif"), "7"],
    ]
