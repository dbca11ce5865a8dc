"""Recognition: where touching digits are cut and which way a page is turned.

The model was taught to be unsure of what is no digit, so its confidence decides.
"""

from collections.abc import Callable

import numpy as np

from digits.reading.results import Answer
from digits.reading.segmentation import best_paths

TURNED = 4  # digits on a page that may be turned, at least
CLEARER = 2.0  # times as many are misread in any other way: with 1.75, 4 of 2,000 rows were wrong
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

    Return the answers of the most likely of its segmentations, and how certain their digits are
    beside the others. Parts that the model is not sure of are not cut: it may be a letter, or a
    sign.
    """
    ways = segmentations(whole, parts)
    ways = [
        ways[0],
        *((s, a) for s, a in ways[1:] if np.prod([p.confidence for p in a]) > CUT ** len(a)),
    ]
    scores, answers = zip(*ways, strict=True)
    best = int(np.argmax(scores))
    likely = np.exp(LEAD * (np.array(scores) - scores[best]))
    same = [[a.value for a in way] == [a.value for a in answers[best]] for way in answers]
    return answers[best], float(likely[same].sum() / likely.sum())


def quarter_turns(probabilities: np.ndarray, turned: Callable[[int], np.ndarray]) -> int:
    """Return by how many right angles a page is to be turned to the left to be read.

    `probabilities` (n, 10) of all that is on it, and `turned` gives those of its images turned.
    It stays as it is unless one way is clearer than all others: 69 upside down is 69.
    """
    if len(probabilities) < TURNED:
        return 0

    def misread(probabilities: np.ndarray) -> float:  # so many, as the model expects it, and half
        return 0.5 + float((1 - probabilities.max(axis=1)).sum())

    upright = misread(probabilities)
    if upright < CLEARER * 0.5:  # no other way can be so much clearer
        return 0
    ways = [upright, *(misread(turned(turns)) for turns in (1, 2, 3))]
    best, second = sorted(ways)[:2]
    return ways.index(best) if second > CLEARER * best else 0
