"""Merging: of two readings of one picture the better, with what only the other has found."""

from digits.reading.recognition import ALIKE
from digits.reading.results import UNSURE, Answer, Reading

CERTAIN = 1.5  # digits that a sure reading of a picture is worth more than an unsure one
MARGIN = 0.4, 1.5  # digits: another reading must be worth so much more than one, or than none
DOUBTFUL = 0.8  # certainty, at most, where two ways to find the digits differ in them

Box = tuple[int, int, int, int]  # x, y, width, height in pixels


def better(first: Reading, second: Reading) -> Reading:
    """Return the reading that is worth more, with what only the other has found.

    The second one must be worth a margin more.
    """
    best, rest, left = first, second, []
    values = [worth(r.answers, r.unread, r.confidence) for r in (first, second)]
    if values[1] > values[0] + MARGIN[not first.answers]:
        best, rest, left = second, first, first.unread
    if best.answers:
        answers, unread = merge_readings(best.answers, best.unread, rest.answers, left)
        if len(answers) != len(best.answers) or len(unread) > len(best.unread):
            best.certainty = min(best.certainty, DOUBTFUL)
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
    answers: list[Answer], unread: list[Box], others: list[Answer], left: list[Box]
) -> tuple[list[Answer], list[Box]]:
    """Return a reading with what another one has found where it has nothing: read, or unread.

    What stands in a line, about as high as what is nearest there, is read; a 1 may be a ruling or
    a crease, and is none where the other reading `left` something unread.
    """
    answers = [
        a for a in answers if a.value != 1 or not any(_overlap(a.digit.box, b) for b in left)
    ]
    added, unread = [], [*unread, *left]
    for other in others:
        if other.value == 1 or other.confidence < UNSURE:
            continue
        if any(_overlap(other.digit.box, a.digit.box) for a in answers):
            continue
        left, top, _, height = other.digit.box
        row = [
            a
            for a in answers
            if abs(a.digit.box[1] + a.digit.box[3] / 2 - top - height / 2) < height / 2
            and height / ALIKE < a.digit.box[3] < ALIKE * height
        ]
        if row:
            near = min(row, key=lambda a: abs(a.digit.box[0] - left))
            other.digit.line = near.digit.line
            added.append(other)
        else:
            unread = [*unread, other.digit.box]
    if added:
        answers = sorted(
            [*answers, *added], key=lambda a: (a.digit.line, a.digit.box[0] + a.digit.box[2] / 2)
        )
    return answers, [b for b in unread if not any(_overlap(b, a.digit.box) for a in answers)]


def _overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than a fifth of the smaller one."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right = min(one[0] + one[2], other[0] + other[2])
    bottom = min(one[1] + one[3], other[1] + other[3])
    least = min(one[2] * one[3], other[2] * other[3])
    return max(0, right - left) * max(0, bottom - top) > 0.2 * least
