"""`python load_model.py` as a user runs it."""

import io
import json
import re
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

import load_model
from conftest import ROOT, drawn_seven, is_user_error, run_and_list_imports
from digits.command_line import UserError


def test_without_arguments_it_tests_the_model_and_draws(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert load_model.main(["--model", str(ROOT)]) == 0
    out, err = capfd.readouterr()
    line = r"test accuracy 99\.\d\d % \(\d\d of 10000 wrong\)\nsaved (.*)\n"
    assert re.fullmatch(line, out)[1] == str(tmp_path / "result.png") and err == ""
    assert (tmp_path / "result.png").stat().st_size > 10_000


def test_from_another_folder_the_project_s_model_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", drawn_seven())
    assert load_model.main(["a.png"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("a.png  7  ") and err == ""


def test_a_model_in_the_current_folder_comes_first(script, fresh):
    (fresh / "model.h5").unlink()
    cv2.imwrite(str(fresh / "a.png"), drawn_seven())
    assert is_user_error(script("load_model.py", "a.png"), f"{fresh}/model.h5 is missing")


def test_a_model_of_tensorflow_js_in_the_folder_is_none_of_ours(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", drawn_seven())
    (tmp_path / "model.json").write_text('{"format": "graph-model", "weightsManifest": []}')
    assert load_model.main(["a.png"]) == 0
    assert capsys.readouterr().out.startswith("a.png  7  ")
    with pytest.raises(UserError, match=r"model\.json is a model of TensorFlow\.js"):
        load_model.main(["a.png", "--model", "."])


def test_it_imports_nothing_of_the_training(script):
    source = (ROOT / "load_model.py").read_text()
    assert "import cnn" not in source and "from cnn" not in source


def test_text_answers_and_a_bad_file_among_them(script, tmp_path):
    cv2.imwrite(str(tmp_path / "dark on light.png"), drawn_seven())
    cv2.imwrite(str(tmp_path / "light.png"), drawn_seven(ink=255, paper=0))
    (tmp_path / "no.png").write_text("no picture")
    Image.fromarray(drawn_seven()).save(tmp_path / "a.tif", compression="tiff_lzw")
    damaged = (tmp_path / "a.tif").read_bytes().replace(b"\x80", b"\xff")
    (tmp_path / "damaged.tif").write_bytes(damaged)
    names = ("dark on light.png", "gone.png", "no.png", "damaged.tif", "light.png")
    result = script("load_model.py", "--model", ROOT, *names)
    assert result.returncode == 2
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"dark on light\.png  7  >?\d+\.\d %", lines[0])
    assert re.fullmatch(r"light\.png  7  >?\d+\.\d %", lines[1])
    errors = result.stderr.splitlines()
    assert errors[0] == "load_model.py: gone.png: no such file"
    assert errors[1].startswith("load_model.py: no.png: not an image")
    assert errors[2].startswith("load_model.py: damaged.tif: not an image")
    assert len(errors) == 3  # and none from the decoders themselves


def test_json_answers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), drawn_seven(200))
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((50, 50), 255, "uint8"))
    code = load_model.main(["--model", str(ROOT), "--json", "a.png", "blank.png", "gone.png"])
    seven, blank, gone = map(json.loads, capsys.readouterr().out.splitlines())
    assert seven["image"] == "a.png" and seven["digits"] == "7" and not seven["unsure"]
    assert 0.5 < seven["confidence"] <= 1 and "error" not in seven
    (box,) = seven["boxes"]
    x, y, width, height = box["box"]
    assert 50 < x < 70 and 40 < y < 60 and 70 < width < 100 and 105 < height < 130
    assert len(box["probabilities"]) == 10 and box["digit"] == 7
    assert blank["digits"] == "" and blank["error"] == "no digit found"
    assert gone["error"] == "no such file" and code == 2


def test_standard_input_folders_and_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scans" / "deep"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "b.png"), drawn_seven())
    (folder / "notes.txt").write_text("not for you")
    content = cv2.imencode(".png", drawn_seven())[1].tobytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert load_model.main(["--model", str(ROOT), "--plot", "p.png", "-", "scans"]) == 0
    assert re.fullmatch(r"-  7  .*\nscans/deep/b\.png  7  .*\n", capsys.readouterr().out)
    assert (tmp_path / "p.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "nowhere"), ("no model in /", "/nowhere", "name another folder")),
        (("--model", ROOT, "--data", "nowhere.npz"), ("nowhere.npz",)),
        (("--model", ROOT, "--plot", "nowhere/p.txt"), ("p.txt", ".png")),
    ],
)
def test_mistakes_get_one_line(script, arguments, words):
    result = script("load_model.py", *arguments)
    result.stderr = result.stderr.splitlines()[-1] + "\n"
    assert is_user_error(result, *words)


def test_help_answers_at_once():
    result = run_and_list_imports("load_model.py", "--help")
    assert result.stdout.endswith("\nimported: numpy\n")  # nothing slow
    assert "--model" in result.stdout
