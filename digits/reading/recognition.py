"""Recognition: where touching digits are cut and which way a page is turned.

The model was taught to be unsure of what is no digit, so its confidence decides.
"""

from collections.abc import Callable

import numpy as np

from digits.reading.results import UNSURE, Answer
from digits.reading.segmentation import best_paths

UPRIGHT = (2, 3, 4, 5, 7)  # the digits that tell which way a page is turned
TURNED = 4  # digits on a page that may be turned, at least
SLIM = 0.6  # a digit's width, in its heights, that nothing speaks against
WIDE = 0.5  # how much speaks against a digit that is one height wider than that
CUT = 0.8  # mean confidence of cut parts: with less it is a letter, or a sign
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
