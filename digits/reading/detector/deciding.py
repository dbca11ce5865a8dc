"""Which of what was found are digits, how surely, and how surely none was left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digits.model.evaluation import predict
from digits.reading.components import Component
from digits.reading.detector.finding import Level, cut_out, look, peaks
from digits.reading.detector.network import load_calibration, see
from digits.reading.lines import estimate_slope, find_lines

if TYPE_CHECKING:
    from keras import Model

UNLIKE = 2.2  # times as high, or as low, as the digits of the page: none of them
NEARLY = 0.05  # probability: with less, nothing was left out

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


@dataclass(eq=False)
class Candidate:
    """What may be a digit."""

    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    box: Box
    heat: float  # how high the detector's peak is
    probabilities: np.ndarray  # (10,) what the model says
    chance: float = 0.0  # that it is a digit, and read right
    line: int = 0

    @property
    def height(self) -> float:
        left, top, right, bottom = self.box
        return max(bottom - top, 0.5 * (right - left))


def candidates_on(image: np.ndarray, model: "Model") -> tuple[list[Candidate], list[Level]]:
    """Return what may be digits in an image, and what the network saw."""
    levels = look(image, see)
    found = peaks(levels)
    cut = [(peak, digit) for peak in found if (digit := cut_out(peak, levels, found))]
    images = np.array([digit[0] for _, digit in cut], "uint8").reshape(-1, 28, 28)
    candidates = [
        Candidate(image, box, peak.heat, probabilities)
        for (peak, (image, box)), probabilities in zip(cut, predict(model, images), strict=True)
    ]
    weights = load_calibration()
    for candidate in candidates:
        candidate.chance = chance(candidate.heat, float(candidate.probabilities.max()), weights)
    return candidates, levels


def chance(heat: float, confidence: float, weights: np.ndarray) -> float:
    """Return the probability that a peak is a digit: logistic regression on both logits."""
    features = np.array([_logit(heat), _logit(confidence), 1.0])
    return float(1 / (1 + np.exp(-features @ weights)))


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))


def decide(candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Return which are digits, line by line, and which nearly are."""
    digits = [c for c in candidates if c.chance > 0.5]
    if len(digits) > 1:
        heights = np.array([c.height for c in digits])
        order = np.argsort(heights)
        upto = np.cumsum([digits[i].chance for i in order])
        usual = heights[order][np.searchsorted(upto, upto[-1] / 2)]
        digits = [c for c in digits if usual / UNLIKE < c.height < usual * UNLIKE]
    nearly = [c for c in candidates if c not in digits and c.chance > NEARLY]
    return in_lines(digits), nearly


def in_lines(digits: list[Candidate]) -> list[Candidate]:
    """Return digits in reading order, each with the number of its line."""
    components = [_component(c.box) for c in digits]
    of = {id(component): digit for component, digit in zip(components, digits, strict=True)}
    if not digits:
        return []
    height = float(np.median([c.height for c in components]))
    slope = estimate_slope(components, height)
    for component in components:
        component.y = round(component.y - slope * (component.x + component.width / 2))
    result = []
    for number, line in enumerate(find_lines(components, height)):
        for component in line:
            of[id(component)].line = number
            result.append(of[id(component)])
    return result


def _component(box: Box) -> Component:
    left, top, right, bottom = box
    size = max(1, round(bottom - top)), max(1, round(right - left))
    return Component(np.ones(size, bool), round(left), round(top))
