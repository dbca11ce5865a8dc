"""The model in the browser: Keras's probabilities, and how each cell of its maps comes about."""

import re

import keras
import numpy as np
import pytest
from browsers import PHONE, axe_finds_nothing, expect, fingers_hit, needs_node, run_in_node

from digits.model import predict
from digits.page import network
from digits.page.export import export_page
from digits.page.network import as_network

layers = keras.layers
assert_close = np.testing.assert_allclose

RUN = """
import { readFileSync } from "node:fs";
import { readNetwork } from "./network.js";
const bytes = (name) => new Uint8Array(readFileSync(name));
const { run } = readNetwork(bytes("network").buffer);
const images = bytes("images");
const answers = [];
for (let at = 0; at < images.length; at += 784) answers.push(run(images.subarray(at, at + 784)));
console.log(JSON.stringify(answers));
"""


def in_the_browsers_language(model, images, folder, script=RUN):
    return run_in_node(folder, script, network=as_network(model), images=images.tobytes())


@needs_node
def test_a_thousand_test_digits_get_the_probabilities_of_keras(shipped, digits, tmp_path):
    images = digits[1][0][:1000]
    there = np.array(in_the_browsers_language(shipped, images, tmp_path))
    assert np.abs(there - predict(shipped, images)).max() < 1e-4


def sequential(*layers_):
    return keras.Sequential([layers.Input((28, 28, 1)), *layers_])


def every_kind():
    pixels = layers.Input((28, 28))
    x = layers.Reshape((28, 28, 1))(layers.Rescaling(1 / 127.5, offset=-1)(pixels))
    x = layers.Conv2D(4, (5, 3), strides=2, padding="same", activation="relu")(x)
    x = layers.BatchNormalization(center=False)(x)
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(layers.ReLU()(x))
    x = layers.Dropout(0.5)(layers.Add()([x, y]) + y)
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = keras.Sequential([layers.Conv2D(6, 2), layers.Activation("relu")])(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Softmax()(layers.Dense(10)(x)))


@needs_node
@pytest.mark.parametrize(
    "build",
    [every_kind, lambda: sequential(layers.Flatten(), layers.Dense(10, activation="softmax"))],
)
def test_every_layer_that_is_known_computes_as_keras_does(build, tmp_path):
    keras.utils.set_random_seed(0)
    model, random = build(), np.random.default_rng(0)
    for weight in model.weights:  # batch normalisation, too, has something to do
        weight.assign(random.uniform(0.1, 0.5, weight.shape))
    images = random.integers(0, 256, (5, 28, 28), "uint8")
    there = in_the_browsers_language(model, images, tmp_path)
    assert_close(there, predict(model, images), atol=1e-5)


def shared():
    pixels = layers.Input((28, 28, 1))
    twice = layers.Conv2D(1, 3, padding="same")
    return keras.Model(pixels, layers.Dense(10, "softmax")(layers.Flatten()(twice(twice(pixels)))))


@pytest.mark.parametrize(
    "build",
    [
        lambda: sequential(layers.Flatten(), layers.LayerNormalization(), layers.Dense(10)),
        lambda: sequential(layers.Flatten(), layers.Dense(10, activation="gelu")),
        lambda: sequential(layers.Conv2D(2, 3, dilation_rate=2), layers.Flatten()),
        shared,
    ],
    ids=["layer", "activation", "setting", "used twice"],
)
def test_what_the_browser_does_not_know_is_left_to_the_server(build):
    assert as_network(build()) is None


def test_a_model_that_is_slow_in_the_browser_is_left_to_the_server(shipped, monkeypatch):
    assert as_network(shipped)
    monkeypatch.setattr(network, "MOST_PRODUCTS", 2_000_000)
    assert as_network(shipped) is None


# ------------------------------------------------------- how a cell comes about

EXPLAIN = """
import { readFileSync } from "node:fs";
import * as made from "./contributions.js";
import { readNetwork } from "./network.js";
const network = readNetwork(new Uint8Array(readFileSync("network")).buffer);
network.run(new Uint8Array(readFileSync("images")));
const stages = made.stagesOf(network).map((stage) => {
  const [height, width, count] = stage.layer.shape;
  const map = count - 1;
  const cellAt = (_, i) => [Math.floor(i / width), i % width];
  const cells = Array.from({ length: height * width }, cellAt);
  const explained = cells.map((cell) => made.explain(stage, map, cell));
  const told = ({ layer, cell, value }) => [layer.name, cell, value];
  const steps = explained.map(({ steps }) => steps.map(told));
  const [peak, parts] = [made.peak(stage.layer, map), Array.from(made.partsOf(stage, map))];
  return { conv: stage.conv.name, map, cells, explained, steps, peak, parts };
});
const parts = Array.from(made.partsOfAnswer(network, made.stagesOf(network).at(-1), 3));
console.log(JSON.stringify({ stages, parts }));
"""


def shifted_by_strides():
    """Windows of which some cells of the input are in none, and pooling before the activation."""
    first = [layers.Rescaling(1 / 255), layers.Conv2D(3, (5, 3), strides=(2, 3))]
    then = [layers.AveragePooling2D((3, 2), strides=2), layers.BatchNormalization(), layers.ReLU()]
    last = [layers.Conv2D(4, 2, strides=2), layers.Flatten(), layers.Dense(10), layers.Softmax()]
    return sequential(*first, *then, *last)


def padded_to_the_same_size():
    """Windows that reach beyond the edges, more on one side than on the other."""
    first = [layers.Rescaling(1 / 255), layers.Conv2D(3, (4, 3), strides=(1, 2), padding="same")]
    then = [layers.BatchNormalization(), layers.ReLU()]
    then += [layers.MaxPooling2D(3, strides=2, padding="same")]
    last = [layers.Conv2D(4, 4, padding="same"), layers.GlobalAveragePooling2D()]
    return sequential(*first, *then, *last, layers.Dense(10), layers.Softmax())


@needs_node
@pytest.mark.parametrize("build", [shifted_by_strides, padded_to_the_same_size])
def test_every_cell_is_explained_with_the_numbers_of_keras(build, tmp_path):
    keras.utils.set_random_seed(0)
    model, random = build(), np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.uniform(0.1, 0.5, weight.shape) - ("kernel" in weight.name) * 0.3)
    image = random.integers(0, 256, (1, 28, 28), "uint8")
    there = in_the_browsers_language(model, image, tmp_path, EXPLAIN)
    every = keras.Model(model.inputs, [(layer.input, layer.output) for layer in model.layers])
    pairs = every(image[..., None])
    inputs, outputs = (
        {layer.name: np.array(pair[i])[0] for layer, pair in zip(model.layers, pairs, strict=True)}
        for i in (0, 1)
    )
    assert len(there["stages"]) == 2
    for stage in there["stages"]:
        conv, number = model.get_layer(stage["conv"]), stage["map"]
        kernel = np.array(conv.kernel)[..., number]
        patches = keras.ops.image.extract_patches(  # Keras's own windows
            inputs[conv.name], kernel.shape[:2], conv.strides, padding=conv.padding
        )
        patches = np.array(patches).reshape(*patches.shape[:2], *kernel.shape)
        last = outputs[stage["steps"][0][-1][0]]
        assert len(stage["cells"]) == last.shape[0] * last.shape[1]
        told = zip(stage["cells"], stage["explained"], stage["steps"], strict=True)
        for cell, one, steps in told:
            assert steps[-1][1] == cell  # down to exactly this cell
            for name, (y, x), value in steps:
                assert value == pytest.approx(outputs[name][y, x, number], abs=1e-5)
            y, x = steps[0][1]
            assert_close(one["patch"], patches[y, x].ravel(), atol=1e-6)
            assert_close(one["weights"], kernel.ravel(), atol=1e-6)
            assert_close(one["products"], (patches[y, x] * kernel).ravel(), atol=1e-6)
            assert one["sum"] + one["bias"] == pytest.approx(steps[0][2], abs=1e-5)
        y, x = stage["peak"]
        assert last[y, x, number] == last[..., number].max()
        y, x = stage["steps"][y * last.shape[1] + x][0][1]
        assert_close(stage["parts"], (patches[y, x] * kernel).sum(axis=(0, 1)), atol=1e-5)
    dense = model.layers[-2]
    answer = outputs[dense.name][3]
    assert np.sum(there["parts"]) + float(dense.bias[3]) == pytest.approx(answer, abs=1e-5)


SHADES = """
import { shade } from "./network_painting.js";
console.log(JSON.stringify([-1, -1e-9, 0, 1e-9, 1].map(shade)));
"""


@needs_node
def test_only_what_is_zero_is_painted_as_off(shipped, tmp_path):
    image = np.zeros((1, 28, 28), "uint8")
    shades = in_the_browsers_language(shipped, image, tmp_path, SHADES)
    shades = np.array(shades, "<u4").view("uint8").reshape(5, 4).astype(int)
    assert (shades[:, 3] == 255).all()
    *against, off, little, much = shades[:, :3]
    assert all(np.abs(off - one).max() > 50 for one in (*against, little, much))
    assert off[2] < little[2] < much[2]


# ------------------------------------------------------------------ on the page

PROBE = """
    window.frames_asked = 0;
    window.pace = PACE; // of the page's clock
    const now = performance.now.bind(performance);
    performance.now = () => pace * now();
    const ask = requestAnimationFrame;
    window.requestAnimationFrame = (what) => (frames_asked++, ask(what));
"""
SHOWN = "document.querySelector('#network').toDataURL()"
slow = pytest.mark.slow


@pytest.fixture
def open_page(open_in_chromium, shipped, tmp_path):
    """Open the page as one file."""
    address = export_page(shipped, tmp_path).as_uri()

    def open_page(width=1280, height=720, pace=1, **options):
        phone = PHONE if min(width, height) < 500 else {}
        script = PROBE.replace("PACE", str(pace))
        page = open_in_chromium(address, width, height, script, **phone, **options)
        says(page, "an example")
        return page

    return open_page


def says(page, words):
    expect(page.locator("#caption")).to_contain_text(words)


def is_still(page):
    """Whether nothing more is painted, after what moves has had its two seconds."""
    page.wait_for_timeout(2500)
    before = page.evaluate("frames_asked")
    page.wait_for_timeout(500)
    return page.evaluate("frames_asked") == before


def open_map(page):
    page.locator("#network").press("ArrowRight")
    page.locator("#place").wait_for()


def place_of(page):
    """The cell that the panel shows, from 0, and the value it gives."""
    label = page.locator("#to").get_attribute("aria-label")
    row, column = (int(number) - 1 for number in re.findall(r"\d+", label)[:2])
    return row, column, float(page.locator("#steps b").last.inner_text()[2:].replace("\u2212", "-"))


@slow
def test_an_example_is_written_until_the_pen_comes_and_again_after_clear(open_page):
    page = open_page(pace=0.02)
    canvas = page.locator("#network")
    for _ in range(2):
        assert "pale" in canvas.get_attribute("class")
        assert page.locator("#ghost").is_visible()
        early = page.evaluate(SHOWN)
        page.evaluate("pace = 1")
        assert is_still(page)
        assert page.evaluate(SHOWN) != early  # it was being written
        page.locator("#examples button").nth(1).click()
        says(page, "a 6 with")
        assert "pale" not in canvas.get_attribute("class")
        assert page.locator("#ghost").is_hidden()
        assert is_still(page)
        page.evaluate("pace = 0.02")
        page.keyboard.press("Delete")
        says(page, "an example")


@slow
def test_it_follows_the_chosen_digit(open_page):
    page = open_page()
    page.locator("#examples button").nth(1).click()
    says(page, "a 6 with")
    before = page.evaluate(SHOWN)
    page.locator(".card").nth(1).click()
    says(page, "a 0 with")
    assert page.evaluate(SHOWN) != before


SCREENS = [(360, 740), (390, 844), (844, 390), (820, 1180), (1280, 720), (2560, 1440)]


@slow
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_it_is_in_sight_on_every_screen(open_page, width, height):
    page = open_page(width, height)
    strip = page.locator(".strip").bounding_box()
    field = page.locator("#field").bounding_box()
    assert strip["height"] > 100
    assert strip["y"] + strip["height"] <= height
    beside = strip["x"] >= field["x"] + field["width"]
    assert beside if width > height else strip["y"] > field["y"] + field["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_map(page)
    heights = set()
    for _ in range(10):  # while the window slides
        heights.add(page.locator("#place").bounding_box()["height"])
        page.wait_for_timeout(100)
    assert len(heights) == 1
    panel = page.locator("#place").bounding_box()
    strip = page.locator(".strip").bounding_box()
    assert panel["y"] >= strip["y"] + strip["height"]  # it covers no map
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@slow
def test_a_click_on_a_cell_shows_how_it_comes_about(open_page, shipped):
    page = open_page(reduced_motion="reduce")
    page.locator("#network").focus()
    page.keyboard.press("Enter")
    assert "conv_1: map 1 of 16" in page.locator("#which").inner_text()
    assert page.evaluate("document.activeElement.id") == "to"
    seen = page.evaluate(
        """async () => {
            const { write } = await import("examples.js");
            const { digitImage, smooth } = await import("digit_image.js");
            return Array.from(digitImage(write("3").map(smooth)));
        }"""
    )
    maps = keras.Model(shipped.inputs, shipped.get_layer("relu_1").output)
    maps = np.array(maps(np.array(seen, "float32").reshape(1, 28, 28, 1)))[0]
    row, column, _ = place_of(page)
    assert maps[row, column, 0] == maps[..., 0].max()
    for key, down, right in (("ArrowDown", 1, 0), ("ArrowLeft", 0, -1), ("ArrowUp", -1, 0)):
        page.keyboard.press(key)
        row, column = row + down, column + right
        assert place_of(page)[:2] == (row, column)
        assert place_of(page)[2] == pytest.approx(maps[row, column, 0], abs=0.006)
    box = page.locator("#to").bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.54, box["y"] + box["height"] * 0.46, steps=3)
    page.mouse.up()
    assert place_of(page)[:2] == (5, 6)
    box = page.locator("#from").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 1, box["y"] + 1)  # on the other side
    assert place_of(page)[:2] == (0, 11)
    page.locator("#previous").click()
    assert "map 16 of 16" in page.locator("#which").inner_text()  # every map can be reached
    page.keyboard.press("Escape")
    assert page.locator("#place").is_hidden()
    assert page.evaluate("document.activeElement.id") == "network"


@slow
def test_the_window_slides_for_two_seconds_and_rests(open_page):
    page = open_page()
    assert is_still(page)
    page.evaluate("pace = 0.1")
    open_map(page)
    early = place_of(page)
    page.wait_for_timeout(1000)
    assert place_of(page) != early
    page.evaluate("pace = 1")
    assert is_still(page)


@slow
def test_nothing_moves_for_who_asked_for_that(open_page):
    page = open_page(reduced_motion="reduce")
    expect(page.locator("#number")).to_have_css("transition-duration", "0s")
    expect(page.locator("#number")).to_have_css("transition-delay", "0s")
    before = page.evaluate(SHOWN)
    open_map(page)
    place = place_of(page)
    page.wait_for_timeout(300)
    assert place_of(page) == place
    page.keyboard.press("Escape")
    page.wait_for_timeout(100)
    assert page.evaluate(SHOWN) == before


@slow
@pytest.mark.parametrize("look", [("light", None), ("dark", None), ("light", "active")])
def test_the_panel_is_for_everybody(open_page, look):
    scheme, forced = look
    page = open_page(390, 844, color_scheme=scheme, forced_colors=forced)
    open_map(page)
    page.wait_for_timeout(2500)
    assert axe_finds_nothing(page) and fingers_hit(page, "#place button")
    page.locator("#to").tap(position={"x": 80, "y": 4})
    assert place_of(page)[:2] == (0, 11)
