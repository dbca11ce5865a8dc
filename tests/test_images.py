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
from digits.reading import read_pictures
from digits.reading.components import bounding_box
from digits.reading.finding import digits_in


@pytest.fixture
def read(shipped):
    """Return the reading of a grey picture, or of a file."""

    def run(picture):
        if isinstance(picture, np.ndarray):
            picture = cv2.imencode(".png", picture.clip(0, 255).astype("uint8"))[1].tobytes()
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
    files = ((str(i), cv2.imencode(".png", x_test[i])[1].tobytes()) for i in range(500))
    read = [r.digits for r in read_pictures(shipped, files)]
    through_png = sum(a == str(b) for a, b in zip(read, y_test[:500], strict=True))
    arrays = (predict(shipped, x_test[:500]).argmax(axis=1) == y_test[:500]).sum()
    assert through_png >= arrays - 1


# ------------------------------------------------------------------ light and paper


def noise(ink, deviation):
    return np.random.default_rng(0).normal(0, deviation, ink.shape)


def ramp(ink, *ends):
    return np.linspace(*ends, ink.shape[1])


def corner(ink, dark):
    """Light that falls off towards the upper left corner."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    return np.minimum(1, 1 - dark + dark * 2 * (x / ink.shape[1] + y / ink.shape[0]))


def thumb(ink):
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    return 1 - 0.6 * np.exp(-(np.hypot(x, y) ** 2) / (2 * 130**2))


def shadow(ink, straight):
    """Light with the sharp edge of a shadow across the page."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    dark = x + y / 4 < 288 if straight else np.hypot(x - 330, y - 320) < 190
    return 1 - 0.4 * cv2.GaussianBlur(dark.astype("float32"), (0, 0), 1.5)


def ruled(ink, darker=45, squared=False):
    paper = np.full(ink.shape, 225.0)
    paper[::33] -= darker
    if squared:
        paper[:, ::33] -= darker
    return paper


def turned_lines(ink, slope, squared):
    lines = np.zeros(ink.shape, "uint8")
    for start in range(-100, 700, 32):
        cv2.line(lines, (0, start), (500, round(start + 500 * slope)), 255, 1, cv2.LINE_AA)
        if squared:
            cv2.line(lines, (start, 0), (round(start - 400 * slope), 400), 255, 1, cv2.LINE_AA)
    return 230 - 70 * (lines / 255) + noise(ink, 2)


def speckled(ink, contrast, *values):
    rng, picture = np.random.default_rng(0), 220 - contrast * ink
    speckles = rng.random(picture.shape) < 0.004
    picture[speckles] = rng.integers(*values, speckles.sum())
    return picture


PAPERS = {  # how ink 0 to 1 becomes a picture of it
    "a shadow": lambda ink: 225 * ramp(ink, 1, 0.45) * (1 - 0.7 * ink),
    "noise": lambda ink: (225 + noise(ink, 6)) * (1 - 0.7 * ink),
    "inverted": lambda ink: 255 - 225 * (1 - 0.7 * ink),
    "faint": lambda ink: 225 * (1 - 0.1 * ink),
    "ruled": lambda ink: ruled(ink) * (1 - 0.7 * ink),
    "squared": lambda ink: ruled(ink, squared=True) * (1 - 0.7 * ink),
    "a dark corner": lambda ink: 225 * corner(ink, 0.4) * (1 - 0.7 * ink),
    "pale, light that falls off": lambda ink: 150 * corner(ink, 0.1) - 36 * ink,
    "the shadow of a thumb": lambda ink: 225 * thumb(ink) * (1 - 0.5 * ink),
    "the edge of a shadow": lambda ink: 215 * shadow(ink, True) * (1 - 0.5 * ink) + noise(ink, 3),
    "the shadow of a hand": lambda ink: 215 * shadow(ink, False) * (1 - 0.5 * ink) + noise(ink, 3),
    "almost white, a grey side": lambda ink: ramp(ink, 215, 440).clip(0, 255) * (1 - 0.5 * ink),
    "turned lines": lambda ink: turned_lines(ink, 0.02, False) * (1 - 0.7 * ink),
    "turned squares": lambda ink: turned_lines(ink, -0.06, True) * (1 - 0.7 * ink),
    "dust": lambda ink: speckled(ink, 70, 20, 21),
    "pepper and salt": lambda ink: speckled(ink, 180, 0, 256),
}


@pytest.mark.parametrize("paper", PAPERS)
def test_light_and_paper_change_nothing(read, page, paper):
    assert read(PAPERS[paper](page(["20375"], start=(40, 130)))).digits == "20375"
    assert read(PAPERS[paper](page([]))).digits == ""


@pytest.mark.parametrize(("paper", "table"), [(225, 60), (225, 165), (180, 245), (25, 225)])
@pytest.mark.parametrize("text", ["2037", ""])
def test_a_sheet_on_a_table(read, page, paper, table, text):
    sheet = paper + (170 if paper < 100 else -110) * page([text])
    turn = cv2.getRotationMatrix2D((250, 200), 4, 1)
    turn[:, 2] += 90
    picture = np.full((580, 680), np.nan, "float32")
    cv2.warpAffine(sheet, turn, (680, 580), picture, borderMode=cv2.BORDER_TRANSPARENT)
    picture = np.where(np.isnan(picture), table + noise(picture, 5), picture)
    assert read(picture + noise(picture, 1.5)).digits == text


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((200, 30, 40), (30, 115, 40)), ((170, 20, 20), (60, 50, 120)), ((240, 130, 40), (150,) * 3)],
    ids=["red on green", "red on blue", "orange on grey"],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_digits_that_differ_from_their_paper_in_colour_alone(read, page, ink, paper, kind):
    there = page(["23745"], size=(140, 420))[..., None]
    picture = np.array(paper) + there * np.subtract(ink, paper)
    picture += np.random.default_rng(0).normal(0, 3, picture.shape)
    assert read(save(picture.clip(0, 255).astype("uint8"), kind)).digits == "23745"


# ------------------------------------------------------------------ digits of all kinds


def seven_on(size, place, side, thickness, paper=225):
    picture = np.full(size, paper, "uint8")
    view = picture[place[0] : place[0] + side, place[1] : place[1] + side]
    np.minimum(view, drawn_seven(side, thickness, paper=paper), out=view)
    return picture


def behind(grey, thickness):
    """A 7 before long lines."""
    picture = np.full((200, 200), 255, "uint8")
    for start, end in (((0, 60), (200, 90)), ((0, 170), (200, 20)), ((70, 0), (130, 200))):
        cv2.line(picture, start, end, grey, thickness, cv2.LINE_AA)
    picture[40:160, 40:160] = np.minimum(picture[40:160, 40:160], drawn_seven(120, 9))
    return picture


def squares_of(size):
    picture = seven_on(size, (40, 90), 70, 6)
    grid = np.full(size, 225, "uint8")
    grid[::33] = grid[:, ::33] = 150
    return np.minimum(picture, grid)


def beside_blots():
    picture = seven_on((300, 400), (100, 40), 100, 9, paper=200)
    for x in range(190, 400, 60):
        cv2.circle(picture, (x, 250), 22, 60, -1)
    return cv2.GaussianBlur(picture, (3, 3), 0)


SIZES = (28, 1), (28, 4), (60, 2), (400, 2), (400, 60), (3000, 12)
SEVENS = {f"{side} pixels, a pen of {pen}": drawn_seven(side, pen) for side, pen in SIZES} | {
    "tiny, in a corner": seven_on((900, 1200), (20, 1100), 50, 3, paper=250),
    "before thin lines": behind(60, 2),
    "before pale lines": behind(190, 7),
    "wide squared paper": squares_of((150, 900)),
    "high squared paper": squares_of((900, 200)),
    "beside blots": beside_blots(),
}


@pytest.mark.parametrize("name", SEVENS)
def test_a_seven_anywhere(read, name):
    assert read(SEVENS[name]).digits == "7"


@pytest.mark.parametrize(("digit", "room"), [("8", 60), ("5", 8), ("9", 8)])
def test_a_digit_with_a_thick_pen_in_uneven_light(read, page, digit, room):
    ink = page([digit], height=160, size=(2 * room + 160, 400), start=(room, room))
    ink = ink[:, : ink.any(axis=0).nonzero()[0][-1] + room]
    thick = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    assert read((ramp(ink, 235, 170) + noise(ink, 2)) * (1 - 0.7 * thick)).digits == digit


@pytest.mark.parametrize("edges", ["right", "top left", "left top right bottom"])
@pytest.mark.parametrize(("height", "pen"), [(28, 1), (160, 5)])
@pytest.mark.parametrize("digit", ["2", "8"])
def test_a_digit_that_touches_the_edge(read, page, edges, height, pen, digit):
    ink = cv2.dilate(page([digit], height=height, start=(100, 100)), np.ones((pen, pen)))
    inked = np.argwhere(ink > 0.3)
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0) + 1
    room = {e: 0 if e in edges else height // 3 for e in ("left", "top", "right", "bottom")}
    rows = slice(top - room["top"], bottom + room["bottom"])
    assert read(230 - 200 * ink[rows, left - room["left"] : right + room["right"]]).digits == digit


@pytest.mark.parametrize("lean", [-6, 0, 5])
def test_a_one_of_one_pixel_beside_thick_digits(read, page, lean):
    picture = 255 - 255 * page(["5", "28"], height=66, size=(300, 260))
    cv2.line(picture, (150 + lean, 52), (150 - lean, 114), 0, 1)
    assert read(picture).digits == "5128"


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
    assert sum(a.digits == str(y) for a, y in zip(answers, y_test[:100], strict=True)) >= 97


@pytest.mark.parametrize(("lines", "gap"), [(["57"], -4), (["4", "2053"], -8)])
def test_neighbours_that_touch_are_parted(read, page, lines, gap):
    assert read(255 - 220 * page(lines, height=60, gap=gap)).digits == "".join(lines)


def test_slanted_neighbours_are_parted_along_the_slant(read, page):
    ink = page(["35"], height=60, gap=-6)
    slanted = cv2.warpAffine(ink, np.float32([[1, -0.4, 60], [0, 1, 0]]), (500, 400))
    assert read(255 - 220 * slanted).digits == "35"


def test_wide_digits_are_not_cut(read, page):
    picture = 255 - 220 * page(["02", "35"], height=60)
    assert read(cv2.resize(picture, None, fx=1.6, fy=1)).digits == "0235"


# ------------------------------------------------------------------ what is no digit


def drawn(draw, size=(300, 400), paper=240):
    picture = np.full(size, paper, "uint8")
    draw(picture)
    return picture


def scribble(picture):
    points = [(60 + 15 * i, 230 if i % 2 else 60 + 5 * (i % 4)) for i in range(20)]
    cv2.polylines(picture, [np.array(points)], False, 60, 3, cv2.LINE_AA)


def shade(picture):
    """Of a hand, at the lower edge."""
    cv2.ellipse(picture, (190, 310), (125, 90), 0, 0, 360, 130, -1)
    cv2.GaussianBlur(picture, (0, 0), 12, picture)


def strip(picture):
    picture[0, 100:400] = 40


NOTHING = {
    **{f"grey {value}": np.full((300, 400), value, "uint8") for value in (255, 0, 128)},
    "noise": np.random.default_rng(1).integers(0, 256, (300, 400)),
    "a gradient": np.tile(np.linspace(30, 250, 400), (300, 1)),
    "dots": drawn(lambda p: [cv2.circle(p, (x, 140), 4, 20, -1) for x in (50, 150, 300)]),
    "a frame": drawn(lambda p: p[:, :30].fill(50)),
    "a blob": drawn(lambda p: cv2.ellipse(p, (200, 150), (60, 80), 0, 0, 360, 40, -1)),
    "a shade": drawn(shade),
    "a scribble": drawn(scribble, paper=200),
    "two rows of pixels": drawn(strip, (2, 628), 200),
}


@pytest.mark.parametrize("name", NOTHING)
def test_no_writing_no_digit(read, name):
    result = read(NOTHING[name])
    assert result.error == "no digit found" and result.digits == "" and result.confidence == 0


def test_a_dash_is_no_digit(read, page):
    picture = 255 - 200 * page(["25"], gap=80)
    cv2.line(picture, (95, 72), (125, 72), 55, 8)
    assert read(picture).digits == "25"
    assert read(picture[:, 85:135]).digits == ""


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


@pytest.mark.parametrize("at", [0, 3, 6])
def test_a_digit_in_one_of_several_boxes_is_read(read, row, at):
    ink = np.zeros((120, 500), "float32")
    for n in range(7):
        cv2.rectangle(ink, (30 + 62 * n, 30), (78 + 62 * n, 88), 0.7, 2)
    row(ink, "5", 42 + 62 * at, 42, height=34)
    reading = read(245 - 190 * ink + noise(ink, 3))
    assert reading.digits == "5" and not reading.unread and not reading.unsure


def test_pale_creases_among_digits_are_not_read(read, page):
    ink = page(["2037", "585"], gap=45)
    for x, y in ((180, 45), (168, 130)):
        crease = np.zeros_like(ink)
        crease[y : y + 46, x : x + 5] = 0.5
        ink = np.maximum(ink, cv2.GaussianBlur(crease, (0, 0), 0.8))
    assert read(210 - 120 * ink + noise(ink, 2)).digits == "2037585"


MARKS = {  # beside digits
    "a dot": lambda ink: cv2.circle(ink, (105, 86), 4, 255, -1),
    "a blot": lambda ink: cv2.circle(ink, (112, 70), 18, 255, -1),
    "a letter": lambda ink: cv2.putText(ink, "E", (88, 90), 0, 1.6, 255, 5, cv2.LINE_AA),
    "a plus": lambda ink: cv2.drawMarker(ink, (110, 72), 255, cv2.MARKER_CROSS, 18, 5),
    "a cross": lambda ink: cv2.drawMarker(ink, (110, 76), 255, cv2.MARKER_TILTED_CROSS, 24, 5),
}


@pytest.mark.parametrize("name", MARKS)
def test_what_is_left_unread_is_said(read, page, name):
    ink = (255 * page(["65"], gap=70)).astype("uint8")
    before = read(255 - 0.8 * ink)
    MARKS[name](ink)
    result = read(255 - 0.8 * ink)
    assert before.digits == result.digits == "65" and not before.unsure and result.unsure
    ((x, y, width, height),) = result.unread
    assert x > 80 and x + width < 145 and y > 45 and y + height < 95
    assert result.as_dict()["unread"] == [{"box": [x, y, width, height]}]


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
    reading = read(245 - 205 * ink)
    assert reading.digits == "6742" and reading.unread and reading.unsure


def test_small_writing_on_a_picture_that_had_to_be_reduced_is_unsure(read, page):
    """The digits are 20 pixels high, and 7 where the steps work."""
    assert read(240 - 200 * page(["23745"], 20, 12, (1000, 12_000), (5000, 500))).unsure


def test_an_upright_stroke_away_from_the_row_is_unsure(read, page):
    ink = page(["23745"])
    assert not read(240 - 200 * ink).unsure
    cv2.line(ink, (400, 300), (402, 340), 1, 4, cv2.LINE_AA)
    assert read(240 - 200 * ink).unsure


# ------------------------------------------------------------------ lines, tables, turned pages


def test_several_lines_in_reading_order(read, page):
    result = read(255 - 200 * page(["2047", "315", "6798"]))
    assert result.digits == "20473156798" and result.text == "2047 / 315 / 6798"
    tops = [a.digit.box[1] for a in result.answers]
    assert tops == sorted(tops, key=lambda y: y // 40)


def test_wide_gaps_part_a_line_into_groups(read, page):
    ink = np.hstack([page(["20", "315"], size=(400, 250)), page(["47", ""], size=(400, 250))])
    result = read(255 - 200 * ink)
    assert result.text == "20 47 / 315" and result.digits == "2047315"
    (one, two), (three,) = result.as_dict()["lines"]
    assert [group["digits"] for group in (one, two, three)] == ["20", "47", "315"]
    x, y, _, height = two["box"]
    assert 285 < x < 300 and y == pytest.approx(50, abs=3) and height == pytest.approx(40, abs=4)


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
        return cv2.GaussianBlur(picture.astype("uint8"), (3, 3), 0)

    return compose


@pytest.mark.parametrize("wobble", [0, 1])
def test_a_table_is_read_cell_by_cell(read, table, wobble):
    result = read(table(["53.7", "6.19", ".982"], wobble=wobble))
    assert result.digits == "537619982" and len(result.lines) == 3


@pytest.mark.parametrize("scale", [0.45, 3])
def test_a_page_reads_the_same_at_any_size(read, table, scale):
    how = {
        "fx": scale,
        "fy": scale,
        "interpolation": cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    }
    assert read(cv2.resize(table(["20.5", "7.34"]), None, **how)).digits == "205734"


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_page_is_read_upright(read, page, turns):
    picture = 255 - 200 * page(["20473", "31524", "57342"])
    upright, turned = read(picture), read(np.rot90(picture, turns))
    assert turned.text == upright.text == "20473 / 31524 / 57342"
    # The boxes are those of the picture as it is.
    x, y, width, height = upright.answers[0].digit.box
    box = [(y, 500 - x - width), (500 - x - width, 400 - y - height), (400 - y - height, x)]
    size = (width, height) if turns == 2 else (height, width)
    assert turned.answers[0].digit.box == pytest.approx((*box[turns - 1], *size), abs=3)


@pytest.mark.parametrize(
    ("text", "turns"),
    [("52741", 1), ("0326", 2), ("48137", 3), ("69", 0), ("6869", 0), ("6000", 0)],
)
def test_a_single_row_is_read_upright(read, page, text, turns):
    assert read(np.rot90(240 - 200 * page([text], size=(150, 450)), turns)).digits == text


@pytest.mark.parametrize(("angle", "blot"), [(-13, False), (9, True)])
def test_a_tilted_page_is_read_line_by_line(read, page, angle, blot):
    ink = page(["20473", "31524", "57342"], start=(90, 90), size=(460, 500))
    turn = cv2.getRotationMatrix2D((250, 200), angle, 1)
    tilted = 255 - 200 * cv2.warpAffine(ink, turn, (500, 460))
    x, y = map(int, turn @ (420, 190, 1))
    if blot:
        cv2.circle(tilted, (x, y), 20, 55, -1)
    result = read(tilted)
    assert result.text == "20473 / 31524 / 57342" and result.unsure >= blot
    assert not blot or (x - 20, y - 20, 41, 41) == pytest.approx(result.unread[0], abs=3)


# ------------------------------------------------------------------ files


def save(array, kind, mode=None, **options):
    stream = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


def transparent(grey):
    """Paper that is transparent, with ink of that grey."""
    alpha = 255 - drawn_seven()
    return np.dstack([np.full_like(alpha, grey)] * 3 + [alpha])


def held_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    return save(np.ascontiguousarray(np.rot90(drawn_seven())), "JPEG", exif=exif)


KINDS = "JPEG", "JPEG CMYK", "PNG RGB", "PNG P", "PNG 1", "BMP", "TIFF", "WEBP RGB", "GIF"
FILES = {kind: save(drawn_seven(), *kind.split()) for kind in KINDS} | {
    "16 bit": save(drawn_seven().astype("uint16") * 257, "PNG"),
    "black on nothing": save(transparent(0), "PNG"),
    "white on nothing": save(transparent(255), "PNG"),
    "turned by its EXIF": held_upright(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format(read, name):
    assert read(FILES[name]).digits == "7"


def test_prepared_as_mnist_prepared(digits):
    (found,) = digits_in(drawn_seven(300, 20))
    rows, columns = (found.image > 60).any(axis=1), (found.image > 60).any(axis=0)
    assert 19 <= max(np.ptp(rows.nonzero()), np.ptp(columns.nonzero())) + 1 <= 21
    y, x = scipy.ndimage.center_of_mass(found.image)
    assert abs(y - 13.5) <= 0.6 and abs(x - 13.5) <= 0.6
    np.testing.assert_allclose(centre_of_mass(found.image), (x, y))


def test_a_picture_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(picture_files, "MAX_PIXELS", 5000)
    with pytest.raises(ImageError, match="make it smaller"):
        read_grey(save(drawn_seven(), "PNG"))
