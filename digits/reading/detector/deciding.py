"""Which of what was found are digits, how surely, and how surely none was left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digits.model.evaluation import predict
from digits.reading.components import Component
from digits.reading.detector.finding import Network, cut_out, look, peaks
from digits.reading.detector.network import load_calibration, see
from digits.reading.finding import Digit
from digits.reading.geometry import turned
from digits.reading.lines import estimate_slope, find_lines
from digits.reading.results import Answer, Reading

if TYPE_CHECKING:
    from keras import Model

CLEAR = 2  # times as much must be read right in another way, for a page to be turned
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


def read_page(reading: Reading, image: np.ndarray, back: np.ndarray, model: "Model") -> Reading:
    """Fill in what is read on an image of working size; `back` leads to the picture."""
    image, back, candidates = _upright(image, back, model)
    digits, nearly = decide(candidates)
    reading.answers = [Answer(_digit(c, back), c.probabilities) for c in digits]
    reading.unread = [_in_picture(c.box, back) for c in nearly]
    for digit in digits:
        reading.doubt("no digit", min(1.0, digit.chance / float(digit.probabilities.max())))
    for other in nearly:
        reading.doubt("unread ink", 1 - other.chance)
    if not reading.answers:
        reading.error = "no digit found"
    return reading


def _upright(
    image: np.ndarray, back: np.ndarray, model: "Model"
) -> tuple[np.ndarray, np.ndarray, list[Candidate]]:
    """Return a page turned so that most of it is read, and what may be digits there."""
    best = image, back, candidates_on(image, model)
    chances = _chances(best[2])
    if sum(chances) > len(chances) / 2:
        return best
    for turns in (1, 3, 2):
        page = turned(image, back, turns)
        candidates = candidates_on(page[0], model)
        if sum(_chances(candidates)) > CLEAR * sum(_chances(best[2])) + 1:
            best = *page, candidates
    return best


def _chances(candidates: list[Candidate]) -> list[float]:
    return [c.chance for c in candidates]


def _digit(found: Candidate, back: np.ndarray) -> Digit:
    box = _in_picture(found.box, back)
    return Digit(box, found.image, line=found.line, place=_place(found.box))


def _place(box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top))


def _in_picture(box: Box, back: np.ndarray) -> tuple[int, int, int, int]:
    """Return x, y, width and height of a box in the picture."""
    corners = np.array([box[:2], box[2:]]) @ back[:2, :2].T + back[:2, 2]
    return _place((*corners.min(axis=0).clip(0), *corners.max(axis=0)))


def candidates_on(
    image: np.ndarray, model: "Model", network: Network = see, weights: np.ndarray | None = None
) -> list[Candidate]:
    """Return what may be digits in an image."""
    levels = look(image, network)
    found = peaks(levels)
    cut = [(peak, digit) for peak in found if (digit := cut_out(peak, levels, found))]
    images = np.array([digit[0] for _, digit in cut], "uint8").reshape(-1, 28, 28)
    candidates = [
        Candidate(image, box, peak.heat, probabilities)
        for (peak, (image, box)), probabilities in zip(cut, predict(model, images), strict=True)
    ]
    weights = load_calibration() if weights is None else weights
    for candidate in candidates:
        candidate.chance = chance(candidate.heat, float(candidate.probabilities.max()), weights)
    return candidates


def chance(heat: float, confidence: float, weights: np.ndarray) -> float:
    """Return the probability that a peak is a digit: logistic regression on both logits."""
    return float(1 / (1 + np.exp(-features(heat, confidence) @ weights)))


def features(heat: float, confidence: float) -> np.ndarray:
    return np.array([_logit(heat), _logit(confidence), 1.0])


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
