"""Teaching: a trained model learns its owner's digits too, and forgets as little as it can."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from digits.command_line import UserError
from digits.data.mnist import VALIDATION
from digits.model import quiet_keras as keras
from digits.model.evaluation import accuracy, accuracy_line, predict
from digits.training.augmentation import augmented
from digits.training.calibration import calibrate
from digits.training.checkpoint import Checkpoint
from digits.training.fitting import BATCH_SIZE, EPOCHS, fit, one_cycle
from digits.training.memory import batch_that_fits

Digits = tuple[np.ndarray, np.ndarray]  # images (n, 28, 28) uint8 and labels (n,) uint8
PEAK_RATE = 8e-3
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.02
OWN = 1_250  # own digits that an epoch shows; fewer are repeated
REHEARSED = 4  # digits of MNIST beside each of them
ENOUGH = 250  # digits; of so many a fifth can be held out


class Lesson:
    """What a trained `model` is to learn: `own` digits, and what it makes of them before.

    `test` (n, 28, 28) are the test digits, which show what it forgets. Raises UserError if all own
    digits are read right already.
    """

    def __init__(self, model: keras.Model, own: Digits, test: np.ndarray) -> None:
        self.model = model
        self.learned, self.held_out = hold_out(*own)
        self._shown = test, self.learned[0], self.held_out[0]
        self._before = self._predict()
        labels = np.concatenate([self.learned[1], self.held_out[1]])
        if (np.concatenate(self._before[1:]).argmax(axis=1) == labels).all():
            raise UserError(f"nothing to learn: {len(labels)} own digits are all read right")
        arrays = b"".join(array.tobytes() for array in (*self.learned, *model.get_weights()))
        self.checksum = f"{zlib.crc32(arrays):08x}"  # of what it begins with

    def _predict(self) -> list[np.ndarray]:
        return [predict(self.model, images) for images in self._shown]

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        epochs: int = EPOCHS,
        batch_size: int = BATCH_SIZE,
        seed: int = 0,
        validation: int = VALIDATION,
        checkpoint: Checkpoint | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """Train the model on its digits among some of MNIST's training digits, and calibrate it.

        Its weights are then the mean of those before and after: that forgets less, and reads more
        of both (Wortsman et al., 2022). `images` (n, 28, 28) and `labels` (n,) end in the
        `validation` set; `checkpoint` and `callbacks` are as in `training.fit`.
        """
        x_train, y_train = self.among(images[:-validation], labels[:-validation], seed)
        x_val, y_val = images[-validation:], labels[-validation:]
        batch_size = batch_that_fits(self.model, min(batch_size, len(x_train)))
        steps = -(-len(x_train) // batch_size)
        rate = one_cycle(PEAK_RATE, epochs * steps)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, beta_2=0.99)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING)
        self.model.compile(optimizer, loss, metrics=[accuracy])
        batches = augmented(x_train, y_train, batch_size, seed)
        held = x_val[..., None], np.eye(10, dtype="float32")[y_val]
        before = self.model.get_weights()
        fit(self.model, batches, held, steps, epochs, seed, checkpoint, callbacks)
        after = self.model.get_weights()
        self.model.set_weights([(old + new) / 2 for old, new in zip(before, after, strict=True)])
        calibrate(self.model, x_val, y_val)

    def among(self, images: np.ndarray, labels: np.ndarray, seed: int) -> Digits:
        """Return the training set of this lesson: its digits among some of these, of MNIST.

        Those would be forgotten else (rehearsal: Robins, 1995). Images (n, 28, 28), labels (n,).
        """
        own = self.learned
        again = np.resize(np.arange(len(own[0])), max(OWN, len(own[0])))
        known = np.random.default_rng(seed).permutation(len(images))[: REHEARSED * len(again)]
        x_train = np.concatenate([own[0][again], images[known]])
        return x_train, np.concatenate([own[1][again], labels[known]])

    def report(self, test_labels: np.ndarray) -> list[str]:
        """Return what came of it: lines on the test digits, now and before, and on the own ones."""
        (test, *before), (test_now, *now) = self._before, self._predict()
        return [
            accuracy_line(test_now, test_labels),
            f"before: {accuracy_line(test, test_labels)}",
            *compare(before, now, self.learned[1], self.held_out[1]),
        ]

    def mistakes(self, test_labels: np.ndarray) -> tuple[int, int]:
        """Return how many test digits were read wrong before, and are now."""
        shown = self._before[0], predict(self.model, self._shown[0])
        before, now = (int((p.argmax(axis=1) != test_labels).sum()) for p in shown)
        return before, now


def hold_out(images: np.ndarray, labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the digits to learn from and, where there are ENOUGH, every fifth to measure."""
    held_out = (np.arange(len(labels)) % 5 == 4) & (len(labels) >= ENOUGH)
    return [(images[part], labels[part]) for part in (~held_out, held_out)]


def compare(
    before: list[np.ndarray], now: list[np.ndarray], learned: np.ndarray, held_out: np.ndarray
) -> list[str]:
    """Say in two lines how many of the own digits are read right.

    `learned` (m,) and `held_out` (n,) are labels; `before` and `now` the probabilities of both.
    """
    of_each = ", ".join(f"{count} of {d}" for d, count in enumerate(np.bincount(learned)) if count)

    def right(which: int, labels: np.ndarray) -> str:
        counts = [(p[which].argmax(axis=1) == labels).sum() for p in (now, before)]
        return f"{counts[0]} of {len(labels)} right, {counts[1]} before"

    few = f"not measured: too few; of {ENOUGH} own digits or more a fifth is held out"
    return [
        f"own digits learned: {right(0, learned)} ({of_each})",
        f"own digits held out: {right(1, held_out) if len(held_out) else few}",
    ]
