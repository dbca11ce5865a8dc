"""What each convolution makes of a digit, and which pixels speak for it, for any model."""

import keras
import numpy as np
import pytest

from conftest import drawn_seven
from digits.model import feature_maps

layers = keras.layers
SEVEN = drawn_seven(28, 2, ink=255, paper=0)


def ends_in_ten(x):
    return layers.Dense(10, "softmax")(layers.Flatten()(x))


def nested():
    block = keras.Sequential([layers.Input((28, 28, 1)), layers.Conv2D(3, 5, name="in_a_block")])
    x_in = layers.Input((24, 24, 3))
    functional = keras.Model(x_in, layers.DepthwiseConv2D(3, name="in_a_model")(x_in))
    pixels = layers.Input((28, 28, 1))
    return keras.Model(pixels, ends_in_ten(functional(block(pixels))))


def residual():
    pixels = layers.Input((28, 28))
    x = layers.Conv2D(2, 3, padding="same", name="first")(layers.Reshape((28, 28, 1))(pixels))
    y = layers.Conv2D(2, 3, padding="same", name="second")(x)
    return keras.Model(pixels, ends_in_ten(layers.Add()([x, y])))


def dense():
    return keras.Sequential([layers.Input((28, 28)), layers.Flatten(), layers.Dense(10, "softmax")])


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (nested, {"in_a_block": (3, 24, 24), "in_a_model": (3, 22, 22)}),
        (residual, {"first": (2, 28, 28), "second": (2, 28, 28)}),
        (dense, {}),
    ],
)
def test_the_maps_of_every_convolution_are_found(build, shapes):
    maps = feature_maps.FeatureMaps(build())(SEVEN)
    assert {name: values.shape for name, values in maps} == shapes


def test_the_maps_are_what_the_layer_gives(shipped):
    (name, maps), *_ = feature_maps.FeatureMaps(shipped)(SEVEN)
    layer = keras.Model(shipped.inputs, shipped.get_layer(name).output)
    expected = keras.ops.convert_to_numpy(layer(SEVEN.reshape(1, 28, 28, 1).astype("float32")))
    np.testing.assert_allclose(maps, expected[0].transpose(2, 0, 1), atol=1e-5)


def test_what_speaks_for_the_answer_and_against_it():
    """A model that looks at two places alone: ink in one is for a 3, in the other against it."""
    model = keras.Sequential(
        [layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, "softmax")]
    )
    weights = np.zeros((28, 28, 10))
    weights[5:9, 5:9, 3], weights[20:24, 20:24, 3] = 0.003, -0.001
    model.layers[-1].set_weights([weights.reshape(784, 10), np.zeros(10)])
    evidence = feature_maps.evidence(model, np.full((28, 28), 255, "uint8"))
    assert np.unravel_index(evidence.argmax(), evidence.shape) in [(6, 6), (6, 7), (7, 6), (7, 7)]
    assert evidence.max() == pytest.approx(1) and evidence[22, 22] < -0.2
    assert abs(evidence[6, 22]) < 0.05


def test_an_empty_picture_has_no_evidence(shipped):
    assert not feature_maps.evidence(shipped, np.zeros((28, 28), "uint8")).any()
