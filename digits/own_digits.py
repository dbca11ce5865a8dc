"""People's own digits, in pictures, with what they are: for the training.

    own/7/photo.jpg        a picture of a 7
    own/4431/scan.png      a picture of a row

A folder as Keras's `image_dataset_from_directory` takes it, with a subfolder for each thing that
is written.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.command_line import UserError, note_if_slow, one_line, only_python_on_stderr
from digits.evaluation import predict
from digits.images import Digit, ImageError, digits_in, read_first_page
from digits.images.folders import ENDINGS, find_pictures
from digits.reading import read_pictures
from digits.recognition import Answer, segmentations

if TYPE_CHECKING:
    from keras import Model

ENOUGH = 250  # digits; of so many a fifth can be held out
LAYOUT = "a subfolder named after what is written, such as 7 or 4431, with pictures of that"
Labelled = tuple[str, Path | np.ndarray, str]  # a picture's name, itself, and what is written


def find_own(folder: Path) -> list[Labelled]:
    """Return the pictures in the subfolders that are named after digits, in the order of names.

    What else is there gets a line on stderr. Raises UserError if there is no picture.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UserError(f"--own {folder}: {error.strerror}; it needs {LAYOUT}") from None
    pictures: list[Labelled] = []
    for name in names:
        path = os.path.join(folder, name)
        is_folder = os.path.isdir(path)
        if is_folder and name.isascii() and name.isdigit():
            for found, file in find_pictures([path]):
                if isinstance(file, ImageError):
                    _leave_out(found, file)
                else:
                    pictures.append((found, file, name))
        elif is_folder or os.path.splitext(name)[1].lower() in ENDINGS:
            _leave_out(path, f"it is not {LAYOUT}")
    if not pictures:
        raise UserError(f"no picture to learn from in {folder}; it needs {LAYOUT}")
    return pictures


def _leave_out(name: str, reason: object) -> None:
    print(f"left out: {one_line(name)}: {reason}", file=sys.stderr)


def read_own(pictures: list[Labelled], model: "Model") -> tuple[np.ndarray, np.ndarray]:
    """Return the digits in pictures, (n, 28, 28) uint8, and what they are, (n,) uint8.

    They are found as `load_model.py` finds them, in order. A picture with other than so many
    digits is left out, and a line on stderr says so. Raises UserError if no digit is left.
    """
    images: list[np.ndarray] = []
    labels: list[str] = []
    sources = ((name, file) for name, file, _ in pictures)
    with note_if_slow(f"reading {len(pictures)} pictures ..."), only_python_on_stderr():
        readings = read_pictures(model, sources, processes=True)
        for (name, file, text), reading in zip(pictures, readings, strict=True):
            digits = [answer.digit for answer in reading.answers]
            if reading.unread or len(digits) != len(text):
                digits = [] if reading.failed else _so_many(len(text), file, model)
            images += [digit.image for digit in digits]
            labels += text if digits else ""
            if not digits:
                other = " beside other ink" if reading.unread else ""
                read_as = f"read as {reading.text or 'nothing'}{other}, its folder says {text}"
                _leave_out(name, reading.error if reading.failed else read_as)
    if not images:
        raise UserError("none of the own pictures is left to learn from")
    return np.array(images), np.array(labels, "uint8")


def _so_many(number: int, file: Path | np.ndarray, model: "Model") -> list[Digit]:
    """Return the digits of a picture that holds so many, whatever the model takes them for.

    An empty list if it can't be cut into so many.
    """
    best: dict[int, tuple[float, list[Answer]]] = {0: (0.0, [])}  # by their number
    for digit in digits_in(read_first_page(file)[0]):
        if digit.mark:
            continue
        asked = [digit, *(part for *_, part in digit.parts)]
        probabilities = predict(model, np.array([d.image for d in asked]))
        whole, *parts = (Answer(d, p) for d, p in zip(asked, probabilities, strict=True))
        before, best = best, {}
        for score, answers in segmentations(whole, parts):
            for score_before, answers_before in before.values():
                way = score_before + score, [*answers_before, *answers]
                n = len(way[1])
                best[n] = max(way, best.get(n, way), key=lambda way: way[0])
    return [answer.digit for answer in best.get(number, (0, []))[1]]


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
