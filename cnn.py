"""Build, train and evaluate a Keras model on MNIST, and save it.

    python cnn.py

The last lines that it prints:

    test accuracy 99.55 % (45 of 10000 wrong)
    expected calibration error 0.0030
    digit  images  wrong  read as
        0     980      2  5 (1), 7 (1)
        ...
    trained 4 epochs in ... s
    saved model.json, model.h5, result.png and training.png in /home/you/digits

With `--own FOLDER` it goes on from a trained model and learns your own digits, in pictures
under FOLDER/7, FOLDER/4431 ...
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import os
import shlex
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from digits import distribution
from digits import quiet_keras as keras
from digits.augment import OUTLIERS, dataset
from digits.checkpoint import Checkpoint
from digits.command_line import (
    UserError,
    ctrl_c_waits,
    is_terminal,
    one_line,
    positive_int,
    run,
    seed_number,
    writable_folder,
)
from digits.evaluation import accuracy_line, calibration_error, predict, table_by_digit
from digits.mnist import load_mnist
from digits.model_checks import Refused, check_model
from digits.model_files import load_model, save_model
from digits.own_digits import compare, find_own, hold_out, read_own

VALIDATION = 2_500  # the last training digits: the validation set
PEAK_RATE = 8e-3
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.02
OWN = 1_250  # own digits that an epoch shows; fewer are repeated
REHEARSED = 4  # digits of MNIST beside each of them
ALONE = distribution.Team()


# ---------------------------------------------------------------- the model


def build_model() -> keras.Model:
    """Return the untrained model.

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
    """Return the layers of a convolution; `pool` halves the image after it.

    Normalising comes after the pooling, on a quarter of the values: it is bound by
    memory, and on a CPU it would otherwise cost as much as the convolution.
    """
    layers = keras.layers
    return [
        layers.Conv2D(filters, kernel, use_bias=False, name=f"conv_{number}"),
        *([layers.MaxPooling2D(name=f"pool_{number}")] if pool else []),
        layers.BatchNormalization(momentum=0.95, name=f"norm_{number}"),
        layers.Activation("relu", name=f"relu_{number}"),
    ]


# ------------------------------------------------------------------- training


def train(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int,
    validation: int = VALIDATION,
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
    team: distribution.Team = ALONE,
) -> dict[str, list[float]]:
    """Train `model` on all but the validation set, the last digits; return Keras's history.

    `images` (n, 28, 28) uint8, `labels` (n,) uint8. The learning rate rises for a fifth of
    the training and then falls to zero along a cosine (one cycle: Smith, 2018). With a
    `checkpoint`, each epoch's state is kept there; `resume` begins with what lies there. Every
    process of a `team` takes its share of each batch; the first one keeps the state.
    """
    x_train, y_train = images[:-validation], labels[:-validation]
    x_val, y_val = images[-validation:, ..., None], labels[-validation:]
    one_hot = np.eye(10, dtype="float32")
    batch_size = min(batch_size, len(x_train))
    steps = -(-len(x_train) // batch_size)
    warmup = max(1, epochs * steps // 5)
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 20,
        max(1, epochs * steps - warmup),
        warmup_target=PEAK_RATE,
        warmup_steps=warmup,
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, beta_2=0.99),
        keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING),
        metrics=[accuracy],
    )
    before = checkpoint.restore(model) if checkpoint and resume else {}
    done = len(before.get("loss", []))
    callbacks = [checkpoint.keep(before)] if checkpoint and team.first else []
    # PyTorch's random numbers are no variable that a checkpoint could keep: each epoch has its own.
    seeds = (number % 2**32 for number in itertools.count(seed + done))
    callbacks += [
        keras.callbacks.LambdaCallback(
            on_train_batch_begin=lambda n, logs: n or keras.utils.set_random_seed(next(seeds))
        )
    ]
    terminal = is_terminal(sys.stderr)
    if team.first and not terminal:
        line = functools.partial(print_epoch, epochs=epochs)
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=line))
    # Keras draws its progress bar on stdout, and may lose a Ctrl-C within a step.
    with contextlib.redirect_stdout(sys.stderr), ctrl_c_waits() as stop:
        callbacks += [keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, logs: stop())]
        history = model.fit(
            team.share_of_each(dataset(x_train, y_train, batch_size, seed, range(done, epochs))),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=epochs,
            callbacks=callbacks,
            verbose=int(team.first and terminal),
            shuffle=False,  # the dataset is already
            validation_data=(team.share_of(x_val), team.share_of(one_hot[y_val])),
            validation_batch_size=len(team.share_of(range(500))),
        )
    return {key: before.get(key, []) + values for key, values in history.history.items()} or before


def print_epoch(epoch: int, logs: dict[str, float], epochs: int) -> None:
    """Print a line on stderr, as a log file wants it."""
    values = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
    print(f"epoch {epoch + 1} of {epochs}: {values}", file=sys.stderr, flush=True)


def accuracy(targets: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Return the fraction of a batch's digits that are read right; of outliers no answer is."""
    ops = keras.ops
    is_digit = ops.max(targets, axis=-1) > 0.5
    right = ops.argmax(targets, axis=-1) == ops.argmax(probabilities, axis=-1)
    return ops.sum(right & is_digit) / ops.sum(is_digit)


def teach(
    model: keras.Model,
    own: tuple[np.ndarray, np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int,
    *how: Any,
) -> dict[str, list[float]]:
    """Let a trained `model` learn its owner's digits too; return Keras's history.

    `own` are their images (m, 28, 28) uint8 and labels (m,); the rest is as in `train`. Each
    epoch shows them among some of MNIST's, which would be forgotten else (rehearsal: Robins,
    1995). The mean of the weights before and after forgets less, and reads more of both
    (Wortsman et al., 2022).
    """
    before = model.get_weights()
    again = np.resize(np.arange(len(own[0])), max(OWN, len(own[0])))
    known = np.random.default_rng(seed).permutation(len(images) - VALIDATION)
    known = known[: REHEARSED * len(again)]
    mixed = (
        np.concatenate([new[again], array[known], array[-VALIDATION:]])
        for array, new in zip((images, labels), own, strict=True)
    )
    history = train(model, *mixed, epochs, batch_size, seed, *how)
    after = model.get_weights()
    model.set_weights([(old + new) / 2 for old, new in zip(before, after, strict=True)])
    return history


def calibrate(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> bool:
    """Scale the logits so that the probabilities say how often they are right.

    Label smoothing leaves them too low. One factor, the best for digits held out of the
    training, mends that and changes no answer (temperature scaling: Guo et al., 2017). It goes
    into the last layer with weights. Where that does not scale the logits, as in a model
    with something between it and the softmax, all stays as it was: False.
    """
    log_p = np.log(predict(model, images).clip(1e-12))

    def scaled(factor: float) -> np.ndarray:
        log_q = factor * log_p
        return log_q - np.log(np.exp(log_q).sum(axis=1, keepdims=True))

    def loss(factor: float) -> float:
        return -scaled(factor)[np.arange(len(labels)), labels].mean()

    factor = min(np.linspace(0.5, 3, 51), key=loss)
    weights = last_layer(model).trainable_variables
    before = [keras.ops.convert_to_numpy(variable) for variable in weights]
    for variable, value in zip(weights, before, strict=True):
        variable.assign(factor * value)
    if np.allclose(predict(model, images), np.exp(scaled(factor)), atol=1e-3):
        return True
    for variable, value in zip(weights, before, strict=True):
        variable.assign(value)
    return False


def last_layer(model: keras.Model) -> keras.Layer:
    """Return the last layer with weights, however deep it lies in nested models."""
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    return last_layer(last) if hasattr(last, "layers") else last


# ----------------------------------------------------------------- evaluation


def evaluate(
    model: keras.Model, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return the probabilities, (n, 10), and as lines accuracy, calibration, a table by digit."""
    probabilities = predict(model, images)
    return probabilities, [
        accuracy_line(probabilities, labels),
        f"expected calibration error {calibration_error(probabilities, labels):.4f}",
        table_by_digit(probabilities, labels),
    ]


# --------------------------------------------------------------------- saving


def lowest_loss(outliers: float) -> float:
    """Return the loss that no model can be below: the mean entropy of the targets.

    Label smoothing leaves no digit a target of 1, and a fraction of `outliers` has ten of 0.1.
    """
    target = LABEL_SMOOTHING / 10 + (1 - LABEL_SMOOTHING) * np.eye(10)[0]
    return (1 - outliers) * -(target * np.log(target)).sum() + outliers * np.log(10)


def draw(
    history: dict[str, list[float]],
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    folder: Path,
) -> None:
    """Draw the two pictures into `folder`."""
    from digits import figures  # Matplotlib is slow to import, and only now needed

    figures.save(figures.draw_results(images, labels, probabilities), folder / "result.png")
    lowest = lowest_loss(OUTLIERS), lowest_loss(0)
    training = figures.draw_training(history, lowest, labels, probabilities)
    figures.save(training, folder / "training.png")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train a model on MNIST and save it as model.json and model.h5."
    )
    for name, kind, default, what in (
        ("--epochs", positive_int, 4, "passes over the training set"),
        ("--batch-size", positive_int, 250, "images in a batch"),
        ("--seed", seed_number, 0, "the same seed gives the same weights"),
    ):
        what += " (default: %(default)s)"
        parser.add_argument(name, metavar="N", type=kind, default=default, help=what)
    output = "where the four files go (default: the current folder)"
    parser.add_argument("--output", metavar="DIR", type=Path, default=".", help=output)
    parser.add_argument("--data", metavar="PATH", help="mnist.npz, or a folder with the IDX files")
    parser.add_argument("--resume", action="store_true", help="go on with a stopped training")
    own = "go on from a trained model and learn the digits in pictures of yours, in subfolders "
    own += "named after what is written, such as 7 or 4431; the weights become the mean of those"
    own += " before and after"
    where = "the model that --own goes on from (default: here, or with the scripts)"
    parser.add_argument("--own", metavar="FOLDER", type=Path, help=own)
    parser.add_argument("--model", metavar="DIR", help=where)
    arguments = parser.parse_args(argv)
    if arguments.model and not arguments.own:
        parser.error("--model goes with --own; without it a model is trained from scratch")
    return arguments


def what_is_kept(kept: int, epochs: int, argv: list[str] | None) -> str:
    """Say what a training stopped by Ctrl-C leaves, and how to go on with it."""
    if not kept:
        return "no epoch was finished, so nothing is kept"
    given = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "cnn.py", *(x for x in given if x != "--resume"), "--resume"])
    return f"{kept} of {epochs} epochs are kept; {command} goes on"


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    team = distribution.team()
    if arguments.own and team != ALONE:
        raise UserError(f"--own trains in one process; unset {distribution.PROCESSES}")
    folder = writable_folder(arguments.output)
    pictures = find_own(arguments.own) if arguments.own else []  # no wait for a typing error
    (x_train, y_train), (x_test, y_test) = load_mnist(arguments.data)
    # Not when resuming, or else a folder without a stopped training gets a line of its own.
    if team.first and not arguments.resume:
        print(f"cnn.py: the model goes to {one_line(folder)}", file=sys.stderr)
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")  # same seed, same weights
    keras.utils.set_random_seed(arguments.seed)
    epochs, batch_size, seed = arguments.epochs, arguments.batch_size, arguments.seed
    settings = {"--epochs": epochs, "--batch-size": batch_size, "--seed": seed, "--own": None}
    if arguments.own:
        model = load_model(arguments.model)
        learned, held_out = hold_out(*read_own(pictures, model))
        arrays = b"".join(array.tobytes() for array in (*learned, *model.get_weights()))
        settings["--own"] = f"{arguments.own} ({zlib.crc32(arrays):08x})"
        before = [predict(model, images) for images in (x_test, learned[0], held_out[0])]
    else:
        team.join(batch_size)
        model = build_model()
        try:
            check_model(model)
        except Refused as error:
            raise UserError(f"load_model.py would refuse this model: it {error}") from None
    settings |= {"digits": len(x_train), "model": f"{zlib.crc32(model.to_json().encode()):08x}"}
    checkpoint = Checkpoint(folder, settings)
    if team.first and checkpoint.exists() and not arguments.resume:
        print(f"cnn.py: {folder} holds a stopped training; --resume goes on", file=sys.stderr)
    start = time.monotonic()
    try:
        how = epochs, batch_size, seed, VALIDATION, checkpoint, arguments.resume
        if arguments.own:
            history = teach(model, learned, x_train, y_train, *how)
        else:
            history = train(model, x_train, y_train, *how, team)
        if not team.first:
            return 0
        model = team.alone(model)
        if not calibrate(model, x_train[-VALIDATION:], y_train[-VALIDATION:]):
            print("cnn.py: not calibrated: the last layer gives no logits", file=sys.stderr)
        seconds = time.monotonic() - start
        save_model(model, folder)
        probabilities, lines = evaluate(model, x_test, y_test)
        draw(history, x_test, y_test, probabilities, folder)
        if arguments.own:
            now = [predict(model, images) for images, _ in (learned, held_out)]
            lines.append(f"before: {accuracy_line(before[0], y_test)}")
            lines += compare(before[1:], now, learned[1], held_out[1])
    except KeyboardInterrupt:
        kept = what_is_kept(checkpoint.kept, epochs, argv) if team.first else ""
        raise KeyboardInterrupt(kept) from None
    checkpoint.remove()
    # Printing comes last: a pipe that breaks or a full disk then costs nothing.
    plural = "" if epochs == 1 else "s"
    print(*lines, f"trained {epochs} epoch{plural} in {seconds:.0f} s", sep="\n")
    print(f"saved model.json, model.h5, result.png and training.png in {one_line(folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(distribution.watched(lambda: run(main)))
