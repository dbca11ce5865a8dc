"""Photos read in the browser: what Python finds with the same detector, and the same answer."""

import json
from functools import partial

import cv2
import numpy as np
import pytest
from browsers import needs_node, run_in_node

from conftest import png
from digits.data.made_pages.drawing import OTHER, Hand, Page, Strokes
from digits.data.picture_files import read_grey
from digits.page.detector import MOST, as_bytes
from digits.page.network import as_network
from digits.reading import geometry
from digits.reading.detector import deciding
from digits.reading.detector.finding import MARGIN, look
from digits.reading.detector.network import build_detector, network_of
from digits.reading.geometry import to_working_size
from digits.reading.results import Reading
from digits.training.detector.windows import truths

CALIBRATION = np.array([0.6, 0.1, 0.1, -0.1, 0.5, -0.1, -6.0])
pytestmark = needs_node

START = """
import { existsSync, readFileSync } from "node:fs";
import { readPage } from "./detector_deciding.js";
import { look } from "./detector_finding.js";
import { openDetector } from "./detector_network.js";
import { pageOf } from "./grey.js";
import { readNetwork } from "./network.js";
const bytes = (name) => new Uint8Array(readFileSync(name)).buffer;
const detector = openDetector(bytes("detector"));
const [height, width] = JSON.parse(readFileSync("shape"));
const page = { values: new Uint8Array(bytes("page")), width, height };
"""


@pytest.fixture(scope="module")
def detector():
    """One with made weights, of which 8 bits are enough for each."""
    model, rng = build_detector(trained=True), np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights:
            kernel, *bias = layer.get_weights()
            values = rng.integers(-MOST, MOST + 1, kernel.shape)
            values[0, 0, 0] = MOST
            scale = np.float32(2.4 / MOST / np.sqrt(kernel[..., 0].size))
            bias = [rng.normal(0, 0.2, array.shape) for array in bias]
            layer.set_weights([np.float32(values) * scale, *bias])
    return model


def in_the_browsers_language(detector, page, folder, script, **files):
    """Return what the page's scripts make of a page, (height, width) uint8."""
    files |= {"page": page.tobytes(), "detector": as_bytes(detector, CALIBRATION)}
    files["shape"] = json.dumps(page.shape).encode()
    return run_in_node(folder, START + script, **files)


LOOK = """
const placesOn = ({ width, height }) => {
  const placeOf = (_, i) => [Math.floor(i / width), i % width];
  return Array.from({ length: width * height }, placeOf);
};
console.log(JSON.stringify(look(page, detector).map((level) => {
  const [cells, pixels] = [placesOn(level.heat), placesOn(level.grey)];
  return {
    scale: level.scale,
    heat: Array.from(level.heat.values),
    size: cells.flatMap((cell) => level.size(...cell)),
    ink: pixels.map((pixel) => level.ink(...pixel)),
    way: pixels.map((pixel) => level.way(...pixel)).flatMap(({ down, right }) => [down, right]),
  };
})));
"""


def test_the_network_sees_what_it_sees_in_python(detector, tmp_path):
    rng = np.random.default_rng(1)
    page = np.full((45, 62), 200, "uint8")
    page[3:-3, 3:-3] += rng.integers(0, 32, (39, 56), "uint8")
    page[10:30, 20:24] = 60
    here = look(page, network_of(detector))
    there = in_the_browsers_language(detector, page, tmp_path, LOOK)
    assert len(there) == len(here)
    assert np.ptp(here[0].heat) > 0.1, "it sees something"
    for seen, level in zip(there, here, strict=True):
        assert seen["scale"] == level.scale
        for name in ("heat", "size", "ink", "way"):
            values = getattr(level, name).ravel()
            np.testing.assert_allclose(seen[name], values, rtol=1e-3, atol=1e-3)


READ = """
const model = readNetwork(bytes("model"));
const see = (_, height, width) => {
  const map = (name, side, channels) => {
    const [rows, columns, file] = [height / side, width / side, `${name} of ${height}x${width}`];
    const blank = () => new Float32Array(rows * columns * channels).fill(-9);
    const values = existsSync(file) ? new Float32Array(bytes(file)) : blank();
    return { values, channels, height: rows, width: columns };
  };
  return { centre: map("centre", 4, 3), ink: map("ink", 2, 7) };
};
console.log(JSON.stringify(readPage(page, { ...detector, see }, (image) => model.run(image))));
"""


def page_of_digits(digits) -> Page:
    _, (x_test, y_test) = digits
    strokes = Strokes(x_test[:40], y_test[:40])
    page = Page(np.ones((512, 704, 3), "float32"), right=np.inf, lines=[])
    hand = Hand(strokes, np.random.default_rng(3), 32, 0.1, (0.1, 0.1, 0.3), 0, 0.3, grain=0.6)
    for row, count in enumerate((6, 3, 8)):
        page.lines.append("")
        page.number(hand, 60, 80 + 120 * row, count)
    page.stroke([(240, 190), (262, 190)], 4, (0.1, 0.1, 0.3), mark=OTHER)  # a minus
    return page


def blank(sheet):
    """What a network says that sees nothing."""
    height, width = sheet.shape[1:3]
    sides = {"centre": (4, 3), "ink": (2, 7)}
    return {
        name: np.full((1, height // side, width // side, count), -9, "float32")
        for name, (side, count) in sides.items()
    }


def all_on(marks, sizes, closely=True):
    """What a perfect network says of a sheet with these marks on it, and that sheet's shape."""
    sheets = []
    level, *_ = look(
        (marks > 0).astype("uint8"), lambda sheet: sheets.append(sheet) or blank(sheet), closely
    )
    marks = cv2.resize(marks, level.grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    sizes = level.scale * sizes
    maps, (rows, columns) = blank(sheets[0]), (side - side % 4 for side in marks.shape)
    centre, ink = truths(np.ascontiguousarray(marks[:rows, :columns]), sizes)
    there = maps["centre"][0, MARGIN // 4 :, MARGIN // 4 :][: rows // 4, : columns // 4]
    there[..., 0], there[..., 1:] = logit(centre[..., 0]), centre[..., 1:3]
    there = maps["ink"][0, MARGIN // 2 :, MARGIN // 2 :][: rows // 2, : columns // 2]
    there[..., :5], there[..., 5:] = logit(ink[..., :5]), ink[..., 5:7]
    return sheets[0].shape[1:3], maps


def logit(p):
    p = p.clip(1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def moved(marks, back, shape):
    """Marks where `back` leads to them."""
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(marks, back[:2], shape[::-1], flags=how)


@pytest.mark.parametrize("placed", ["upright", "on its side", "tilted"])
def test_a_page_is_read_as_in_python(placed, detector, shipped, digits, tmp_path, monkeypatch):
    page = page_of_digits(digits)
    noise = np.random.default_rng(4).normal(0, 4, page.marks.shape)
    grey = (225 * page.pixels.mean(axis=2) + noise).clip(0, 255).astype("uint8")
    marks, boxes = page.marks, np.array(page.boxes)
    sizes = boxes[:, 2:] - boxes[:, :2]
    if placed == "tilted":
        grey, back = geometry.rotate(grey, -0.1, 225)
        marks = moved(marks, back, grey.shape)
    # Of a tilted page it sees two lines of three, so that the level one is better.
    there = np.where(marks > 9, 0, marks) if placed == "tilted" else marks
    maps = dict([all_on(there, sizes), all_on(there, sizes, closely=False)])
    if placed == "on its side":
        grey = np.ascontiguousarray(np.rot90(grey, -1))

    def rotate(image, *how):
        image, back = geometry.rotate(image, *how)
        maps.update([all_on(moved(marks, back, image.shape), sizes)])
        return image, back

    def perfect(sheet):
        return maps.get(sheet.shape[1:3], blank(sheet))

    monkeypatch.setattr(deciding, "rotate", rotate)
    monkeypatch.setattr(deciding, "_seen", partial(deciding._seen, network=perfect))
    monkeypatch.setattr(deciding, "load_calibration", lambda with_model: CALIBRATION)
    here = deciding.read_page(Reading("page"), grey, np.eye(3), shipped)
    assert here.digits == "".join(page.lines), "a perfect network finds them all"
    files = {
        f"{name} of {rows}x{columns}": values.tobytes()
        for (rows, columns), seen in maps.items()
        for name, values in seen.items()
    }
    files |= {"model": as_network(shipped)}
    there = in_the_browsers_language(detector, grey, tmp_path, READ, **files)
    assert there["digits"] == here.digits
    lines = [[group["digits"] for group in line] for line in here.as_dict()["lines"]]
    assert [[group["digits"] for group in line] for line in there["lines"]] == lines
    assert [box["box"] for box in there["boxes"]] == [list(answer.box) for answer in here.answers]
    assert there["unread"] == here.as_dict()["unread"] and len(there["unread"]) == 1
    assert abs(there["confidence"] - here.confidence) < 1e-3
    for box, answer in zip(there["boxes"], here.answers, strict=True):
        assert np.abs(np.array(box["seen"], int) - answer.digit.image.ravel()).max() <= 1


GREY = """
const pixels = new Uint8Array(bytes("pixels"));
const [rows, columns] = JSON.parse(readFileSync("size"));
const made = pageOf({ data: pixels, width: columns, height: rows }, detector.settings);
console.log(JSON.stringify({ values: Array.from(made.values), shape: [made.height, made.width] }));
"""


@pytest.mark.parametrize("what", ["reduced", "red on green", "small"])
def test_a_picture_becomes_the_grey_page_of_python(what, detector, tmp_path, monkeypatch):
    monkeypatch.setattr(geometry, "PIXELS", 30_000)
    rng = np.random.default_rng(2)
    shape = (60, 61, 3) if what == "small" else (211, 320, 3)
    picture = cv2.GaussianBlur(rng.integers(0, 256, shape, "uint8"), (0, 0), 3)
    if what == "red on green":  # as bright as each other
        picture[:], picture[60:90, 40:200] = (40, 120, 40), (160, 58, 40)
    grey = read_grey(png(picture))
    expected, _ = to_working_size(grey, enlarge=False)
    alpha = np.full((*shape[:2], 1), 255, "uint8")
    files = {"pixels": np.concatenate([picture, alpha], axis=2).tobytes()}
    files["size"] = json.dumps(shape[:2]).encode()
    made = in_the_browsers_language(detector, grey, tmp_path, GREY, **files)
    assert made["shape"] == list(expected.shape)
    difference = np.abs(np.reshape(made["values"], expected.shape) - expected.astype(int))
    assert difference.max() <= 1
