"""From picture to digits, on pictures made here."""

import io

import cv2
import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from conftest import drawn_seven
from digits.data import picture_files
from digits.data.normalization import centre_of_mass
from digits.data.picture_files import ImageError, read_grey
from digits.model.evaluation import predict
from digits.reading import Answer, Reading, read_pictures, recognition
from digits.reading.components import Component, bounding_box, join_parts
from digits.reading.finding import Digit, digits_in
from digits.reading.segmentation import segment

EDGES = ("left", "top", "right", "bottom")


@pytest.fixture
def read(shipped):
    """Return the digits that are read on a grey picture, or on a file."""

    def run(picture):
        if isinstance(picture, np.ndarray):
            picture = cv2.imencode(".png", picture)[1].tobytes()
        return next(read_pictures(shipped, [("picture", picture)]))

    return run


@pytest.fixture
def page(row):
    """Compose a page of lines of test digits that the model reads; return ink 0 to 1."""

    def compose(lines, height=40, gap=25, size=(400, 500), start=(40, 50)):
        ink = np.zeros(size, "float32")
        for number, line in enumerate(lines):
            row(ink, line, start[0], start[1] + number * (height + 40), height, gap)
        return ink

    return compose


def test_mnist_through_png_is_as_good_as_the_arrays(digits, shipped):
    _, (x_test, y_test) = digits
    files = ((str(i), cv2.imencode(".png", x_test[i])[1].tobytes()) for i in range(1000))
    read = [r.digits for r in read_pictures(shipped, files)]
    through_png = sum(a == str(b) for a, b in zip(read, y_test[:1000], strict=True))
    arrays = (predict(shipped, x_test[:1000]).argmax(axis=1) == y_test[:1000]).sum()
    assert through_png >= arrays - 1


def test_several_lines_in_reading_order(read, page):
    result = read((255 - 200 * page(["2047", "315", "6798"])).astype("uint8"))
    assert result.digits == "20473156798" and result.text == "2047 / 315 / 6798"
    tops = [a.digit.box[1] for a in result.answers]
    assert tops == sorted(tops, key=lambda y: y // 40)


def test_wide_gaps_part_a_line_into_groups(read, page):
    ink = np.hstack([page(["20", "315"], size=(400, 250)), page(["47", ""], size=(400, 250))])
    result = read((255 - 200 * ink).astype("uint8"))
    assert result.text == "20 47 / 315" and result.digits == "2047315"
    (one, two), (three,) = result.as_dict()["lines"]
    assert [group["digits"] for group in (one, two, three)] == ["20", "47", "315"]
    x, y, _, height = two["box"]
    assert 285 < x < 300 and y == pytest.approx(50, abs=3) and height == pytest.approx(40, abs=4)


@pytest.mark.parametrize("name", ["shadow", "noise", "inverted", "faint", "ruled", "squared"])
def test_real_looking_pages(read, page, name):
    ink, rng = page(["20375"]), np.random.default_rng(0)
    paper = np.full(ink.shape, 225.0)
    contrast = 0.7
    if name == "shadow":
        paper *= np.linspace(1, 0.45, ink.shape[1])
    if name == "noise":
        paper += rng.normal(0, 6, ink.shape)
    if name == "faint":
        contrast = 0.1
    if name in ("ruled", "squared"):
        paper[::33] -= 45
    if name == "squared":
        paper[:, ::33] -= 45
    picture = paper * (1 - contrast * ink)
    if name == "inverted":
        picture = 255 - picture
    assert read(picture.clip(0, 255).astype("uint8")).digits == "20375"


@pytest.mark.parametrize(("digit", "room"), [("8", 60), ("5", 8), ("9", 8)])
def test_a_digit_with_a_thick_pen_in_uneven_light(read, page, digit, room):
    ink = page([digit], height=160, size=(2 * room + 160, 400), start=(room, room))
    ink = ink[:, : ink.any(axis=0).nonzero()[0][-1] + room]
    thick = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    paper = np.linspace(235, 170, ink.shape[1]) + np.random.default_rng(0).normal(0, 2, ink.shape)
    assert read((paper * (1 - 0.7 * thick)).astype("uint8")).digits == digit


@pytest.mark.parametrize("edges", ["right", "top left", "left top right bottom"])
@pytest.mark.parametrize(("height", "pen"), [(28, 1), (160, 5)])
@pytest.mark.parametrize("digit", ["2", "5", "8"])
def test_a_digit_that_touches_the_edge(read, page, edges, height, pen, digit):
    ink = cv2.dilate(page([digit], height=height, start=(100, 100)), np.ones((pen, pen)))
    inked = np.argwhere(ink > 0.3)
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0) + 1
    room = {edge: 0 if edge in edges else height // 3 for edge in EDGES}
    rows = slice(top - room["top"], bottom + room["bottom"])
    columns = slice(left - room["left"], right + room["right"])
    assert read((230 - 200 * ink[rows, columns]).astype("uint8")).digits == digit


@pytest.mark.parametrize("name", ["thin", "pale"])
def test_lines_behind_a_digit_are_not_read(read, name):
    picture = np.full((200, 200), 255, "uint8")
    for start, end in (((0, 60), (200, 90)), ((0, 170), (200, 20)), ((70, 0), (130, 200))):
        cv2.line(picture, start, end, *((60, 2) if name == "thin" else (190, 7)), cv2.LINE_AA)
    picture[40:160, 40:160] = np.minimum(picture[40:160, 40:160], drawn_seven(120, 9))
    assert read(picture).digits == "7"


def test_uneven_strokes_that_reach_the_edge_are_no_lines(read):
    nib = np.full((200, 150), 255, "uint8")
    cv2.polylines(nib, [np.array([(70, 20), (25, 120), (125, 120)])], False, 60, 18, cv2.LINE_AA)
    cv2.line(nib, (95, 0), (85, 200), 60, 9, cv2.LINE_AA)
    assert read(nib).digits == "4"
    soft = np.full((70, 56), 255, "uint8")
    cv2.polylines(soft, [np.array([(8, 4), (51, 4), (25, 65)])], False, 0, 6)
    assert read(cv2.GaussianBlur(soft, (0, 0), 3)).digits == "7"


def test_a_page_with_a_dark_corner(read, page):
    ink = page(["20375"], size=(140, 500))
    y, x = np.mgrid[:140, :500]
    light = np.minimum(1, 0.6 + 0.4 * (2 * x / 500 + 2 * y / 140))
    assert read((225 * light * (1 - 0.7 * ink)).astype("uint8")).digits == "20375"


def test_pale_digits_where_the_light_falls_off_a_little(read, page):
    ink = page(["6798"], height=50, gap=20, size=(140, 400), start=(40, 30))
    y, x = np.mgrid[:140, :400]
    paper = 150 + 12 * (x / 400 + y / 140 - 1)
    assert read((paper - 36 * ink).astype("uint8")).digits == "6798"


def test_a_page_with_the_shadow_of_a_thumb(read, page):
    ink = page(["20375"], size=(300, 500))
    y, x = np.mgrid[:300, :500]
    light = 1 - 0.6 * np.exp(-(np.hypot(x, y) ** 2) / (2 * 130**2))
    assert read((225 * light * (1 - 0.5 * ink)).astype("uint8")).digits == "20375"


@pytest.mark.parametrize(
    ("name", "text"), [("straight", "20375"), ("hand", "20375"), ("straight", "")]
)
def test_the_sharp_edge_of_a_shadow_across_the_page(read, page, name, text):
    ink = page([text], size=(300, 500), start=(40, 130))
    y, x = np.mgrid[:300, :500]
    shadow = x + y / 4 < 288 if name == "straight" else np.hypot(x - 330, y - 320) < 190
    light = 1 - 0.4 * cv2.GaussianBlur(shadow.astype("float32"), (0, 0), 1.5)
    grain = np.random.default_rng(0).normal(0, 3, ink.shape)
    assert read((215 * light * (1 - 0.5 * ink) + grain).clip(0, 255).astype("uint8")).digits == text


def test_a_dash_is_no_digit(read, page):
    picture = (255 - 200 * page(["25"], gap=80)).astype("uint8")
    cv2.line(picture, (95, 72), (125, 72), 55, 8)
    assert read(picture).digits == "25"
    assert read(picture[:, 85:135]).digits == ""


@pytest.mark.parametrize("edge", [100, 300])
def test_thin_digits_beside_the_edge_of_a_shadow(read, page, edge):
    ink = page(["25"], height=120, gap=60, size=(300, 400), start=(40, 90))
    thin = cv2.erode(ink, np.ones((9, 9)))
    light = 1 - 0.45 / (1 + np.exp((edge - np.arange(400)) / 5))
    assert read((225 * light * (1 - 0.7 * thin)).astype("uint8")).digits == "25"


@pytest.mark.parametrize("size", [(150, 900), (900, 200)])
def test_squared_paper_of_any_shape(read, size):
    picture = np.full(size, 225, "uint8")
    picture[::33] = picture[:, ::33] = 150
    place = picture[40:110, 90:160]
    np.minimum(place, drawn_seven(70, 6), out=place)
    assert read(picture).digits == "7"


@pytest.mark.parametrize("slope", [0.02, -0.06])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("text", ["20375", ""])
def test_lines_that_are_turned(read, page, slope, squared, text):
    lines = np.zeros((400, 500), "uint8")
    for start in range(-100, 700, 32):
        cv2.line(lines, (0, start), (500, round(start + 500 * slope)), 255, 1, cv2.LINE_AA)
        if squared:
            cv2.line(lines, (start, 0), (round(start - 400 * slope), 400), 255, 1, cv2.LINE_AA)
    paper = 230 - 70 * (lines / 255) + np.random.default_rng(0).normal(0, 2, lines.shape)
    picture = paper * (1 - 0.7 * page([text]))
    assert read(picture.clip(0, 255).astype("uint8")).digits == text


def test_a_page_almost_white_with_a_grey_side(read, page):
    paper = np.clip(np.linspace(215, 440, 500), 0, 255)
    assert read((paper * (1 - 0.5 * page(["2037"]))).astype("uint8")).digits == "2037"


@pytest.mark.parametrize(("paper", "table"), [(225, 60), (225, 165), (180, 245), (25, 225)])
@pytest.mark.parametrize("text", ["2037", ""])
def test_a_sheet_on_a_table(read, page, paper, table, text):
    rng = np.random.default_rng(0)
    sheet = paper + (170 if paper < 100 else -110) * page([text])
    turn = cv2.getRotationMatrix2D((250, 200), 4, 1)
    turn[:, 2] += 90
    picture = np.full((580, 680), np.nan, "float32")
    cv2.warpAffine(sheet, turn, (680, 580), picture, borderMode=cv2.BORDER_TRANSPARENT)
    picture = np.where(np.isnan(picture), rng.normal(table, 5, picture.shape), picture)
    picture += rng.normal(0, 1.5, picture.shape)
    assert read(picture.clip(0, 255).astype("uint8")).digits == text


@pytest.mark.parametrize(("strip", "seed"), [(22, 0), (14, 17)])
def test_a_strip_of_table_below_a_sheet(read, strip, seed):
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.normal(100, 8, (16, 22)), (640, 480), interpolation=cv2.INTER_CUBIC)
    picture += rng.normal(0, 8, picture.shape)
    corners = np.array([(60, 50), (600, 62), (560, 480 - strip), (70, 465 - strip)], "int32")
    cv2.fillConvexPoly(picture, corners, 220)
    picture = cv2.GaussianBlur(picture, (0, 0), 1) + rng.normal(0, 3, picture.shape)
    assert read(picture.clip(0, 255).astype("uint8")).digits == ""


@pytest.mark.parametrize(("paper", "table"), [(210, 140), (45, 225)])
def test_a_table_beyond_a_sloping_edge(read, paper, table):
    y, x = np.mgrid[:480, :640]
    picture = np.where(x - y / 17 > 585, table, paper).astype("float32")
    picture = cv2.GaussianBlur(picture, (0, 0), 1)
    picture += np.random.default_rng(0).normal(0, 3, picture.shape)
    assert read(picture.clip(0, 255).astype("uint8")).digits == ""


@pytest.mark.parametrize("values", [(20, 21), (0, 256)], ids=["dust", "salt and pepper"])
@pytest.mark.parametrize("contrast", [70, 180])
def test_dust_and_pepper_on_a_page(read, page, values, contrast):
    rng = np.random.default_rng(0)
    picture = 220 - contrast * page(["2037"])
    speckled = rng.random(picture.shape) < 0.004
    picture[speckled] = rng.integers(*values, speckled.sum())
    assert read(picture.astype("uint8")).digits == "2037"


@pytest.mark.parametrize("name", ["box", "boxes", "cells", "ring", "tight"])
def test_boxes_around_digits_are_not_read(read, page, name):
    text = "3" if name == "ring" else "2037"
    picture = (230 - 180 * page([text], gap=30)).astype("uint8")
    inked = np.flatnonzero((picture < 120).any(axis=0))
    groups = np.split(inked, np.flatnonzero(np.diff(inked) > 9) + 1)
    centres = [int(columns.mean()) for columns in groups]
    between = np.convolve(centres, (0.5, 0.5), "valid").astype(int).tolist()
    first, last = int(inked[0]), int(inked[-1])
    if name in ("box", "cells"):
        cv2.rectangle(picture, (first - 12, 40), (last + 12, 100), 60, 2)
    if name == "cells":
        for x in between:
            cv2.line(picture, (x, 40), (x, 100), 60, 2)
    if name == "boxes":
        for x in centres:
            cv2.rectangle(picture, (x - 25, 38), (x + 25, 102), 60, 2)
    if name == "ring":
        cv2.circle(picture, ((first + last) // 2, 70), 36, 60, 3)
    if name == "tight":  # the lines touch the 2
        picture = picture[:, : between[0]]
        cv2.rectangle(picture, (first, 45), (between[0] - 8, 100), 60, 2)
        text = "2"
    assert read(picture).digits == text


def test_a_strip_a_few_pixels_high(read):
    picture = np.full((2, 628), 200, "uint8")
    for start, end in ((100, 400), (250, 500), (30, 200)):
        for row in (slice(0, 1), slice(1, 2)):
            strip = picture.copy()
            strip[row, start:end] = 40
            assert read(strip).error == "no digit found"


@pytest.mark.parametrize(("x", "count"), [(40, 1), (48, 1), (75, 2)])
def test_a_broken_off_end_is_no_digit_of_its_own(x, count):
    digit, end = np.ones((70, 45), bool), np.ones((26, 11), bool)
    parts = [Component(digit, 0, 0), Component(end, x, 5)]
    assert len(join_parts(parts, 70, 95)) == count


@pytest.mark.parametrize(
    ("side", "thickness"), [(28, 1), (28, 4), (60, 2), (400, 2), (400, 60), (3000, 12)]
)
def test_thin_and_thick_small_and_large(read, side, thickness):
    assert read(drawn_seven(side, thickness)).digits == "7"


@pytest.mark.parametrize("lean", [-6, 0, 5])
def test_a_one_of_one_pixel_beside_thick_digits(read, page, lean):
    picture = 255 - 255 * page(["5", "28"], height=66, size=(300, 260))
    picture = picture.astype("uint8")
    cv2.line(picture, (150 + lean, 52), (150 - lean, 114), 0, 1)
    assert read(picture).digits == "5128"


def test_tiny_in_a_corner(read):
    picture = np.full((900, 1200), 250, "uint8")
    picture[20:70, 1100:1150] = drawn_seven(50, 3, paper=250)
    assert read(picture).digits == "7"


def test_small_digits_keep_their_loops(digits, shipped):
    _, (x_test, y_test) = digits
    pictures = []
    for image in x_test[:100]:
        image = image[bounding_box(image)]
        width = max(1, round(14 * image.shape[1] / len(image)))
        small = cv2.resize(image, (width, 14), interpolation=cv2.INTER_AREA)
        picture = np.full((200, 300), 235.0)
        picture[90:104, 140 : 140 + width] -= 0.75 * small
        pictures.append(cv2.imencode(".png", picture.astype("uint8"))[1].tobytes())
    answers = read_pictures(shipped, ((str(i), p) for i, p in enumerate(pictures)))
    right = [a.digits == str(y) for a, y in zip(answers, y_test[:100], strict=True)]
    assert sum(right) >= 97


@pytest.mark.parametrize(("lines", "gap"), [(["57"], -4), (["4", "2053"], -8)])
def test_neighbours_that_touch_are_parted(read, page, lines, gap):
    picture = (255 - 220 * page(lines, height=60, gap=gap)).astype("uint8")
    assert read(picture).digits == "".join(lines)


def test_slanted_neighbours_are_parted_along_the_slant(read, page):
    ink = page(["35"], height=60, gap=-6)
    slanted = cv2.warpAffine(ink, np.float32([[1, -0.4, 60], [0, 1, 0]]), (500, 400))
    assert read((255 - 220 * slanted).astype("uint8")).digits == "35"


def test_wide_digits_are_not_cut(read, page):
    picture = (255 - 220 * page(["02", "35"], height=60)).astype("uint8")
    assert read(cv2.resize(picture, None, fx=1.6, fy=1)).digits == "0235"


@pytest.mark.parametrize(
    ("parts", "digits", "clear"),
    [(0.99, 2, True), (0.93, 2, False), (0.9, 1, False), (0.7, 1, True)],
)
def test_one_digit_or_two_that_touch_is_unsure_if_both_may_be(parts, digits, clear):
    def answer(width, confidence, parts=()):
        digit = Digit((0, 0, width, 40), np.zeros((28, 28), "uint8"), list(parts))
        return Answer(digit, np.array([confidence, *[(1 - confidence) / 9] * 9]))

    left, right = answer(20, parts), answer(20, parts)
    cuts = [(0, 1, 0.05, left.digit), (1, 2, 0.0, right.digit)]
    found, certainty = recognition.best_segmentation(answer(40, 0.98, cuts), [left, right])
    assert len(found) == digits
    assert (certainty > 0.8) == clear
    assert Reading("one", found, certainty).confidence < certainty


def test_segmentations_with_the_same_digits_are_one_answer():
    """A 5 with a piece beside it, and without: either way it is a 5."""
    box = (0, 0, 20, 40)
    without = Digit(box, None)
    whole = Answer(Digit(box, None, parts=[(0, 1, 0.0, without)]), chances(5, 0.98))
    for digit, certain in ((5, True), (6, False)):
        answers = [Answer(without, chances(digit, 0.97))]
        assert (recognition.best_segmentation(whole, answers)[1] > 0.9) == certain


@pytest.mark.parametrize(
    "name", ["white", "black", "grey", "noise", "gradient", "dots", "frame", "blob", "shade"]
)
def test_no_writing_no_digit(read, name):
    rng = np.random.default_rng(1)
    picture = np.full((300, 400), {"black": 0, "grey": 128}.get(name, 240), "uint8")
    if name == "noise":
        picture = rng.integers(0, 256, picture.shape).astype("uint8")
    if name == "gradient":
        picture = np.tile(np.linspace(30, 250, 400), (300, 1)).astype("uint8")
    if name == "dots":
        for x in (50, 150, 300):
            cv2.circle(picture, (x, 140), 4, 20, -1)
    if name == "frame":
        picture[:, :30] = 50
    if name == "shade":  # of a hand, at the lower edge
        cv2.ellipse(picture, (190, 310), (125, 90), 0, 0, 360, 130, -1)
        picture = cv2.GaussianBlur(picture, (0, 0), 12) + rng.normal(0, 3, picture.shape)
        picture = picture.clip(0, 255).astype("uint8")
    if name == "blob":
        cv2.ellipse(picture, (200, 150), (60, 80), 0, 0, 360, 40, -1)
    result = read(picture)
    assert result.error == "no digit found" and result.digits == "" and result.confidence == 0


def test_a_scribble_is_not_read(read):
    picture = np.full((300, 400), 200, "uint8")
    points = [(60 + 15 * i, 230 if i % 2 else 60 + 5 * (i % 4)) for i in range(20)]
    cv2.polylines(picture, [np.array(points)], False, 60, 3, cv2.LINE_AA)
    assert read(cv2.GaussianBlur(picture, (3, 3), 0)).error == "no digit found"


def test_a_digit_beside_blots_is_read(read):
    picture = np.full((300, 400), 200, "uint8")
    picture[100:200, 40:140] = drawn_seven(100, 9, paper=200, ink=40)
    for x in range(190, 400, 60):
        cv2.circle(picture, (x, 250), 22, 60, -1)
    assert read(cv2.GaussianBlur(picture, (3, 3), 0)).digits == "7"


@pytest.fixture
def table(page):
    """A table of test digits, one in each cell; (height, width) uint8."""

    def compose(rows, cell=64, wobble=0):
        ink = np.zeros((cell * (len(rows) + 2), cell * (len(rows[0]) + 2)))
        rng = np.random.default_rng(0)
        for i, row in enumerate(rows):
            for j, digit in enumerate(row.replace(".", " ")):
                if digit != " ":
                    top, left = cell * (i + 1) + 12, cell * (j + 1) + 18
                    ink += page([digit], height=40, size=ink.shape, start=(left, top))
        picture = 230 - 170 * ink.clip(0, 1)
        for count, turned in ((len(rows), False), (len(rows[0]), True)):
            view = picture.T if turned else picture
            for k in range(1, count + 2):
                x = np.linspace(cell, view.shape[1] - cell, 12)
                y = cell * k + rng.normal(0, wobble, 12)
                lines = np.zeros(view.shape, "uint8")
                cv2.polylines(lines, [np.stack([x, y], 1).astype("int32")], False, 1, 3)
                view[lines > 0] = 70
        return picture.astype("uint8")

    return compose


@pytest.mark.parametrize("wobble", [0, 1])
def test_a_table_is_read_cell_by_cell(read, table, wobble):
    picture = table(["53.7", "6.19", ".982"], wobble=wobble)
    result = read(cv2.GaussianBlur(picture, (3, 3), 0))
    assert result.digits == "537619982" and len(result.lines) == 3


@pytest.mark.parametrize("scale", [0.45, 3])
def test_a_page_reads_the_same_at_any_size(read, table, scale):
    picture = cv2.GaussianBlur(table(["20.5", "7.34"]), (3, 3), 0)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    assert read(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)).digits == "205734"


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_page_is_read_upright(read, page, turns):
    picture = (255 - 200 * page(["20473", "31524", "57342"])).astype("uint8")
    upright, turned = read(picture), read(np.ascontiguousarray(np.rot90(picture, turns)))
    assert turned.text == upright.text == "20473 / 31524 / 57342"
    # The boxes are those of the picture as it is.
    x, y, width, height = upright.answers[0].digit.box
    box = [(y, 500 - x - width), (500 - x - width, 400 - y - height), (400 - y - height, x)]
    assert turned.answers[0].digit.box[:2] == pytest.approx(box[turns - 1], abs=3)
    assert turned.answers[0].digit.box[2:] == pytest.approx(
        (width, height) if turns == 2 else (height, width), abs=3
    )


@pytest.mark.parametrize(("text", "turns"), [("52741", 1), ("0326", 2), ("48137", 3)])
def test_a_single_row_that_is_turned_is_read_upright(read, page, text, turns):
    picture = (240 - 200 * page([text], size=(150, 450))).clip(0, 255).astype("uint8")
    assert read(np.ascontiguousarray(np.rot90(picture, turns))).digits == text


@pytest.mark.parametrize("text", ["69", "6869", "6000"])
def test_a_row_that_may_be_upside_down_stays_as_it_is(read, page, text):
    picture = (240 - 200 * page([text], size=(150, 450))).clip(0, 255).astype("uint8")
    assert read(picture).digits == text


@pytest.mark.parametrize("angle", [-13, 9])
def test_a_tilted_page_is_read_line_by_line(read, page, angle):
    ink = page(["20473", "31524", "57342"], start=(90, 90), size=(460, 500))
    turn = cv2.getRotationMatrix2D((250, 200), angle, 1)
    tilted = cv2.warpAffine(ink, turn, (500, 460))
    assert read((255 - 200 * tilted).astype("uint8")).text == "20473 / 31524 / 57342"


def test_pale_creases_among_digits_are_not_read(read, page):
    ink = page(["2037", "585"], gap=45)
    for x, y in ((180, 45), (168, 130)):
        crease = np.zeros_like(ink)
        crease[y : y + 46, x : x + 5] = 0.5
        ink = np.maximum(ink, cv2.GaussianBlur(crease, (0, 0), 0.8))
    noise = np.random.default_rng(0).normal(0, 2, ink.shape)
    assert read((210 - 120 * ink + noise).clip(0, 255).astype("uint8")).digits == "2037585"


@pytest.mark.parametrize("name", ["dot", "letter", "blot"])
def test_what_is_left_unread_is_said(read, page, name):
    picture = (255 - 200 * page(["65"], gap=70)).astype("uint8")
    before = read(picture)
    if name == "dot":
        cv2.circle(picture, (105, 86), 4, 55, -1)
    if name == "letter":
        cv2.putText(picture, "E", (88, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 55, 5, cv2.LINE_AA)
    if name == "blot":
        cv2.circle(picture, (112, 70), 18, 55, -1)
    result = read(picture)
    assert before.digits == result.digits == "65" and not before.unsure and result.unsure
    ((x, y, width, height),) = result.unread
    assert x > 80 and x + width < 145 and y > 45 and y + height < 95
    assert result.as_dict()["unread"] == [{"box": [x, y, width, height]}]


def test_a_blot_on_a_tilted_page_is_said(read, page):
    ink = page(["20473", "31524", "57342"], start=(90, 90), size=(460, 500))
    turn = cv2.getRotationMatrix2D((250, 200), 9, 1)
    tilted = (255 - 200 * cv2.warpAffine(ink, turn, (500, 460))).astype("uint8")
    x, y = map(int, turn @ (420, 190, 1))
    cv2.circle(tilted, (x, y), 20, 55, -1)
    result = read(tilted)
    assert result.text == "20473 / 31524 / 57342" and result.unsure
    assert (x - 20, y - 20, 41, 41) == pytest.approx(result.unread[0], abs=3)


def save(array, kind, mode=None, **options):
    stream = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", None),
        ("JPEG", "CMYK"),
        ("PNG", "RGB"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("BMP", None),
        ("TIFF", None),
        ("WEBP", "RGB"),
        ("GIF", None),
    ],
)
def test_every_format(read, kind, mode):
    assert read(save(drawn_seven(), kind, mode)).digits == "7"


def test_sixteen_bit(read):
    assert read(save(drawn_seven().astype("uint16") * 257, "PNG")).digits == "7"


@pytest.mark.parametrize("colour", [0, 255])
def test_transparent_is_paper(read, colour):
    alpha = 255 - drawn_seven()
    picture = np.dstack([np.full_like(alpha, colour)] * 3 + [alpha])
    assert read(save(picture, "PNG")).digits == "7"


def test_the_exif_rotation_is_applied(read):
    turned = np.rot90(drawn_seven())  # the camera was held upright
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read(save(np.ascontiguousarray(turned), "JPEG", exif=exif)).digits == "7"


def test_prepared_as_mnist_prepared(digits):
    picture = drawn_seven(300, 20)
    (found,) = digits_in(picture)
    rows, columns = (found.image > 60).any(axis=1), (found.image > 60).any(axis=0)
    assert 19 <= max(np.ptp(rows.nonzero()), np.ptp(columns.nonzero())) + 1 <= 21
    y, x = scipy.ndimage.center_of_mass(found.image)
    assert abs(y - 13.5) <= 0.6 and abs(x - 13.5) <= 0.6
    np.testing.assert_allclose(centre_of_mass(found.image), (x, y))


def test_a_picture_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(picture_files, "MAX_PIXELS", 5000)
    with pytest.raises(ImageError, match="make it smaller"):
        read_grey(save(drawn_seven(), "PNG"))


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((200, 30, 40), (30, 115, 40)), ((170, 20, 20), (60, 50, 120)), ((240, 130, 40), (150,) * 3)],
    ids=["red on green", "red on blue", "orange on grey"],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_digits_that_differ_from_their_paper_in_colour_alone(read, page, ink, paper, kind):
    there = page(["23745"], size=(140, 420))[..., None]
    picture = np.array(paper) + there * np.subtract(ink, paper)
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    file = io.BytesIO()
    Image.fromarray((picture + noise).clip(0, 255).astype("uint8")).save(file, kind)
    assert read(file.getvalue()).digits == "23745"


@pytest.mark.parametrize("sign", ["plus", "times"])
def test_a_sign_is_unread_and_takes_no_digit_with_it(read, row, sign):
    ink = np.zeros((130, 260), "float32")
    row(ink, "3", 40, 40)
    row(ink, "5", 150, 40)
    strokes = {
        "plus": [(0, 0, 16, 0), (8, -8, 8, 8)],
        "times": [(0, -6, 20, 20), (20, -6, 0, 20)],
    }
    for left, top, right, bottom in strokes[sign]:
        cv2.line(ink, (95 + left, 60 + top), (95 + right, 60 + bottom), 1, 5, cv2.LINE_AA)
    reading = read((240 - 200 * ink).clip(0, 255).astype("uint8"))
    assert reading.digits == "35" and reading.unread and reading.unsure


@pytest.mark.parametrize(("height", "thickness"), [(60, 3), (40, 7)])
def test_the_digits_of_a_sum_are_read(read, row, height, thickness):
    """6x7=42: the x, which stands on the line, is not two digits, and the = no end of the 7."""
    strokes = {
        "x": [(0, 0.33, 0.5, 1), (0.5, 0.33, 0, 1)],
        "=": [(0, 0.4, 0.5, 0.4), (0, 0.6, 0.5, 0.6)],
    }
    ink, x = np.zeros((150, 480), "float32"), 40
    for sign in "6x7=42":
        if sign in strokes:
            for ends in strokes[sign]:
                ends = (height * np.reshape(ends, (2, 2)) + (x, 45)).round().astype(int).tolist()
                cv2.line(ink, *ends, 1, thickness, cv2.LINE_AA)
            x += height // 2 + 12
        else:
            row(ink, sign, x, 45, height)
            x = int(ink.any(axis=0).nonzero()[0].max()) + 12
    reading = read((245 - 205 * ink).clip(0, 255).astype("uint8"))
    assert reading.digits == "6742" and reading.unread and reading.unsure


@pytest.mark.parametrize("at", [0, 3, 6])
def test_a_digit_in_one_of_several_boxes_is_read(read, row, at):
    ink = np.zeros((120, 500), "float32")
    for n in range(7):
        cv2.rectangle(ink, (30 + 62 * n, 30), (78 + 62 * n, 88), 0.7, 2)
    row(ink, "5", 42 + 62 * at, 42, height=34)
    noise = np.random.default_rng(at).normal(0, 3, ink.shape)
    reading = read((245 - 190 * ink + noise).clip(0, 255).astype("uint8"))
    assert reading.digits == "5" and not reading.unread and not reading.unsure


def test_a_piece_beside_a_digit_may_be_no_part_of_it():
    """A bar at the height of a digit's middle may be its broken-off end, or a sign's."""
    mask = np.zeros((40, 50), bool)
    mask[:, :20] = mask[16:20, 26:] = True
    ((whole, parts),) = segment([Component(mask, 5, 5)], np.ones((60, 60), "float32"))
    assert whole.width == 50
    assert [(part.x, part.width) for *_, part in parts if part.height == 40] == [(5, 20)]
    mask[:, 8:12] = False  # a piece inside it says that it is a box
    mask[:4, :20] = mask[36:, :20] = mask[16:20, 9:11] = True
    ((_, parts),) = segment([Component(mask, 5, 5)], np.ones((60, 60), "float32"))
    assert (5, 20) not in [(part.x, part.width) for *_, part in parts if part.height == 40]


def chances(digit, confidence):
    """The probabilities of a model that is so sure of a digit."""
    probabilities = np.full(10, (1 - confidence) / 9)
    probabilities[digit] = confidence
    return probabilities


def test_a_part_that_may_be_no_digit_is_not_cut_off():
    """A letter, say: cut in two, each half looks a little like a digit."""
    box = (0, 0, 20, 20)
    halves = [Digit(box, None), Digit(box, None)]
    whole = Digit(box, None, parts=[(0, 1, 0.0, halves[0]), (1, 2, 0.0, halves[1])])
    unclear = recognition.best_segmentation(
        Answer(whole, chances(4, 0.2)), [Answer(half, chances(7, 0.75)) for half in halves]
    )
    clear = recognition.best_segmentation(
        Answer(whole, chances(4, 0.2)), [Answer(half, chances(7, 0.85)) for half in halves]
    )
    assert [len(answers) for answers, _ in (unclear, clear)] == [1, 2]


def test_small_writing_on_a_picture_that_had_to_be_reduced_is_unsure(read, page):
    """The digits are 20 pixels high, and 7 where the steps work."""
    ink = page(["23745"], height=20, gap=12, size=(1000, 12_000), start=(5000, 500))
    reading = read((240 - 200 * ink).clip(0, 255).astype("uint8"))
    assert reading.unsure


def test_an_upright_stroke_away_from_the_row_is_unsure(read, page):
    ink = page(["23745"], size=(400, 500))
    assert not read((240 - 200 * ink).clip(0, 255).astype("uint8")).unsure
    cv2.line(ink, (400, 300), (402, 340), 1, 4, cv2.LINE_AA)
    assert read((240 - 200 * ink).clip(0, 255).astype("uint8")).unsure
