"""What is left unread on a page, and when digits that are sure one by one are not as a whole."""

import numpy as np

from digits.command_line import counted
from digits.reading.lines import alike
from digits.reading.results import DIGIT, UNSURE, Answer

NEAR = 4  # heights to the next digit: what is further away is not called unread
LEGIBLE = 12  # pixels: of digits less high too many are misread (docs/measured.md)
DOUBTFUL = 0.8  # certainty, at most, of what one has a reason to doubt


def belongs(answer: Answer, digits: list[Answer], places: np.ndarray) -> bool:
    """Whether ink that is no digit is as high as digits nearby, or stands between them.

    `places` (n, 4) are those of the digits.
    """
    x, y, _, tall = answer.digit.place
    if answer.digit.mark:
        line = [a.digit.place[0] for a in digits if a.digit.line == answer.digit.line]
        return bool(line) and min(line) < x < max(line)
    height = np.median(places[:, 3])
    near = np.abs(places[:, :2] - (x, y)).sum(axis=1) < NEAR * height
    high = 0.5 * height < tall < 2 * height or answer.confidence >= DIGIT
    return bool(high and near.any())


def nothing_read(answers: list[Answer], confidence: float) -> tuple[str, list[Answer]]:
    """Say why a page has no digits, and return what of it is left unread.

    `confidence` is the model's mean on known digits: one that is rarely sure of these says little
    by being unsure of a page.
    """
    marks = [a for a in answers if not (a.digit.mark or a.digit.blot)]
    if confidence >= UNSURE or not marks:
        return "no digit found", []
    return f"{counted(len(marks), 'mark')}, the model is sure of none", marks


def doubt(digits: list[Answer], found: list[Answer], shrunk: bool) -> str | None:
    """Say in a word why digits that are sure one by one are not as a whole; None if they are.

    `found`: all that might have been digits; `shrunk`: the picture was reduced, so that small
    writing has lost its shape. An upright stroke without a row may be a crease, or of a form,
    unless nothing else is there.
    """
    places = np.array([a.digit.place for a in digits]).reshape(-1, 4)
    lines, heights = np.array([a.digit.line for a in digits]), places[:, 3]
    if shrunk and digits and np.median(heights) < LEGIBLE:
        return "small"

    def alone(i: int) -> bool:
        return ((lines == lines[i]) & alike(heights, heights[i])).sum() < 2

    stroke = len(found) > 1 and any(a.value == 1 and alone(i) for i, a in enumerate(digits))
    return "lone 1" if stroke else None
