"""Teaching: a trained model learns its owner's digits too, and forgets as little as it can."""

from __future__ import annotations

import zlib

import numpy as np

from digits.command_line import counted, note
from digits.model import quiet_keras as keras
from digits.model.evaluation import accuracy_line, predict

Digits = tuple[np.ndarray, np.ndarray]  # images (n, 28, 28) uint8 and labels (n,) uint8
OWN = 1_250  # own digits that an epoch shows; fewer are repeated
REHEARSED = 4  # digits of MNIST beside each of them
ENOUGH = 250  # digits; of so many a fifth can be held out


class Lesson:
    """What a trained `model` is to learn: `own` digits, and what it made of them before.

    `test` (n, 28, 28) are the test digits, which show what it forgets.
    """

    def __init__(self, model: keras.Model, own: Digits, test: np.ndarray) -> None:
        self.model = model
        self.learned, self.held_out = hold_out(*own)
        self._shown = test, self.learned[0], self.held_out[0]
        self._weights = model.get_weights()
        self._before = self._predict()
        labels = (self.learned[1], self.held_out[1])
        right = [
            (p.argmax(axis=1) == y).all() for p, y in zip(self._before[1:], labels, strict=True)
        ]
        if all(right):
            count = counted(len(own[1]), "own digit")
            note(f"nothing to learn: {count} right already; only the confidence may change")

    def _predict(self) -> list[np.ndarray]:
        return [predict(self.model, images) for images in self._shown]

    @property
    def checksum(self) -> str:
        """A checksum of the digits and the model that the lesson begins with."""
        arrays = b"".join(array.tobytes() for array in (*self.learned, *self._weights))
        return f"{zlib.crc32(arrays):08x}"

    def among(self, images: np.ndarray, labels: np.ndarray, validation: int, seed: int) -> Digits:
        """Return the training set of this lesson: its digits among some of MNIST's.

        Those would be forgotten else (rehearsal: Robins, 1995). The last `validation` digits of
        `images` (n, 28, 28) and `labels` (n,) stay the last ones.
        """
        own = self.learned
        again = np.resize(np.arange(len(own[0])), max(OWN, len(own[0])))
        known = np.random.default_rng(seed).permutation(len(images) - validation)
        known = known[: REHEARSED * len(again)]
        return tuple(
            np.concatenate([new[again], array[known], array[-validation:]])
            for array, new in zip((images, labels), own, strict=True)
        )

    def finish(self) -> keras.Model:
        """Return the trained model with the mean of its weights before and after.

        That forgets less, and reads more of both (Wortsman et al., 2022).
        """
        after = self.model.get_weights()
        means = [(old + new) / 2 for old, new in zip(self._weights, after, strict=True)]
        self.model.set_weights(means)
        return self.model

    def report(self, test_labels: np.ndarray) -> list[str]:
        """Say in three lines what came of it."""
        (test, *before), (_, *now) = self._before, self._predict()
        lines = compare(before, now, self.learned[1], self.held_out[1])
        return [f"before: {accuracy_line(test, test_labels)}", *lines]


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
