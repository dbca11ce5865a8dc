"""Merging: of two readings of one picture the better, with what only the other has found."""

import numpy as np

from digits.reading.components import shared_fraction
from digits.reading.lines import alike
from digits.reading.results import UNSURE, Answer, Reading
from digits.reading.unread import DOUBTFUL

CERTAIN = 1.5  # digits that a sure reading of a picture is worth more than an unsure one
MARGIN = 0.4, 1.5  # digits: another reading must be worth so much more than one, or than none

Box = tuple[int, int, int, int]  # x, y, width, height in pixels


def better(rules: Reading, regions: Reading) -> Reading:
    """Return the reading that is worth more, with what only the other has found.

    A 1 of the regions may be a ruling, a crease or the stem of a letter, and is none where the
    rules leave something unread. The regions must be worth a margin more.
    """
    boxes = [a.digit.box for a in regions.answers]
    doubted = overlapping(boxes, rules.unread) & np.array(
        [a.value == 1 for a in regions.answers], bool
    )
    left = [a.digit.box for a, no in zip(regions.answers, doubted, strict=True) if no]
    regions.answers = [a for a, no in zip(regions.answers, doubted, strict=True) if not no]
    regions.unread = [*regions.unread, *left]
    best, rest = rules, regions
    values = [worth(r.answers, r.unread, r.confidence) for r in (rules, regions)]
    if values[1] > values[0] + MARGIN[not rules.answers]:
        best, rest = regions, rules
    if best.answers:
        unread = best.unread if best is rules else [*best.unread, *rules.unread]
        answers, unread = merge_readings(best.answers, unread, rest.answers)
        if len(answers) != len(best.answers) or len(unread) > len(best.unread):
            best.doubt("two readings", at_most=DOUBTFUL)
        best.answers, best.unread = answers, unread
    return best


def worth(answers: list[Answer], unread: list[Box], confidence: float) -> float:
    """Return how many more digits are right than wrong, as the model expects it; 0 without any.

    A 1 counts nothing, and half against if there are more of them than of others: texture,
    rulings, creases and combs look like one. What is unread counts half against. A reading that
    is sure of itself as a whole is worth CERTAIN digits more.
    """
    if not answers:
        return 0.0
    ones = sum(2 * a.confidence - 1 for a in answers if a.value == 1)
    others = sum(2 * a.confidence - 1 for a in answers if a.value != 1)
    sure = CERTAIN * confidence if others > 0 else 0
    return others - max(0, ones - others - 2) / 2 - len(unread) / 2 + sure


def merge_readings(
    answers: list[Answer], unread: list[Box], others: list[Answer]
) -> tuple[list[Answer], list[Box]]:
    """Return a reading with what another one has found where it has nothing: read, or unread.

    What stands in a line, about as high as what is nearest there, is read, unless it is a 1.
    """
    others = [a for a in others if a.value != 1 and a.confidence >= UNSURE]
    boxes = np.array([a.digit.box for a in answers]).reshape(-1, 4)
    taken = overlapping([a.digit.box for a in others], boxes)
    added, unread = [], [*unread]
    for other in (a for a, no in zip(others, taken, strict=True) if not no):
        x, y, _, height = other.digit.box
        beside = np.abs(boxes[:, 1] + boxes[:, 3] / 2 - y - height / 2) < height / 2
        row = np.flatnonzero(beside & alike(boxes[:, 3], height))
        if len(row):
            near = answers[row[np.abs(boxes[row, 0] - x).argmin()]]
            other.digit.line = near.digit.line
            added.append(other)
        else:
            unread.append(other.digit.box)
    if added:
        answers = sorted(
            [*answers, *added], key=lambda a: (a.digit.line, a.digit.box[0] + a.digit.box[2] / 2)
        )
    read = overlapping(unread, [a.digit.box for a in answers])
    return answers, [box for box, no in zip(unread, read, strict=True) if not no]


def overlapping(boxes: list[Box], others: list[Box]) -> np.ndarray:
    """Return for each box, (n,) bool, whether another shares a fifth of the smaller of the two."""
    one, other = (np.array(b, float).reshape(-1, 4) for b in (boxes, others))
    for sides in (one, other):
        sides[:, 2:] += sides[:, :2]  # right and bottom
    return (shared_fraction(one, other) > 0.2).any(axis=1)
