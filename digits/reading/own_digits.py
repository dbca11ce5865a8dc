"""The digits on people's own pictures, one by one, with what they are: for the training."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.command_line import UserError, note, note_if_slow
from digits.data.own_pictures import Labelled, LeaveOut, say_left_out
from digits.data.picture_files import read_first_page
from digits.model.evaluation import predict
from digits.reading.finding import Digit, digits_in
from digits.reading.reader import read_pictures
from digits.reading.recognition import segmentations
from digits.reading.results import Answer

if TYPE_CHECKING:
    from keras import Model

SURELY = 0.99  # confidence with which a label is contradicted
LISTED = 20  # such labels


def read_own(
    pictures: list[Labelled], model: "Model", leave_out: LeaveOut = say_left_out
) -> tuple[np.ndarray, np.ndarray]:
    """Return the digits in pictures, (n, 28, 28) uint8, and what they are, (n,) uint8.

    They are found as `load_model.py` finds them, in order. A picture with other than so many
    digits is left out, and `leave_out` is told. A line on stderr names each label that the model
    contradicts. Raises UserError if no digit is left.
    """
    images: list[np.ndarray] = []
    labels: list[str] = []
    names: list[str] = []
    sources = ((name, file) for name, file, _ in pictures)
    with note_if_slow(f"reading {len(pictures)} pictures ..."):
        readings = read_pictures(model, sources, processes=True)
        for (name, file, text), reading in zip(pictures, readings, strict=True):
            digits = [answer.digit for answer in reading.answers]
            if reading.unread or len(digits) != len(text):
                digits = [] if reading.failed else _so_many(len(text), file, model)
            images += [digit.image for digit in digits]
            labels += text if digits else ""
            names += [name] * len(digits)
            if not digits:
                other = " beside other ink" if reading.unread else ""
                read_as = f"read as {reading.text or 'nothing'}{other}, its folder says {text}"
                leave_out(name, reading.error if reading.failed else read_as)
    if not images:
        raise UserError("none of the own pictures is left to learn from")
    own = np.array(images), np.array(labels, "uint8")
    _note_contradictions(model, *own, names)
    return own


def _note_contradictions(
    model: "Model", images: np.ndarray, labels: np.ndarray, names: list[str]
) -> None:
    """Say on stderr which labels the model surely contradicts, and if nearly all are transposed."""
    probabilities = predict(model, images)
    answers = probabilities.argmax(axis=1)
    doubted = np.flatnonzero((answers != labels) & (probabilities.max(axis=1) >= SURELY))
    for i in doubted[:LISTED]:
        note(f"{names[i]}: learned as {labels[i]}, but it is surely read as {answers[i]}")
    if len(doubted) > LISTED:
        note(f"{len(doubted) - LISTED} more digits are surely read as others than they are learned")
    if 2 * (answers != labels).sum() > len(labels):
        transposed = predict(model, images.transpose(0, 2, 1)).argmax(axis=1)
        if 2 * (transposed == labels).sum() > len(labels):
            wrong = (answers != labels).sum()
            note(
                f"{wrong} of {len(labels)} own digits contradict the model, and "
                f"{(transposed == labels).sum()} are right when rows and columns are swapped: the "
                "pictures are stored transposed, as EMNIST is; transpose them back"
            )


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
