"""Rejection of outliers: which of the components on a page are no digits, by what is around them.

Letters, leaves and rulings each look like a digit now and then, but not all that stand together.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from digits.data.normalization import bounding_box
from digits.reading.lines import alike
from digits.reading.results import DIGIT, GAP, UNSURE, Answer
from digits.reading.tangles import is_empty_box
from digits.reading.unread import belongs

AROUND = 10  # heights of a digit: what is nearer is around it
ITSELF = 5  # votes of 1 for a digit, beside the confidence of each component around it
WORD = 0.6  # mean confidence of a word's parts other than 1s: with less they are letters
AMONG = 0.85  # mean of these, at least
ROW = 3  # clear digits, other than 1, make a row
HANGING = 1 / 3  # heights of a digit above and below its middle: what stays within is a sign
PALE = 0.55  # of the ink of the page's digits: what has less is none
LOW_ONE = 0.4  # heights of the page's digits: a 1 is higher
HIGH_ONE = 1.5  # heights of the digits of its line: of 137 1s that people wrote, 135 are lower


@dataclass(eq=False)
class Components:
    """The components of a page as arrays, (n,), a value each."""

    box: np.ndarray  # (n, 4): x, y, width, height
    line: np.ndarray
    ink: np.ndarray  # mean contrast
    confidence: np.ndarray  # the model's, 0 for what is no digit by itself
    one: np.ndarray  # bool: read as 1, as are many letters, signs and rulings
    part: np.ndarray  # of a component, where it was cut

    @cached_property
    def height(self) -> np.ndarray:
        return self.box[:, 3]

    @cached_property
    def middle(self) -> np.ndarray:
        return self.box[:, :2] + self.box[:, 2:] / 2

    @cached_property
    def clear(self) -> np.ndarray:
        return (self.confidence > UNSURE) & ~self.one


def reject_outliers(answers: list[Answer], share: float = 1.0) -> tuple[list[Answer], list[Answer]]:
    """Return those of a page that are digits, and what else about as high was left unread.

    `share`: how sure the model is of known digits beside the one for which this was set.
    """
    answers = [a for a in answers if not _is_empty_box(a)]
    least = LOW_ONE * np.median([a.digit.place[3] for a in answers if _may_be_digit(a)] or 0)
    # A mark of some height may be a small letter between capitals.
    found = [
        a for a in answers if not (a.digit.blot or (a.digit.mark and a.digit.place[3] <= least))
    ]
    page = _components(found)
    faint, hanging = _faint(page, least), _hanging(page)
    sign = hanging[:, page.clear].any(axis=1)
    sure = (page.confidence > np.where(sign, UNSURE, 0)) & ~faint
    sure &= ~_in_letters(page, sign, share * WORD)
    for i in np.flatnonzero(sure):
        sure[i] = _certainty_among(page, i, faint | hanging[:, i]) >= share * AMONG
    digits = [a for a, kept in zip(found, sure, strict=True) if kept]
    if not digits:
        return [], []
    places, kept = np.array([a.digit.place for a in digits], float), set(digits)
    return digits, [a for a in answers if a not in kept and belongs(a, digits, places)]


def _may_be_digit(answer: Answer) -> bool:
    return answer.confidence >= DIGIT and not (answer.digit.mark or answer.digit.blot)


def _is_empty_box(answer: Answer) -> bool:
    """Whether it is a box of a form, which says nothing about the digits beside it."""
    if answer.confidence >= DIGIT:
        return False
    mask = answer.digit.image > 127
    there = bounding_box(mask)
    return there is not None and is_empty_box(mask[there])


def _components(answers: list[Answer]) -> Components:
    return Components(
        box=np.array([a.digit.place for a in answers], float).reshape(-1, 4),
        line=np.array([a.digit.line for a in answers]),
        ink=np.array([a.digit.ink for a in answers]),
        confidence=np.array([_may_be_digit(a) and a.confidence for a in answers], float),
        one=np.array([_may_be_digit(a) and a.value == 1 for a in answers], bool),
        part=np.array([a.part for a in answers]),
    )


def _faint(page: Components, least: float) -> np.ndarray:
    """Whether it is far paler than the digits, or a 1 less high than `least`.

    Creases and what is left of a ruling look like a 1. So do the walls of boxes, which are far
    higher than the digits of their line.
    """
    digit = page.confidence > 0
    paler = page.ink < PALE * np.median(page.ink[digit]) if digit.any() else ~digit
    return paler | (page.one & ((page.height < least) | _towering(page)))


def _towering(page: Components) -> np.ndarray:
    """Whether it is far higher than the digits of its line, 1s aside."""
    towering = np.zeros(len(page.line), bool)
    for line in np.unique(page.line):
        there = page.line == line
        digits = there & (page.confidence > 0) & ~page.one
        if digits.any():
            towering |= there & (page.height > HIGH_ONE * np.median(page.height[digits]))
    return towering


def _hanging(page: Components) -> np.ndarray:
    """Whether each (row) hangs in the middle of the line of each other (column), as a sign does.

    Digits and letters stand on the line, or reach as high.
    """
    y = page.middle[:, 1]
    within = np.abs(y[:, None] - y) + page.height[:, None] / 2 < HANGING * page.height
    return within & (page.line[:, None] == page.line)


def _in_letters(page: Components, sign: np.ndarray, least: float) -> np.ndarray:
    """Whether it is part of a word that the model is less sure of, as a whole, than `least`."""
    letters, words = np.zeros(len(page.line), bool), _words(page)
    for word in np.unique(words):
        parts = (words == word) & ~sign
        telling = parts & ~page.one
        if parts.sum() > 2 and telling.any():
            mean = np.average(page.confidence[telling], weights=page.part[telling])
            letters[words == word] = mean < least
    return letters


def _words(page: Components) -> np.ndarray:
    """Return the number of the word that each is part of: a gap parts two, or a new line."""
    left, _, width, height = page.box.T
    order = np.lexsort((left + width / 2, page.line))
    gap = (left[order][1:] - (left + width)[order][:-1]) / np.minimum(
        height[order][1:], height[order][:-1]
    )
    starts = np.concatenate([[0], (gap > GAP) | (np.diff(page.line[order]) != 0)])
    words = np.empty(len(left), int)
    words[order] = starts.cumsum()
    return words


def _certainty_among(page: Components, i: int, without: np.ndarray) -> float:
    """Return how sure a digit is, from 0 to 1, by the confidence of those around it."""
    height = page.height[i]
    away = np.abs(page.middle - page.middle[i]).max(axis=1)
    others = (away < AROUND * height) & (page.height > height / 2) & ~without
    others[i] = False
    row = others & alike(page.height, height) & (page.line == page.line[i])
    if (page.clear & row).sum() >= ROW:  # a row of digits stays whatever stands elsewhere
        others = row
    return (ITSELF + page.confidence[others].sum()) / (ITSELF + others.sum())
