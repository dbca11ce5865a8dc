"""Recognition: which of the digits that may be on a page are there, by the model's answers.

The model was taught to be unsure of what is no digit. So its confidence decides where touching
digits are cut, which way a page is turned, and what is left out.
"""

from collections.abc import Callable

import numpy as np

from digits.command_line import counted
from digits.reading.results import GAP, UNSURE, Answer
from digits.reading.segmentation import best_paths

DIGIT = 0.35  # confidence: with less it is no digit
UPRIGHT = (2, 3, 4, 5, 7)  # the digits that tell which way a page is turned
TURNED = 4  # digits on a page that may be turned, at least
AROUND = 10  # heights of a digit: what is nearer is around it
ITSELF = 5  # votes of 1 for a digit, beside the confidence of each component around it
WORD = 0.6  # mean confidence of a word's parts other than 1s: with less they are letters
AMONG = 0.85  # mean of these, at least
ALIKE = 1.4  # times the height of a digit: others in its row are no higher, nor so much lower
ROW = 3  # clear digits, other than 1, make a row
HANGING = 1 / 3  # heights of a digit above and below its middle: what stays within is a sign
PALE = 0.55  # of the ink of the page's digits: what has less is none
LOW_ONE = 0.4  # heights of the page's digits: a 1 is higher
LEGIBLE = 12  # pixels: of digits less high too many are misread (docs/measured.md)
DOUBTFUL = 0.8  # certainty, at most, of what one has a reason to doubt
NEAR = 4  # heights to the next digit: what is further away is not called unread
SLIM = 0.6  # a digit's width, in its heights, that nothing speaks against
WIDE = 0.5  # how much speaks against a digit that is one height wider than that
CUT = 0.65  # mean confidence of cut parts: with less, 4 of 17 made-up numbers were right
LEAD = 10  # a score higher by 1 makes a segmentation e to that power likelier, as fits made-up rows


def segmentations(whole: Answer, parts: list[Answer]) -> list[tuple[float, list[Answer]]]:
    """Return score and answers of a component as one digit, and of the best way to 1, 2, 3 ...

    `parts` are the answers on `whole.digit.parts`, the edges of its lattice. The score is the sum
    of the logarithms of the confidences, less for wide digits and for cuts through ink.
    """
    edges = [(start, end) for start, end, *_ in whole.digit.parts]
    doubts = [doubt for _, _, doubt, _ in whole.digit.parts]
    scores = [_score(part) - doubt for part, doubt in zip(parts, doubts, strict=True)]
    paths = best_paths(edges, scores)
    return [(_score(whole), [whole]), *((score, [parts[i] for i in path]) for score, path in paths)]


def _score(answer: Answer) -> float:
    _, _, width, height = answer.digit.place
    return float(np.log(answer.confidence)) - WIDE * max(0, width / height - SLIM)


def best_segmentation(whole: Answer, parts: list[Answer]) -> tuple[list[Answer], float]:
    """Decide whether a wide component is one digit or several that touch, and where to cut.

    Return the answers of the most likely of its segmentations, and how certain it is beside the
    others. Parts that the model is not sure of are not cut: it may be a letter, or a sign.
    """
    ways = segmentations(whole, parts)
    ways = [
        ways[0],
        *((s, a) for s, a in ways[1:] if np.prod([p.confidence for p in a]) > CUT ** len(a)),
    ]
    scores, answers = zip(*ways, strict=True)
    best = int(np.argmax(scores))
    return answers[best], float(1 / np.exp(LEAD * (np.array(scores) - scores[best])).sum())


def quarter_turns(probabilities: np.ndarray, turned: Callable[[int], np.ndarray]) -> int:
    """Return by how many right angles a page is to be turned to the left to be read.

    `probabilities` (n, 10) of all that is on it, and `turned` gives those of its images turned.
    """
    if len(probabilities) < TURNED:
        return 0

    def clear(probabilities: np.ndarray) -> float:
        sure = probabilities[np.isin(probabilities.argmax(axis=1), UPRIGHT)].max(axis=1)
        return float(sure[sure > UNSURE].sum())

    upright = clear(probabilities)
    if upright > len(probabilities) / 2:
        return 0
    others = [clear(turned(turns)) for turns in (1, 2, 3)]
    least = max(1.5 * upright + 2, len(probabilities) / 5)  # some letters look so, lying
    return 1 + int(np.argmax(others)) if max(others) > least else 0


def reject_outliers(answers: list[Answer], share: float = 1.0) -> tuple[list[Answer], list[Answer]]:
    """Return those of a page that are digits, and what else about as high was left unread.

    A digit has others around it, not letters or leaves. Creases and what is left of a ruling look
    like a 1, but they are paler than the digits, or not as high.
    `share`: how sure the model is of known digits beside the one for which this was set.
    """
    found = [a for a in answers if not a.digit.blot]
    tall = [a.digit.place[3] for a in found if a.confidence >= DIGIT and not a.digit.mark]
    least = LOW_ONE * np.median(tall or 0)
    # A mark of some height may be a small letter between capitals.
    found = [a for a in found if not a.digit.mark or a.digit.place[3] > least]
    boxes = np.array([a.digit.place for a in found], float).reshape(-1, 4)
    middle, height = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 3]
    ink, confidence, part = (
        np.array([(a.digit.ink, a.confidence, a.part) for a in found]).reshape(-1, 3).T
    )
    confidence[(confidence < DIGIT) | np.array([a.digit.mark for a in found], bool)] = 0
    sure = confidence > 0
    upright = sure & np.array([a.value == 1 for a in found], bool)  # as are many letters and signs
    if sure.any():
        rest = (ink < PALE * np.median(ink[sure])) | upright & (height < least)
        sure &= ~rest
    line = np.array([a.digit.line for a in found])
    clear = (confidence > UNSURE) & ~upright
    # A sign hangs in the middle of its line; digits and letters stand on it, or reach as high.
    away = np.abs(middle[:, None, 1] - middle[:, 1])
    hanging = (line[:, None] == line) & (away + height[:, None] / 2 < HANGING * height)
    sign = hanging[:, clear].any(axis=1)
    sure &= (confidence > UNSURE) | ~sign
    words = _words(boxes, line)
    for word in np.unique(words):
        parts = (words == word) & ~sign
        telling = parts & ~upright
        if parts.sum() > 2 and telling.any():
            mean = np.average(confidence[telling], weights=part[telling])
            sure[words == word] &= mean >= share * WORD
    for i in np.flatnonzero(sure):
        away = np.abs(middle - middle[i]).max(axis=1)
        others = (away < AROUND * height[i]) & (height > height[i] / 2) & ~rest
        others &= ~hanging[:, i]
        others[i] = False
        row = others & (line == line[i]) & (np.abs(np.log(height / height[i])) < np.log(ALIKE))
        if (clear & row).sum() >= ROW:  # a row of digits stays whatever stands elsewhere
            others = row
        sure[i] = (ITSELF + confidence[others].sum()) / (ITSELF + others.sum()) >= share * AMONG
    digits = [a for a, kept in zip(found, sure, strict=True) if kept]
    if not digits:
        return [], []
    places, kept = np.array([a.digit.place for a in digits], float), set(digits)
    return digits, [a for a in answers if a not in kept and _belongs(a, digits, places)]


def _words(boxes: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the number of the word that each box is part of: a gap parts two, or a new line."""
    left, _, width, height = boxes.T
    order = np.lexsort((left + width / 2, line))
    gap = (left[order][1:] - (left + width)[order][:-1]) / np.minimum(
        height[order][1:], height[order][:-1]
    )
    starts = np.concatenate([[0], (gap > GAP) | (np.diff(line[order]) != 0)])
    words = np.empty(len(boxes), int)
    words[order] = starts.cumsum()
    return words


def is_doubtful(digits: list[Answer], found: list[Answer], shrunk: bool) -> bool:
    """Whether digits that are sure one by one are not as a whole.

    `found`: all that might have been digits; `shrunk`: the picture was reduced, so that small
    writing has lost its shape. An upright stroke without a row may be a crease, or of a form,
    unless nothing else is there.
    """
    places = np.array([a.digit.place for a in digits]).reshape(-1, 4)
    lines, heights = np.array([a.digit.line for a in digits]), places[:, 3]
    if shrunk and digits and np.median(heights) < LEGIBLE:
        return True

    def alone(i: int) -> bool:
        row = (lines == lines[i]) & (np.abs(np.log(heights / heights[i])) < np.log(ALIKE))
        return row.sum() < 2

    return len(found) > 1 and any(a.value == 1 and alone(i) for i, a in enumerate(digits))


def nothing_read(answers: list[Answer], confidence: float) -> tuple[str, list[Answer]]:
    """Say why a page has no digits, and return what of it is left unread.

    `confidence` is the model's mean on known digits: one that is rarely sure of these says little
    by being unsure of a page.
    """
    marks = [a for a in answers if not (a.digit.mark or a.digit.blot)]
    if confidence >= UNSURE or not marks:
        return "no digit found", []
    return f"{counted(len(marks), 'mark')}, the model is sure of none", marks


def _belongs(answer: Answer, digits: list[Answer], places: np.ndarray) -> bool:
    """Whether ink that is no digit is as high as digits nearby, or stands between them."""
    x, y, _, tall = answer.digit.place
    if answer.digit.mark:
        line = [a.digit.place[0] for a in digits if a.digit.line == answer.digit.line]
        return bool(line) and min(line) < x < max(line)
    height = np.median(places[:, 3])
    near = np.abs(places[:, :2] - (x, y)).sum(axis=1) < NEAR * height
    high = 0.5 * height < tall < 2 * height or answer.confidence >= DIGIT
    return bool(high and near.any())
