"""Build, train and evaluate a Keras model on MNIST, and save it.

    python cnn.py

The last lines that it prints:

    test accuracy 99... % (... of 10000 wrong)
    expected calibration error 0.00...
    digit  images  wrong  read as
        0     980      ...
    trained 4 epochs in ... s
    saved model.json, model.h5, result.png and training.png in ...
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -P and -I leave it out
from digits import own_process

own_process.take(__name__)  # first of all: quiet, and what stops it early is a line
import numpy as np

from digits import command_line as cli
from digits import training
from digits.data import VALIDATION, load_mnist
from digits.model import accuracy, built, check_before_training, evaluate, save_model
from digits.model import quiet_keras as keras

PEAK_RATE = 8e-3
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.02


def build_model() -> keras.Model:
    """Return the untrained model: change it here.

    It takes grey values as they are, (n, 28, 28, 1) from 0 to 255, light ink on dark, and
    gives the probabilities of the ten digits, (n, 10).
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="pixels"),
            layers.Rescaling(1 / 255, name="scale"),
            *convolution(16, 5, "1", pool=True),  # to 12x12
            *convolution(32, 3, "2"),  # to 10x10
            *convolution(64, 3, "3", pool=True),  # to 4x4
            *convolution(128, 3, "4"),  # to 2x2
            layers.Flatten(name="flatten"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(10, activation="softmax", name="digits"),
        ],
        name="mnist",
    )


def convolution(filters: int, kernel: int, suffix: str, pool: bool = False) -> list[keras.Layer]:
    """Return the layers of a convolution; `pool` halves the image after it."""
    layers = keras.layers
    return [
        layers.Conv2D(filters, kernel, use_bias=False, name=f"conv_{suffix}"),
        *([layers.MaxPooling2D(name=f"pool_{suffix}")] if pool else []),
        layers.BatchNormalization(momentum=0.95, name=f"norm_{suffix}"),  # pooled: a quarter
        layers.Activation("relu", name=f"relu_{suffix}"),
    ]


def train(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int,
    validation: int = VALIDATION,
    checkpoint: training.Checkpoint | None = None,
) -> tuple[keras.Model, training.History]:
    """Train `model` on all but the last `validation` digits; return it, and Keras's history.

    `images` (n, 28, 28) uint8, `labels` (n,) uint8.
    """
    x_train, x_val = images[:-validation], images[-validation:, ..., None]
    y_train, y_val = labels[:-validation], np.eye(10, dtype="float32")[labels[-validation:]]
    batch_size = training.batch_that_fits(model, min(batch_size, len(x_train)))
    steps = -(-len(x_train) // batch_size)
    rate = training.one_cycle(PEAK_RATE, epochs * steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, beta_2=0.99)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING)
    model.compile(optimizer, loss, metrics=[accuracy])
    batches = training.augmented(x_train, y_train, batch_size, seed)
    return training.fit(model, batches, (x_val, y_val), steps, epochs, seed, checkpoint)


def main(argv: list[str] | None = None) -> int:
    parser = cli.new_parser("Train a model on MNIST and save it as model.json and model.h5.")
    arguments = training.add_options(parser).parse_args(argv)
    folder = cli.writable_folder(arguments.output)
    training.start(arguments.seed, arguments.batch_size)
    (x_train, y_train), (x_test, y_test) = load_mnist(arguments.data)
    model = built(build_model)
    check_before_training(model)
    with training.checkpoint_of(arguments, argv, model, len(x_train)) as checkpoint:
        sizes = arguments.epochs, arguments.batch_size, arguments.seed
        model, history = train(model, x_train, y_train, *sizes, checkpoint=checkpoint)
        training.calibrate(model, x_train[-VALIDATION:], y_train[-VALIDATION:])
        before = training.beside_project(x_test, y_test)
        save_model(model, folder)
        probabilities, lines = evaluate(model, x_test, y_test)
        training.save_figures(history, x_test, y_test, probabilities, folder, LABEL_SMOOTHING)
    # Printing comes last: a pipe that breaks or a full disk then costs nothing.
    print(*lines, *before, checkpoint.took, sep="\n")
    print(f"saved model.json, model.h5, result.png and training.png in {cli.one_line(folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(training.run(main))
