"""Build, train and evaluate a Keras model on MNIST, and save it.

    python cnn.py

The last lines that it prints:

    test accuracy 99.48 % (52 of 10000 wrong)
    expected calibration error 0.0022
    digit  images  wrong  read as
        0     980      2  6 (1), 7 (1)
        ...
    trained 4 epochs in ... s
    saved model.json, model.h5, result.png and training.png in /home/you/digits
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -P and -I leave it out
from digits import own_process

own_process.take(__name__)  # first of all: quiet, and what stops it early is a line
import numpy as np

from digits import command_line as cli
from digits import training
from digits.data import find_own, load_mnist
from digits.model import accuracy, built, evaluate, load_model, save_model
from digits.model import quiet_keras as keras
from digits.model.locating import find_pair
from digits.reading import read_own

VALIDATION = 2_500  # the last training digits: the validation set
PEAK_RATE = 8e-3
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.02


# ---------------------------------------------------------------- 1. the model
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


def convolution(filters: int, kernel: int, number: str, pool: bool = False) -> list[keras.Layer]:
    """Return the layers of a convolution; `pool` halves the image after it."""
    layers = keras.layers
    return [
        layers.Conv2D(filters, kernel, use_bias=False, name=f"conv_{number}"),
        *([layers.MaxPooling2D(name=f"pool_{number}")] if pool else []),
        layers.BatchNormalization(momentum=0.95, name=f"norm_{number}"),  # pooled: a quarter
        layers.Activation("relu", name=f"relu_{number}"),
    ]


# ------------------------------------------------------------- 2. the training
def train(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int,
    validation: int = VALIDATION,
    **how: object,
) -> dict[str, list[float]]:
    """Train `model` on all but the validation set, the last digits; return Keras's history.

    `images` (n, 28, 28) uint8, `labels` (n,) uint8; `how` is for `training.fit`.
    """
    x_train, y_train = images[:-validation], labels[:-validation]
    x_val, y_val = images[-validation:, ..., None], labels[-validation:]
    batch_size = training.batch_that_fits(model, min(batch_size, len(x_train)), **how)
    steps = -(-len(x_train) // batch_size)
    # One cycle (Smith, 2018): the rate rises for a fifth of the steps, then falls to zero.
    warmup = max(1, epochs * steps // 5)
    rest = max(1, epochs * steps - warmup)
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 20, rest, warmup_target=PEAK_RATE, warmup_steps=warmup
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, beta_2=0.99),
        keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING),
        metrics=[accuracy],
    )
    targets = np.eye(10, dtype="float32")[y_val]
    batches = training.augmented(x_train, y_train, batch_size, seed)
    return training.fit(model, batches, (x_val, targets), steps, epochs, seed, **how)


# --------------------------------------- 3. load, train, evaluate, save, print
def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = cli.new_parser("Train a model on MNIST and save it as model.json and model.h5.")
    add = parser.add_argument
    add("--epochs", metavar="N", type=cli.positive_int, default=4, help="passes over the digits")
    add("--batch-size", metavar="N", type=cli.positive_int, default=250, help="images in a batch")
    add("--seed", metavar="N", type=cli.seed_number, default=0, help="same seed, same weights")
    add("--data", metavar="PATH", help="mnist.npz, or a folder with the IDX files")
    add("--output", metavar="DIR", type=Path, default=".", help="where the four files go")
    add("--resume", action="store_true", help="go on with a stopped training")
    own = "teach a trained model your digits: pictures in folders named 7, or 4431, as is written"
    add("--own", metavar="FOLDER", type=Path, help=own)
    add("--model", metavar="DIR", help="what --own teaches; the model here, or with the scripts")
    arguments = parser.parse_args(argv)
    if arguments.model and not arguments.own:
        parser.error("--model goes with --own; without it a model is trained from scratch")
    return arguments


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    keras.check_trains()
    team = training.distribution.team(alone="--own" if arguments.own else "")
    folder = cli.writable_folder(arguments.output)
    pictures = find_own(arguments.own) if arguments.own else []  # no wait for a typing error
    (x_train, y_train), (x_test, y_test) = load_mnist(arguments.data)
    training.set_seed(arguments.seed)
    if pictures:
        model = load_model(arguments.model or find_pair())
        lesson = training.Lesson(model, read_own(pictures, model), x_test)
        images, labels = lesson.among(x_train, y_train, VALIDATION, arguments.seed)
    else:
        team.join(arguments.batch_size)
        model, lesson, images, labels = built(build_model), None, x_train, y_train
    own = lesson and lesson.checksum
    checkpoint = training.checkpoint_for(arguments, folder, model, len(x_train), own, team)
    with checkpoint.explained(argv, speaks=team.first):
        sizes = arguments.epochs, arguments.batch_size, arguments.seed
        history = train(model, images, labels, *sizes, checkpoint=checkpoint, team=team)
        if not team.first:
            return 0
        model = lesson.finish() if lesson else team.alone(model)
        training.calibrate(model, x_train[-VALIDATION:], y_train[-VALIDATION:])
        seconds = checkpoint.seconds
        before = [] if lesson else training.beside_project(x_test, y_test)
        save_model(model, folder)
        probabilities, lines = evaluate(model, x_test, y_test)
        training.save_figures(history, x_test, y_test, probabilities, folder, LABEL_SMOOTHING)
        lines += lesson.report(y_test) if lesson else before
    checkpoint.remove()
    # Printing comes last: a pipe that breaks or a full disk then costs nothing.
    print(*lines, f"trained {cli.counted(arguments.epochs, 'epoch')} in {seconds:.0f} s", sep="\n")
    print(f"saved model.json, model.h5, result.png and training.png in {cli.one_line(folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(training.distribution.watched(lambda: cli.run(main)))
