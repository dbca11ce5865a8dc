"""The model in the browser: the same probabilities as Keras's, or none where it cannot run it."""

import json
import shutil
import subprocess

import keras
import numpy as np
import pytest

from conftest import ROOT
from digits.model import predict
from digits.page import network
from digits.page.network import as_network

NODE = shutil.which("node")
STATIC = ROOT / "digits" / "page" / "static"
layers = keras.layers
needs_node = pytest.mark.skipif(not NODE, reason="needs Node: install Debian's package nodejs")

RUN = """
import { readFileSync } from "node:fs";
import { readNetwork } from "./network.mjs";
const bytes = (name) => new Uint8Array(readFileSync(name));
const { run } = readNetwork(bytes("network").buffer);
const images = bytes("images");
const answers = [];
for (let at = 0; at < images.length; at += 784) answers.push(run(images.subarray(at, at + 784)));
console.log(JSON.stringify(answers));
"""


def in_the_browsers_language(model, images, folder):
    """Return what network.js makes of images; Node runs it as browsers do."""
    shutil.copy(STATIC / "network.js", folder / "network.mjs")
    (folder / "run.mjs").write_text(RUN)
    (folder / "network").write_bytes(as_network(model))
    images.tofile(folder / "images")
    done = subprocess.run([NODE, "run.mjs"], cwd=folder, capture_output=True, text=True)
    assert not done.stderr
    return np.array(json.loads(done.stdout))


@needs_node
def test_a_thousand_test_digits_get_the_probabilities_of_keras(shipped, digits, tmp_path):
    images = digits[1][0][:1000]
    there = in_the_browsers_language(shipped, images, tmp_path)
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
    np.testing.assert_allclose(there, predict(model, images), atol=1e-5)


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
