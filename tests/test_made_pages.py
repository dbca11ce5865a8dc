"""Made pages: always the same, labelled with what is on them, and counted right."""

import sys

import cv2
import numpy as np
import pytest

from conftest import ROOT
from digits.data.made_pages.drawing import Strokes, legible
from digits.data.made_pages.kinds import KINDS
from digits.reading import Answer, Reading
from digits.reading.finding import Digit

sys.path.insert(0, str(ROOT / "benchmarks"))

import made_pages
import own_digits
from scores import distance


def printed_digits(n):
    """The digits 0 to 9 in turn, (n, 28, 28), and their labels."""
    images = np.zeros((n, 28, 28), "uint8")
    for i, image in enumerate(images):
        cv2.putText(image, str(i % 10), (5 + i // 10 % 2, 24), 0, 0.9, 255, 2, cv2.LINE_AA)
    return images, np.arange(n, dtype="uint8") % 10


@pytest.fixture(scope="module")
def strokes():
    """A ring, which is a 0, and a bar, which is a 1: told apart by their width."""
    ring, bar = np.zeros((2, 28, 28), "uint8")
    cv2.circle(ring, (14, 14), 8, 255, 3, cv2.LINE_AA)
    cv2.line(bar, (14, 5), (14, 23), 255, 3, cv2.LINE_AA)
    return Strokes(np.array([ring, bar]), np.array([0, 1]))


@pytest.fixture(scope="module")
def pages(strokes):
    """The first page of each kind."""
    return {kind: next(made_pages.draw_pages(kind, 1, strokes, False)) for kind in KINDS}


def test_there_are_twenty_kinds(pages):
    assert len(pages) == 20


def test_pages_are_always_the_same(strokes, pages):
    strokes = Strokes(strokes.images, strokes.labels)  # nothing traced yet
    for kind in ("long strips", "ruled", "texture"):  # in another order, each for itself
        again = list(made_pages.draw_pages(kind, 2, strokes, False))
        assert (again[0].picture == pages[kind].picture).all()
        assert again[0].lines == pages[kind].lines
        assert again[1].picture.shape != again[0].picture.shape


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_says_line_by_line_what_is_on_the_page(pages, kind):
    page = pages[kind]
    height, width, _ = page.picture.shape
    assert page.picture.dtype == np.uint8 and len(page.boxes) == len(page.label) > 0
    ends = np.cumsum([len(line) for line in page.lines])
    below = 0
    for line in np.split(page.boxes, ends[:-1]):
        left, top, right, bottom = line.T
        assert (left >= 0).all() and (right <= width).all() and (bottom <= height).all()
        assert (np.diff(left) > 0).all() and top.min() >= 0 and bottom.mean() > below
        below = bottom.mean()
    for label, (x0, y0, x1, y1) in zip(page.label, page.boxes.round().astype(int), strict=True):
        assert label == ("0" if x1 - x0 > (y1 - y0) / 2 else "1")
        ink = page.picture[y0:y1, x0:x1].astype(int)
        assert np.ptp(ink, axis=(0, 1)).max() > 25


def test_each_set_is_made_from_its_own_digits(monkeypatch):
    images, labels = printed_digits(80)
    train, test = (images[:60], labels[:60]), (images[60:].clip(0, 200), labels[60:])
    monkeypatch.setattr(made_pages, "load_mnist", lambda path: (train, test))
    monkeypatch.setattr(made_pages, "VALIDATION", 20)
    monkeypatch.setattr(made_pages, "OTHERS", 40)
    assert (made_pages.load_strokes(None, sealed=False).images == images[40:60]).all()
    assert (made_pages.load_strokes(None, sealed=True).images == images[60:].clip(0, 200)).all()


def test_a_digit_that_looks_like_another_is_on_no_page():
    images, labels = printed_digits(100)
    wrong = labels[:10].copy()
    wrong[3] = 8
    kept = legible(images[:10], wrong, images[10:], labels[10:])
    assert kept.tolist() == [i != 3 for i in range(10)]


def answers(digits, boxes, confidence=0.99):
    """Made-up answers, each in a line of its own where the box says so by its y."""
    rows = (np.where(np.arange(10) == int(d), confidence, 0) for d in digits)
    image = np.zeros((28, 28), "uint8")
    return [
        Answer(Digit(box, image, line=box[1] // 50), row)
        for row, box in zip(rows, boxes, strict=True)
    ]


def test_right_wrong_and_false_digits_are_told_apart():
    boxes = np.array([(0, 0, 20, 30), (30, 0, 50, 30), (0, 50, 20, 80)])
    page = made_pages.MadePage("page", np.zeros((100, 100, 3), "uint8"), ["12", "3"], boxes)
    found = [(0, 0, 20, 30), (30, 0, 20, 30), (0, 50, 20, 30)]
    cases = {
        "right": (answers("123", found), (1, 1, 1, 0, 3, 0, 1, 1)),
        "unsure": (answers("123", found, 0.5), (1, 1, 1, 0, 3, 0, 0, 0)),
        "confused": (answers("723", found), (1, 0, 0, 1, 3, 0, 1, 0)),
        "nothing": ([], (1, 0, 0, 3, 3, 0, 0, 0)),
        "ruling": (answers("1123", [(80, 0, 2, 30), *found]), (1, 0, 0, 1, 3, 1, 1, 0)),
        "cut": (answers("11123", [(0, 0, 9, 30), (9, 0, 9, 30), *found]), (1, 0, 0, 2, 3, 0, 1, 0)),
        "one line": (answers("123", [*found[:2], (60, 0, 20, 30)]), (1, 1, 0, 0, 3, 1, 1, 1)),
    }
    for name, (read, counts) in cases.items():
        assert made_pages.score(page, Reading("page", read)) == counts, name
    kinds = {"a": [cases["right"][1], cases["ruling"][1]], "b": [cases["nothing"][1]]}
    assert made_pages.table(kinds) == [
        ["a", 2, 1, 1, "1 of 6 (16.7 %)", 1, 2, 1],
        ["b", 1, 0, 0, "3 of 3 (100.0 %)", 0, 0, 0],
        ["all", 3, 1, 1, "4 of 9 (44.4 %)", 1, 2, 1],
    ]


def test_people_s_pictures_are_averaged_over_writers():
    box = [(0, 0, 20, 30)]
    photos = [("7", "ann", "7"), ("7", "ann", "1"), ("7", "bob", "7")]  # label, writer, read
    rows = [{"group": "photos", "writer": who, "label": label} for label, who, _ in photos]
    rows.append({"group": "no digit", "writer": "ann", "label": ""})
    read = [Reading("photo", answers(digit, box)) for *_, digit in photos] + [Reading("logo", [])]
    assert own_digits.by_group(rows, read) == [
        ["photos", 3, "75.0 %", "1 of 3 (33.3 %)"],
        ["no digit", 1, "100.0 %", "-"],
        ["answers that are at least 90 % sure", 3, "66.7 %", "-"],
    ]


def test_wrong_digits_are_put_in_taken_out_or_changed():
    assert [distance(read, "1234") for read in ("1234", "124", "91234", "1834", "")] == [
        0,
        1,
        1,
        1,
        4,
    ]


def test_saved_pages_are_the_same_for_any_other_reader(pages, tmp_path):
    page = pages["form boxes"]
    made_pages.write_labels(tmp_path, [made_pages.save(page, "form boxes", tmp_path)])
    (row,) = own_digits.labels(tmp_path)
    assert row["label"] == page.label and row["group"] == "form boxes"
    assert (cv2.imread(row["path"])[..., ::-1] == page.picture).all()
