"""People's own digits: which pictures are learned from, and what the model learns."""

import os
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest

import teach
from conftest import ROOT, drawn_seven, small_model
from digits.command_line import UserError
from digits.data.drawn_digits import SIDE, draw_line, prepared
from digits.data.own_pictures import find_own
from digits.model import load_model
from digits.model.evaluation import predict
from digits.reading import own_digits, read_own, read_pictures
from digits.training import augmentation
from digits.training.teaching import ENOUGH, OWN, Lesson, compare, hold_out

ROW = np.hstack([drawn_seven()] * 2)


def written_ones(n, seed):
    """Ones with a long upstroke that hardly rises, as one writer writes them, (n, 28, 28)."""
    canvas = np.zeros((SIDE, 2 * SIDE), "uint8")
    points = np.array([(0, 0.2), (0.6, 0), (0.55, 1)])
    draw_line(canvas, (SIDE / 2, 8) + (SIDE - 16) * points, 6)
    same = np.repeat(prepared(canvas)[None], n, axis=0)
    return augmentation.distort(same, np.random.default_rng(seed)).round().astype("uint8")


@pytest.fixture
def own(tmp_path):
    """Put pictures of these names into an empty folder."""

    def make(pictures):
        for name, picture in pictures.items():
            file = tmp_path / "own" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(f"{file}.png", picture)
        return tmp_path / "own"

    return make


def test_digits_come_with_what_their_folder_says(own, shipped, capsys):
    seven = drawn_seven()
    folder = own({"7/a": seven, "77/a": ROW, "7/below/b": seven, "1/a": seven})
    images, labels = read_own(find_own(folder), shipped)
    assert images.shape == (5, 28, 28) and images.dtype == labels.dtype == np.uint8
    assert labels.tolist() == [1, 7, 7, 7, 7]  # whatever the model takes them for
    assert images.max(axis=(1, 2)).min() > 200
    *_, contradicted = capsys.readouterr().err.splitlines()
    assert contradicted.endswith("own/1/a.png: learned as 1, but it is surely read as 7")


def test_a_picture_with_other_digits_than_its_folder_says_is_left_out(own, shipped, capsys):
    blank = np.full((100, 100), 255, "uint8")
    folder = own({"7/good": drawn_seven(), "7/two": ROW, "777/two": ROW, "7/blank": blank})
    (folder / "7" / "text.png").write_text("no picture")
    assert len(read_own(find_own(folder), shipped)[1]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not line.startswith("reading ")] == [
        f"left out: {folder}/7/blank.png: read as nothing, its folder says 7",
        f"left out: {folder}/7/text.png: not an image that can be read but text; name a picture",
        f"left out: {folder}/7/two.png: read as 7 7, its folder says 7",
        f"left out: {folder}/777/two.png: read as 7 7, its folder says 777",
    ]


def test_a_digit_beside_ink_that_is_left_unread_is_left_out(own, shipped, monkeypatch, capsys):
    def one_unread(*arguments, **options):
        for reading in read_pictures(*arguments, **options):
            reading.unread.append(reading.answers.pop().digit.box)
            yield reading

    monkeypatch.setattr(own_digits, "read_pictures", one_unread)
    with pytest.raises(UserError, match="none of the own pictures"):
        read_own(find_own(own({"7/two": ROW})), shipped)
    assert "two.png: read as 7 beside other ink, its folder says 7" in capsys.readouterr().err


def test_touching_digits_are_as_many_as_the_folder_says(own, shipped):
    seven = drawn_seven()
    touching = np.hstack([seven[:, :73], seven[:, 27:]])
    folder = own({"7/a": touching, "77/a": touching})
    images, labels = read_own(find_own(folder), shipped)
    assert labels.tolist() == [7, 7, 7]
    whole, left, right = ((image > 127).any(axis=0).sum() for image in images)
    assert whole > left and whole > right


def test_other_folders_and_pictures_beside_are_named_and_not_entered(own, capsys):
    seven = drawn_seven()
    folder = own({"7/a": seven, "seven/a": seven, "٣/a": seven, "7a/a": seven, "-7/a": seven})
    own({"beside": seven})
    (folder / "notes.txt").touch()
    (folder / "3").mkdir()
    assert [name for name, *_ in find_own(folder)] == [str(folder / "7/a.png")]
    left_out = re.findall(r"left out: .*/own/(.*?): (.*)", capsys.readouterr().err)
    assert [name for name, _ in left_out] == ["-7", "3", "7a", "beside.png", "seven", "٣"]
    assert left_out[1][1].startswith("no picture in it") and "named after" in left_out[2][1]


def test_a_linked_subfolder_is_read_and_one_below_is_named(own, tmp_path, capsys):
    folder = own({"7/a": drawn_seven()})
    (tmp_path / "elsewhere").mkdir()
    (folder / "7").rename(tmp_path / "elsewhere" / "7")
    (folder / "7").symlink_to(tmp_path / "elsewhere" / "7")
    (folder / "7" / "up").symlink_to(tmp_path)
    (folder / "1").symlink_to("1")
    assert [text for *_, text in find_own(folder / ".." / "own")] == ["7"]
    assert "up: a linked folder" in capsys.readouterr().err


@pytest.mark.parametrize("there", [None, "empty", "7", "letters"])
def test_a_folder_without_own_digits_is_named(tmp_path, there):
    folder = tmp_path / (there or "nowhere")
    if there:
        (folder / there).mkdir(parents=True)
    with pytest.raises(UserError, match=f"{folder}.* such as 7 or 4431"):
        teach.main([str(folder), "--output", str(tmp_path / "new")])


def test_classes_with_padded_names_are_not_cut_in_two(own):
    seven = drawn_seven()
    folder = own({f"{digit:02}/a": seven for digit in range(10)})
    with pytest.raises(
        UserError, match=r"folders 00 to 09 .*rows of 2 digits; .* name them 0 to 9"
    ):
        find_own(folder)
    shutil.rmtree(folder / "00")
    own({"17/a": seven})  # these are rows
    assert len(find_own(folder)) == 10


def test_digits_stored_transposed_are_noticed(digits, own, shipped, capsys, monkeypatch):
    monkeypatch.setattr(own_digits, "LISTED", 3)
    images, labels = (array[:60] for array in digits[1])
    named = {f"{labels[i]}/{i}": 255 - images[i] for i in range(60)}
    read_own(find_own(own(named)), shipped)
    assert "transposed" not in capsys.readouterr().err
    shutil.rmtree(own({}))
    read_own(find_own(own({name: image.T for name, image in named.items()})), shipped)
    *listed, last = capsys.readouterr().err.splitlines()
    assert re.search(
        r"of \d+ own digits contradict the model, .* stored transposed, as EMNIST", last
    )
    listed = [line for line in listed if "surely read" in line]
    assert len(listed) == 4 and re.search(r"\d+ more digits are surely read as others", listed[3])


def test_a_fifth_of_many_is_held_out_and_none_of_few():
    images, labels = np.zeros((ENOUGH, 28, 28), "uint8"), np.arange(ENOUGH, dtype="uint8") % 10
    (learned, _), (held_out, _) = hold_out(images, labels)
    assert (len(learned), len(held_out)) == (ENOUGH - ENOUGH // 5, ENOUGH // 5)
    few, none = hold_out(images[1:], labels[1:])
    assert (len(few[0]), len(none[0])) == (ENOUGH - 1, 0)
    right, wrong = np.eye(10)[[1, 2, 2]], np.eye(10)[[1, 2, 3]]
    lines = compare([wrong, wrong], [right, wrong], np.array([1, 2, 2]), np.array([1, 2, 2]))
    assert lines == [
        "own digits learned: 3 of 3 right, 2 before (1 of 1, 2 of 2)",
        "own digits held out: 2 of 3 right, 2 before",
    ]
    assert (
        "not measured" in compare([wrong, wrong[:0]], [right, right[:0]], labels[:3], labels[:0])[1]
    )


def test_teaching_goes_on_from_the_model_and_says_what_changed(few_digits, own, tmp_path, capsys):
    folder, output = own({"1/a": drawn_seven(), "77/b": ROW}), tmp_path / "new"
    arguments = [str(folder), "--model", str(ROOT), "--epochs", "1", "--output", str(output)]
    assert teach.main(arguments) == 0
    out, err = capsys.readouterr()
    assert re.search(r"\nown digits learned: [23] of 3 right, 2 before \(1 of 1, 2 of 7\)\n", out)
    assert "\nown digits held out: not measured" in out and "\nepoch 1 of 1: " in err
    now, before = re.findall(r"test accuracy ([\d.]+) %", out)
    assert float(before) > 98 and float(now) > 95
    assert sorted(file.name for file in output.iterdir()) == ["model.h5", "model.json"]


def test_where_all_is_read_right_nothing_is_learned(few_digits, own, tmp_path):
    folder, output = own({"7/a": drawn_seven(), "77/b": ROW}), tmp_path / "new"
    with pytest.raises(UserError, match="nothing to learn: 3 own digits are all read right"):
        teach.main([str(folder), "--model", str(ROOT), "--output", str(output)])
    assert not list(output.iterdir())


@pytest.mark.parametrize("number", [3, 2000])
def test_each_own_digit_is_shown_among_four_times_as_many_of_mnist(digits, number):
    own = np.full((number, 28, 28), 255, "uint8"), np.arange(number) // (number / 3)
    own[0][:, 0, :2] = np.arange(2 * number).reshape(-1, 2) % 251
    lesson = Lesson(small_model(), own, digits[1][0][:10])
    images, labels = lesson.among(*digits[0], seed=0)
    is_own = (images[:, 5, 5] == 255) & (images[:, 0, 4] == 255)
    assert is_own.mean() == pytest.approx(0.2) and is_own.sum() == max(len(lesson.learned[0]), OWN)
    assert len(np.unique(images[is_own][:, 0, :2], axis=0)) == len(
        np.unique(lesson.learned[0][:, 0, :2], axis=0)
    )
    assert set(labels[is_own]) == {0, 1, 2}


def test_a_network_with_other_layers_learns_too(digits):
    (x, y), _ = digits
    model = small_model()
    before = model.get_weights()
    Lesson(model, (x[:3], y[:3]), x[:10]).train(x[:3000], y[:3000], 1, 100)
    assert not np.array_equal(before[0], model.get_weights()[0])


@pytest.mark.slow
def test_a_writer_whose_one_is_read_as_seven_is_mostly_read_right_after_five(digits):
    (x_train, y_train), (x_test, y_test) = digits
    model = load_model(ROOT)

    def right(images, labels):
        return (predict(model, images).argmax(axis=1) == labels).mean()

    ones = written_ones(100, seed=1)
    before = right(x_test, y_test)
    assert right(ones, 7) > 0.5
    own = written_ones(5, seed=0), np.ones(5, "uint8")
    Lesson(model, own, x_test).train(x_train, y_train)
    assert right(ones, 1) > 0.8 and right(x_test, y_test) > before - 0.002


@pytest.mark.slow
def test_a_killed_teaching_changes_nothing_and_resumes_to_the_same_files(tiny_teach, own, tmp_path):
    folder = own({"1/a": drawn_seven(), "77/b": ROW})
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        for file in ("model.json", "model.h5"):
            shutil.copy(ROOT / file, tmp_path / name)
    before = (tmp_path / "killed" / "model.h5").read_bytes()

    def start(name, *more):
        return subprocess.Popen(
            [*tiny_teach, folder, *more], cwd=tmp_path / name, stderr=subprocess.PIPE, text=True
        )

    assert start("whole").wait(100) == 0
    killed = start("killed")
    assert any("epoch 2 of 4" in line for line in killed.stderr)
    killed.kill()
    killed.communicate()
    assert (tmp_path / "killed" / "model.h5").read_bytes() == before
    own({"4/c": drawn_seven()})
    assert (
        "own digits" in (refused := start("killed", "--resume")).communicate()[1]
        and refused.returncode == 2
    )
    shutil.rmtree(folder / "4")
    assert start("killed", "--resume").wait(100) == 0
    for name in ("model.json", "model.h5"):
        whole, resumed = (tmp_path / which / name for which in ("whole", "killed"))
        assert whole.read_bytes() == resumed.read_bytes() != before


@pytest.mark.slow
def test_thousands_of_pictures(own, shipped, capfd):
    folder = own({"7/0": drawn_seven(), "77/0": drawn_seven()})
    for i in range(1, 3000):
        os.link(folder / "7" / "0.png", folder / "7" / f"{i}.png")
    images, labels = read_own(find_own(folder), shipped)
    assert len(images) == 3000 and set(labels) == {7}
    assert "77/0.png: read as 7, its folder says 77" in capfd.readouterr().err
