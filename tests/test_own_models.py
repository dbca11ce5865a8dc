"""Whatever Keras's own layers build is trained, saved, rebuilt and used like the model here."""

import json
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from test_resume import train

import cnn
from conftest import ROOT, refuses
from digits.command_line import ModelWarning, UserError
from digits.model import allowed, checks, loading, saving
from digits.model.evaluation import predict
from digits.model.trial import trial_of
from digits.reading import read
from digits.training import calibrate

layers = keras.layers
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype("uint8")


def chain(*parts, shape=(28, 28, 1), end=None):
    end = end or [layers.Flatten(), layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input(shape), layers.Rescaling(1 / 255), *parts, *end])


def conv(**settings):
    return layers.Conv2D(4, 3, strides=2, **settings)


def residual():
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(image / 255)
    y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.add([x, y])
    y = keras.ops.relu(layers.Conv2D(8, 3, padding="same")(x)[:, 1:-1, 1:-1])
    x = layers.GlobalAveragePooling2D()(x[:, 1:-1, 1:-1] + y)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def branches():
    image = keras.Input((28, 28, 1))
    both = [conv()(image), layers.Conv2D(2, 5, strides=2, padding="same")(image)]
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x) for x in both])
    return keras.Model(image, layers.Dense(10)(x))


def shared():
    image = keras.Input((28, 28))
    relu, dense = layers.Activation("relu"), layers.Dense(28)
    x = relu(dense(relu(dense(layers.Rescaling(1 / 255)(image)))))
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))


def attention():
    rows = keras.Input((28, 28))
    x = layers.Dense(16)(layers.Rescaling(1 / 255)(rows))
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(rows, layers.Dense(10, activation="softmax")(x))


def without_an_input():
    return keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])


MODELS = {
    "sigmoid": lambda: chain(layers.Flatten(), layers.Dense(16, activation="sigmoid")),
    "tanh": lambda: chain(layers.Flatten(), layers.Dense(16, activation="tanh"), shape=(28, 28)),
    "gelu": lambda: chain(conv(activation="gelu")),
    "leaky": lambda: chain(conv(), layers.LeakyReLU(), conv(activation=layers.LeakyReLU())),
    "prelu": lambda: chain(conv(), layers.PReLU(shared_axes=[1, 2])),
    "average pooling": lambda: chain(conv(), layers.AveragePooling2D(2)),
    "global pooling": lambda: chain(conv(), layers.GlobalMaxPooling2D()),
    "adaptive pooling": lambda: chain(conv(), layers.AdaptiveAveragePooling2D(4)),
    "separable": lambda: chain(layers.SeparableConv2D(4, 3), layers.DepthwiseConv2D(3)),
    "padding": lambda: chain(layers.ZeroPadding2D(2), conv(), layers.Cropping2D(1)),
    "layer norm": lambda: chain(conv(), layers.LayerNormalization()),
    "group norm": lambda: chain(conv(), layers.GroupNormalization(2)),
    "batch norm": lambda: chain(conv(use_bias=False), layers.BatchNormalization()),
    "spectral norm": lambda: chain(layers.SpectralNormalization(conv())),
    "spatial dropout": lambda: chain(conv(), layers.SpatialDropout2D(0.2)),
    "rotation": lambda: chain(layers.RandomRotation(0.05), layers.RandomZoom(0.1), conv()),
    "lstm": lambda: chain(layers.LSTM(8), shape=(28, 28)),
    "both ways": lambda: chain(layers.Bidirectional(layers.GRU(8)), shape=(28, 28)),
    "cells": lambda: chain(layers.RNN([layers.LSTMCell(8), layers.GRUCell(4)]), shape=(28, 28)),
    "unrolled": lambda: chain(layers.SimpleRNN(8, unroll=True), shape=(28, 28)),
    "each row": lambda: chain(layers.TimeDistributed(layers.Dense(4)), shape=(28, 28)),
    "l2": lambda: chain(conv(kernel_regularizer="l2", kernel_constraint="max_norm")),
    "he": lambda: chain(conv(kernel_initializer=keras.initializers.HeNormal())),
    "upwards": lambda: chain(conv(), layers.Conv2DTranspose(2, 3), layers.UpSampling2D(2)),
    "resizing": lambda: chain(layers.Resizing(14, 14), layers.Normalization(mean=0.1, variance=1)),
    "einsum": lambda: chain(layers.EinsumDense("abc,cd->abd", (28, 8)), shape=(28, 28)),
    "reshape": lambda: chain(
        layers.Reshape((784,)), layers.RepeatVector(2), layers.Permute((2, 1))
    ),
    "half precision": lambda: chain(conv(dtype="mixed_float16")),
    "softmax layer": lambda: chain(end=[layers.Flatten(), layers.Dense(10), layers.Softmax()]),
    "softmax by name": lambda: chain(
        end=[layers.Flatten(), layers.Dense(10), layers.Activation("softmax")]
    ),
    "bounded before the end": lambda: chain(
        end=[layers.Flatten(), layers.Dense(10, activation="tanh"), layers.Softmax()]
    ),
    "nested": lambda: chain(keras.Sequential([conv(), layers.BatchNormalization()])),
    "residual": residual,
    "nested graph": lambda: chain(branches(), end=[layers.Softmax()]),
    "shared": shared,
    "attention": attention,
    "without an input": without_an_input,
}


SLOW = ("lstm", "both ways", "cells", "unrolled", "separable", "upwards")  # to build or to ask


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in MODELS]
)
def test_a_pair_of_it_gives_the_same_probabilities(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    checks.check_model(model)
    saving.save_model(model, tmp_path)
    rebuilt = loading.load_model(tmp_path)
    np.testing.assert_allclose(predict(rebuilt, IMAGES), predict(model, IMAGES), atol=1e-6)


@pytest.mark.parametrize("name", ["rotation", "nested graph", "without an input"])
def test_a_pair_that_plain_keras_saved_opens(name, tmp_path):
    model = MODELS[name]()
    metrics, loss = ["accuracy"], "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=metrics, run_eagerly=True)  # sooner done
    # All batches have one size: Keras takes it for that of the input.
    model.fit(IMAGES[..., None], np.arange(20) % 10, batch_size=10, verbose=0)
    expected = predict(model, IMAGES)
    (tmp_path / "model.json").write_text(model.to_json())
    for save, file in ((model.save, "model.h5"), (model.save_weights, "model.weights.h5")):
        save(tmp_path / file)
        (tmp_path / file).replace(tmp_path / "model.h5")
        rebuilt = loading.load_model(tmp_path)
        np.testing.assert_allclose(predict(rebuilt, IMAGES), expected, atol=1e-6)


# ------------------------------------------------------------------ what is refused

# What a description may not name: Keras's own layers and others.
LAYERS = """
    Lambda JaxLayer FlaxLayer TorchModuleWrapper TFSMLayer StringLookup IntegerLookup
    TextVectorization Hashing HashedCrossing STFTSpectrogram MelSpectrogram MaxNumBoundingBoxes
    Pipeline Layer Wrapper
    """.split()  # noqa: SIM905
OTHERS = """
    keras.Model keras.initializers.STFT keras.dtype_policies.QuantizedDTypePolicy
    keras.src.ops.core.Map keras.optimizers.Adam keras.utils.get_file
    keras.config.enable_unsafe_deserialization builtins.function os.system my_package.Dense
    __lambda__ __typespec__ __numpy__ Dense
    """.split()  # noqa: SIM905


@pytest.fixture
def nothing_is_built(monkeypatch):
    def build(*_):
        raise AssertionError("it was built")

    monkeypatch.setattr(keras.models, "model_from_json", build)


@pytest.mark.parametrize("place", ["layer", "within"])
def test_what_may_hold_code_or_files_is_refused_unbuilt(place, fresh, nothing_is_built):
    file = fresh / "model.json"
    whole = file.read_text()
    assert set(dir(layers)) >= set(LAYERS)
    for name in [f"keras.layers.{name}" for name in LAYERS] + OTHERS:
        module, _, name = name.rpartition(".")
        architecture = json.loads(whole)
        layer = architecture["config"]["layers"][2]
        part = {"module": module or None, "class_name": name, "config": {}, "registered_name": None}
        if place == "layer":
            layer.update(part)
        else:
            layer["config"]["kernel_initializer"] = part
        file.write_text(json.dumps(architecture))
        words = f"model.json asks for .*{name}, which is not allowed"
        assert refuses(loading.load_model, fresh, words)


def test_a_registered_class_is_refused(fresh, nothing_is_built):
    @keras.saving.register_keras_serializable("mine", "Dense")
    class Mine(layers.Dense):
        pass

    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), Mine(10)])
    with pytest.raises(allowed.Refused, match="asks for test_own_models"):
        checks.check_model(model)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (layers.Dense(10), "add up to .* and not to 1; let it end in softmax"),
        (layers.Dense(10, activation="sigmoid"), "let it end in softmax"),
        (layers.Dense(7, activation="softmax"), "gives 7 instead of ten probabilities"),
        (layers.Reshape((28, 28)), "gives 28x28 instead"),
        (layers.Dense(10, kernel_initializer=keras.initializers.Constant(np.nan)), "NaN"),
    ],
)
def test_what_gives_no_ten_probabilities_is_refused(end, reason, tmp_path):
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), end])
    with pytest.raises(allowed.Refused, match=reason):
        checks.check_model(model)
    saving.save_model(model, tmp_path)
    assert refuses(loading.load_model, tmp_path, reason)


INSTEAD = "instead of images of 28x28 pixels; let it beg"


@pytest.mark.parametrize(
    ("shape", "batch_size", "reason"),
    [
        ((32, 32, 1), None, INSTEAD),
        ((28, 28, 3), None, INSTEAD),
        ((784,), None, INSTEAD),
        ((None, None, 1), None, INSTEAD),
        ((28, 28, 1), 32, "batches of one size"),
    ],
)
def test_what_does_not_take_any_number_of_28x28_is_refused(shape, batch_size, reason):
    image = keras.Input(shape, batch_size=batch_size)
    x = layers.GlobalAveragePooling2D()(image) if len(shape) > 1 else image
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
    with pytest.raises(allowed.Refused, match=reason):
        checks.check_model(model)


def large(*parts, shape=(28, 28, 1)):
    image = keras.Input(shape)
    x = image
    for part in parts:
        x = part(x)
    x = layers.GlobalAveragePooling2D()(x) if len(x.shape) == 4 else layers.Flatten()(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def hidden_growth():
    """Layers used many times, the largest of their outputs only in the middle."""
    up, down = layers.UpSampling2D(4), layers.AveragePooling2D(4)
    return large(up, down, up, up, up, up, down, down, down, down)


def steps_of_a_model():
    inner = keras.Sequential(
        [keras.Input((28,)), layers.RepeatVector(10**5), layers.GlobalMaxPooling1D()]
    )
    return large(layers.TimeDistributed(inner), shape=(28, 28))


def compare(x):
    return layers.MultiHeadAttention(100, 1)(x, x)


@pytest.mark.parametrize(
    "model",
    [
        lambda: large(layers.ZeroPadding2D(5000)),
        lambda: large(layers.UpSampling2D(200), layers.AveragePooling2D(200)),
        lambda: large(layers.Resizing(4000, 4000)),
        hidden_growth,
        steps_of_a_model,
        lambda: large(layers.Reshape((784, 1)), compare),
        lambda: large(layers.Conv2D(2, 3, padding="same", dilation_rate=5000)),
    ],
)
def test_what_is_absurdly_large_is_refused(model):
    description = json.loads(model().to_json())
    with pytest.raises(allowed.Refused, match="is too large"):
        checks.check_description(description)
        checks.build(checks.without_training(description))


# ------------------------------------------------------------ training and afterwards


class Net(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units, activation="softmax")

    def call(self, x):
        return self.dense(keras.ops.reshape(x, (-1, 784)))


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (lambda: None, "build_model returns nothing; let it end in: return model"),
        (lambda: Net(10), "a class of its own, Net; only Sequential and functional models"),
        (lambda: Net, "which is no Keras model"),
        (lambda: [layers.Dense(10)], "which is no Keras model"),
        (lambda: chain(end=[layers.Flatten(), layers.Dense(10)]), "would refuse .* end in softmax"),
    ],
)
def test_what_build_model_should_not_return_is_said_before_the_training(
    built, message, monkeypatch, tmp_path
):
    monkeypatch.setattr(cnn, "load_mnist", lambda _: ((IMAGES, IMAGES), (IMAGES, IMAGES)))
    monkeypatch.setattr(cnn, "build_model", built)
    monkeypatch.setattr(cnn, "train", None)
    with pytest.raises(UserError, match=message):
        cnn.main(["--output", str(tmp_path)])


def test_values_that_are_no_weights_get_the_mend():
    rows = keras.Input((28, 28))
    x = layers.Dense(16)(rows)
    x = x + layers.Embedding(28, 16)(keras.ops.arange(28))
    model = keras.Model(rows, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
    with pytest.raises(UserError, match=r"of keras.ops.arange, are not; .*EinsumDense\(") as error:
        checks.check_before_training(model)
    learned = eval("layers." + str(error.value).split("learned: ")[1])
    x = layers.Flatten()(learned(rows))
    checks.check_before_training(keras.Model(rows, layers.Dense(10, activation="softmax")(x)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rotation", "both ways", "residual", "half precision"])
def test_it_is_trained_and_resumed_to_the_same_bytes(name, tmp_path):
    whole = train(tmp_path, build_model=MODELS[name])
    assert train(tmp_path / "1", resume=True, build_model=MODELS[name]) == whole


CALIBRATED = "sigmoid", "softmax layer", "softmax by name", "residual", "nested graph"


@pytest.mark.parametrize("name", [*CALIBRATED, "half precision", "bounded before the end"])
def test_calibration_works_or_says_that_it_did_not(name):
    keras.utils.set_random_seed(0)
    model, calibrated = MODELS[name](), name != "bounded before the end"
    before = predict(model, IMAGES)
    labels = before.argmax(axis=1)  # always right: it may be far more certain
    assert calibrate(model, IMAGES, labels) is calibrated
    after = predict(model, IMAGES)
    np.testing.assert_array_equal(after.argmax(axis=1), labels)
    if calibrated:
        assert after.max(axis=1).mean() > before.max(axis=1).mean()
    else:
        np.testing.assert_array_equal(after, before)


@pytest.fixture(scope="module")
def trained_on(digits):
    """Return a small model of plain Keras that was trained on grey values of another scale."""
    (x, y), _ = digits
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(32, activation="relu")
    ends = [layers.Flatten(), hidden, layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((28, 28)), *ends])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:6000].astype("float32") / 255, y[:6000], epochs=5, batch_size=96, verbose=0)
    kernel, bias, *others = model.get_weights()

    def trained_on(factor, offset):
        """The same answers on `factor * grey + offset`, as if it had been trained on these."""
        anew = kernel / 255 / factor
        model.set_weights([anew, bias - offset * anew.sum(axis=0), *others])
        return model

    return trained_on


@pytest.mark.parametrize(
    ("factor", "offset", "scale", "mend"),
    [
        (1 / 255, 0, "0 to 1:", "1 / 255"),
        (1 / 127.5, -1, "-1 to 1:", "1 / 127.5, offset=-1"),
        (1 / 78.6, -0.424, "mean 0, deviation 1:", "1 / 78.6, offset=-0.424"),
        (-1 / 255, 1, "0 to 1, dark on light:", "-1 / 255, offset=1"),
        (1, 0, None, None),
    ],
)
def test_a_pair_from_elsewhere_on_another_scale_is_named_with_the_layer_that_mends_it(
    trained_on, digits, tmp_path, recwarn, factor, offset, scale, mend
):
    def said():
        return [str(warning.message) for warning in recwarn if warning.category is ModelWarning]

    model = trained_on(factor, offset)
    model.save(tmp_path / "model.h5")
    (tmp_path / "model.json").write_text(model.to_json())
    loading.load_model(tmp_path)
    if not scale:
        assert said() == []
        return
    (line,) = said()
    assert f"seems to expect values of {scale}" in line
    assert line.endswith(f"let it begin with keras.layers.Rescaling({mend})")
    layer = eval("layers." + line.split("keras.layers.")[1])
    images, labels = (array[:1000] for array in digits[1])
    mended = keras.Sequential([keras.Input((28, 28)), layer, model])
    assert (predict(mended, images).argmax(axis=1) == labels).mean() > 0.8
    saving.save_model(model, tmp_path)  # this project trains on 0 to 255
    loading.load_model(tmp_path)
    assert said() == [line]


def page_of_digits(digits, n=24):
    images = 255 - digits[1][0][:n]
    page = np.full((56 * 4, 56 * n // 4), 255, "uint8")
    for i, image in enumerate(images):
        y, x = 56 * (i % 4) + 14, 56 * (i // 4) + 14
        page[y : y + 28, x : x + 28] = image
    return page


def test_a_weak_model_says_that_it_is_unsure_and_not_that_nothing_is_there(digits, trained_on):
    model = trained_on(1, 0)
    model.layers[-1].set_weights([0.02 * w for w in model.layers[-1].get_weights()])
    assert trial_of(model).confidence < 0.5
    reading = read(page_of_digits(digits), model)
    assert len(reading.answers) + len(reading.unread) >= 20 and reading.unsure
    model.layers[-1].set_weights([0.01 * w for w in model.layers[-1].get_weights()])
    reading = read(page_of_digits(digits), model)  # it knows nothing now
    assert not reading.digits and len(reading.unread) >= 20
    assert re.fullmatch(r"2\d marks, the model is sure of none", reading.error)


def test_a_model_that_is_sure_and_wrong_is_not_trusted(digits):
    always_one = keras.initializers.Constant(np.eye(10)[1] * 20)
    end = layers.Dense(10, "softmax", kernel_initializer="zeros", bias_initializer=always_one)
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), end])
    reading = read(255 - np.kron(digits[1][0][0], np.ones((3, 3), "uint8")), model)
    assert reading.answers[0].confidence > 0.99 and reading.confidence < 0.2 and reading.unsure


@pytest.mark.slow
def test_mutated_layers_are_refused_or_built_at_once():
    fuzz = [sys.executable, str(ROOT / "tests" / "fuzz_models.py"), "3"]
    result = subprocess.run(fuzz, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-2000:]


@pytest.mark.parametrize("scaled", [True, False])
def test_a_missing_scale_is_said_before_the_training(scaled, capsys):
    parts = [layers.Rescaling(1 / 255)] * scaled + [layers.Flatten(), layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input((28, 28)), *parts, layers.Dense(10, "softmax")])
    before = [variable.numpy().copy() for variable in model.variables]
    checks.check_before_training(model)
    said = capsys.readouterr().err
    assert ("let it begin with keras.layers.Rescaling(1 / 255)" in said) != scaled
    assert all((a == b.numpy()).all() for a, b in zip(before, model.variables, strict=True))
