"""How sure the detector and the model may be together: logistic regression on made scenes.

What is fitted is the probability that a peak is a digit and read right: see `deciding.features`.
"""

from typing import TYPE_CHECKING

import numpy as np

from digits.data.made_pages.kinds import Drawn
from digits.reading.detector.deciding import Candidate, features

if TYPE_CHECKING:
    from collections.abc import Iterable

ROUNDS = 20  # of Newton's method
RIDGE = 1e-2
WITHOUT_MODEL = 1, 1, 1, 1, 0, 0, 1  # of the features, those that are the detector's alone


def fit_calibration(found: "Iterable[tuple[Drawn, list[Candidate]]]") -> np.ndarray:
    """Return the weights of `deciding.features`, (2, 7), from scenes and what was found on them.

    The first leave the model's confidence out.
    """
    x, y = [], []
    for scene, candidates in found:
        labels = "".join(scene.lines)
        for candidate in candidates:
            x.append(features(candidate))
            y.append(_is_right(candidate, scene.boxes, labels))
    x, y = np.array(x), np.array(y, float)
    return np.stack([_logistic_regression(x * WITHOUT_MODEL, y), _logistic_regression(x, y)])


def _logistic_regression(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    weights = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-x @ weights))
        curvature = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(curvature, x.T @ (y - p) - RIDGE * weights)
    return weights


def _is_right(candidate: Candidate, boxes: np.ndarray, labels: str) -> bool:
    """Whether the nearest digit's middle is the candidate's, and its label what the model says."""
    if not len(boxes):
        return False
    left, top, right, bottom = candidate.cut.box
    middle = np.array([left + right, top + bottom]) / 2
    away = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - middle)
    nearest = int(away.sum(axis=1).argmin())
    room = 0.3 * (boxes[nearest, 3] - boxes[nearest, 1]) + 2
    return bool(
        (away[nearest] < room).all() and labels[nearest] == str(candidate.probabilities.argmax())
    )
