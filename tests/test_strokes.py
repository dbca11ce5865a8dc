"""Drawings are read from their strokes, in the browser's language; Node runs it as browsers do."""

import json

import cv2
import numpy as np
import pytest
from browsers import needs_node, run_in_node

from digits.data.normalization import centre_of_mass, normalize_digit
from digits.model import predict
from digits.page.network import as_network

pytestmark = needs_node

SCRIPT = """
import { readFileSync } from "node:fs";
import { digitImage, smooth } from "./digit_image.js";
import { write } from "./examples.js";
import { readNetwork } from "./network.js";
import { readStrokes } from "./strokes.js";

const { run } = readNetwork(new Uint8Array(readFileSync("network")).buffer);
let asked = 0;
const predict = async (images) => (asked += images.length, images.map(run));
const strokesOf = ({ parts, width }) =>
  parts.flatMap(({ number, lines, x = 0, y = 0 }) =>
    (number ? write(number) : lines.map((line) => line.map(([x, y]) => ({ x, y, width }))))
      .map((stroke) => stroke.map((p) => ({ x: p.x + x, y: p.y + y, width: width ?? p.width }))));

const answers = [];
for (const drawing of JSON.parse(readFileSync("drawings"))) {
  const strokes = drawing.strokes ?? strokesOf(drawing);
  if (drawing.linked) strokes.splice(0, 2, [...strokes[0], ...strokes[1]]);
  if (drawing.order) strokes.splice(0, strokes.length, ...drawing.order.map((i) => strokes[i]));
  asked = 0;
  const { lines, confidence, unsure, unread } = await readStrokes(strokes, predict);
  const text = lines.map((line) => line.map(({ digits }) => digits).join(" ")).join(" / ");
  const again = asked;
  await readStrokes(strokes, predict);
  const image = Array.from(digitImage(strokes.map(smooth)));
  const counts = { asked: again, more: asked - again };
  answers.push({ text, confidence, unsure, unread, strokes, image, ...counts });
}
console.log(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def draw(shipped, tmp_path_factory):
    """Return what is read of drawings, each parts of digits by the page's own hand, or lines."""
    folder, network = tmp_path_factory.mktemp("strokes"), as_network(shipped)

    def draw(*drawings):
        return run_in_node(folder, SCRIPT, network=network, drawings=json.dumps(drawings).encode())

    return draw


def side_by_side(number, gap, **more):
    """Digits of a number, each 100 wide or less, `gap` between their fields."""
    parts = [{"number": d, "x": i * (150 + gap)} for i, d in enumerate(number)]
    return {"parts": parts} | more


def lines(*lines, **more):
    return {"parts": [{"lines": lines}], "width": 14} | more


THREE, ONE, FOUR = ({"number": d} for d in "314")
DOT = {"lines": [[[0, 0], [1, 1]]]}
DASH = {"lines": [[[0, 0], [30, 2], [70, 0]]]}
BAR = {"lines": [[[0, 0], [2, 30], [0, 70]]]}


def test_the_image_of_a_digit_is_the_one_of_the_python_side(draw, shipped):
    """The same strokes, drawn with OpenCV and normalised as ink on a picture is."""
    drawings = [{"parts": [{"number": str(d)}], "width": w} for d in range(10) for w in (6, 14, 34)]
    answers = draw(*drawings)
    here, there = [], []
    for drawing, answer in zip(drawings, answers, strict=True):
        ink = np.zeros((500, 500), "uint8")
        for stroke in answer["strokes"]:
            points = curve([(p["x"] + 250, p["y"] + 250) for p in stroke])
            points = np.round(8 * points).astype("int32")[:, None]
            cv2.polylines(ink, [points], False, 255, drawing["width"], cv2.LINE_AA, 3)
        x, y, width, height = cv2.boundingRect((ink > 76).astype("uint8"))
        cut = ink[y : y + height, x : x + width]
        here.append(normalize_digit(cut > 76, cut.astype("float32") / 255))
        there.append(np.array(answer["image"], "uint8").reshape(28, 28))
    for one, other in zip(here, there, strict=True):
        size, other_size = (cv2.boundingRect((i > 60).astype("uint8"))[2:] for i in (one, other))
        assert np.abs(np.subtract(size, other_size)).max() <= 1
        assert np.abs(centre_of_mass(one) - centre_of_mass(other)).max() < 1
    difference = np.abs(np.array(here).astype(float) - there).mean(axis=(1, 2))
    assert np.median(difference) < 3  # of 255
    probabilities = predict(shipped, np.array(here)), predict(shipped, np.array(there))
    assert np.array_equal(*(p.argmax(axis=1) for p in probabilities))


def curve(points):
    """Quadratic curves from middle to middle of the points, as the page draws a stroke."""
    points = np.array(points, float)
    ends = [points[0], *((points[:-1] + points[1:]) / 2)[:-1], points[-1]]
    t = np.linspace(0, 1, 9)[:, None]
    pieces = [
        (1 - t) ** 2 * start + 2 * t * (1 - t) * by + t**2 * end
        for start, by, end in zip(ends, points, ends[1:], strict=False)
    ]
    return np.concatenate(pieces)


@pytest.mark.parametrize("gap", [40, 8, -25, -40], ids=["apart", "near", "touch", "overlap"])
def test_digits_are_read_however_close_they_are(draw, gap):
    numbers = ["27", "00", "45", "839", "206", "5540", "7474"]
    answers = draw(*(side_by_side(number, gap) for number in numbers))
    assert [answer["text"].replace(" ", "") for answer in answers] == numbers
    assert not any(answer["unsure"] for answer in answers)


def test_the_bars_may_be_drawn_at_the_end(draw):
    bars = [[[20 + 105 * i, 70], [50 + 105 * i, 68], [80 + 105 * i, 70]] for i in range(2)]
    sevens = [
        [[8 + x, 12], [44 + x, 9], [86 + x, 6], [68 + x, 48], [40 + x, 140]] for x in (0, 105)
    ]
    (answer,) = draw(lines(*sevens, *bars))
    assert answer["text"] == "77" and not answer["unsure"]


def test_a_digit_may_be_far_wider_than_high(draw):
    four = [[[160, 60], [130, 165], [420, 165]], [[345, 75], [335, 255]]]
    (answer,) = draw(lines(*four))
    assert answer["text"] == "4"


def test_a_digit_may_be_put_in_between_later(draw):
    number = side_by_side("3862", 0)
    (answer,) = draw(number | {"order": [0, 2, 3, 1]})
    assert answer["text"].replace(" ", "") == "3862"


def test_a_stroke_that_joins_two_digits_is_cut(draw):
    answers = draw(*(side_by_side(number, -10, linked=True) for number in ("23", "36")))
    assert [answer["text"] for answer in answers] == ["23", "36"]


MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
SLASH = {"lines": [[[70, -10], [35, 70], [0, 150]]]}
OPEN = {"lines": [[[30, -8], [8, 30], [2, 70], [8, 112], [30, 150]]]}
COMMA = {"lines": [[[14, 122], [12, 138], [2, 162]]]}
CROSS = {"lines": [[[0, 60], [30, 95], [62, 130]], [[60, 62], [30, 96], [2, 132]]]}
SIGNS = [
    ([THREE, DOT | {"x": 130, "y": 65}, ONE | {"x": 230}, FOUR | {"x": 350}], "3.14"),
    ([DASH | {"x": -180}, FOUR], f"{MINUS}4"),
    ([DASH | {"x": -145}, FOUR], f"{MINUS}4"),  # it touches
    ([THREE, DASH | {"x": 110}, BAR | {"x": 145, "y": -35}, FOUR | {"x": 300}], "3+4"),
    ([THREE, DASH | {"x": 110}, DASH | {"x": 110, "y": 30}, THREE | {"x": 300}], "3=3"),
    ([ONE, DOT | {"x": 90}, DOT | {"x": 90, "y": 50}, THREE | {"x": 190}], "1:3"),
    ([THREE, COMMA | {"x": 90, "y": -50}, FOUR | {"x": 230}], "3,4"),
    ([THREE, CROSS | {"x": 110, "y": -100}, FOUR | {"x": 300}], f"3{TIMES}4"),
]


@pytest.mark.parametrize(("parts", "text"), SIGNS, ids=[*".-_+=:,x"])
def test_signs_are_read_and_make_no_digit_less_sure(draw, parts, text):
    digits = [part for part in parts if "number" in part]
    answer, alone = draw({"parts": parts, "width": 14}, {"parts": digits, "width": 14})
    assert answer["text"] == text and not answer["unread"]
    assert answer["confidence"] == pytest.approx(alone["confidence"], abs=0.002)


@pytest.mark.parametrize("sign", [SLASH, OPEN, COMMA, CROSS], ids=[*"/(,x"])
def test_a_sign_is_no_sure_one(draw, sign):
    alone, beside = draw(
        {"parts": [sign], "width": 14},
        {"parts": [THREE, sign | {"x": 120, "y": -70}, FOUR | {"x": 300}], "width": 14},
    )
    assert alone["unsure"] and alone["text"] != "11"
    assert beside["unsure"] or "1" not in beside["text"]


@pytest.mark.parametrize("lean", [0, 20, 35])
def test_a_one_that_leans_a_little_is_sure(draw, lean):
    (answer,) = draw(lines([[lean, 0], [lean / 2, 70], [0, 140]]))
    assert answer["text"] == "1" and not answer["unsure"]


def test_a_heart_beside_a_digit_stays_unread(draw):
    heart = [[0, 40], [-30, 0], [-55, 30], [0, 110], [55, 30], [30, 0], [0, 40]]
    (answer,) = draw({"parts": [THREE, {"lines": [heart], "x": 200, "y": -60}], "width": 14})
    assert answer["unsure"]


def test_lines_and_wide_gaps_are_kept(draw):
    parts = [{"number": "48 16/307"}]
    (answer,) = draw({"parts": parts})
    assert answer["text"] == "48 16 / 307" and not answer["unsure"]


def test_nothing_but_signs_is_no_number(draw):
    for answer in draw({"parts": [DOT], "width": 14}, {"parts": [DASH], "width": 14}):
        assert answer["text"] == "" and answer["confidence"] == 0


def test_what_was_asked_is_not_asked_again(draw):
    (answer,) = draw(side_by_side("4725", -25))
    assert answer["asked"] > 4 and answer["more"] == 0
