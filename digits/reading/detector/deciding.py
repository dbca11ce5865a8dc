"""Which of what was found are digits, how surely, and how surely none was left out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digits.model.evaluation import predict
from digits.model.trial import trial_of
from digits.reading.detector.finding import Cut, Level, Network, cut_out, look, other_writing, peaks
from digits.reading.detector.network import load_calibration, see
from digits.reading.finding import Digit
from digits.reading.geometry import edge_grey, in_picture, rotate, turned
from digits.reading.lines import LEVEL, estimate_slope, find_lines, levelled
from digits.reading.results import UNSURE, Answer, Reading
from digits.reading.unread import DOUBTFUL

if TYPE_CHECKING:
    from keras import Model

LIKE_ONE = 0.3  # height of a peak: a page where most of these are no digits may be turned
CLEAR = 2  # times as much must be read right in another way, for a page to be turned
UNLIKE = 2.2  # times as high, or as low, as the digits of the page: none of them
NEARLY = 0.05  # probability: with less, nothing was left out
FAINT = 20  # grey levels between paper and ink


@dataclass(eq=False)
class Candidate:
    """What may be a digit."""

    cut: Cut
    heat: float  # how high the detector's peak is
    again: float  # and at another size of the picture
    probabilities: np.ndarray  # (10,) what the model says
    chance: float = 0.0  # that it is a digit, and read right

    @property
    def height(self) -> float:
        left, top, right, bottom = self.cut.box
        return max(bottom - top, 0.5 * (right - left))


@dataclass(eq=False)
class Page:
    """An image, the matrix back to the picture, and what is seen there."""

    image: np.ndarray  # (height, width) uint8
    back: np.ndarray  # (3, 3)
    levels: list[Level]
    candidates: list[Candidate]

    @property
    def read(self) -> float:
        """How many digits are read right, as is to be expected."""
        return sum(c.chance for c in self.candidates)


def read_page(reading: Reading, image: np.ndarray, back: np.ndarray, model: "Model") -> Reading:
    """Fill in what is read on an image of working size; `back` leads to the picture."""
    page = _level(_upright(_seen(image, back, model), model), model)
    digits, nearly = decide(page.candidates)
    boxes = np.array([c.cut.box for c in digits]).reshape(-1, 4)
    if not digits:
        reading.error = "no digit found"
        return reading
    height = _usual_height(digits)
    for line, numbers in enumerate(find_lines(levelled(boxes, height), height)):
        for digit in (digits[n] for n in numbers):
            box, place = (in_picture(digit.cut.box, to) for to in (page.back, np.eye(3)))
            answer = Answer(
                Digit(box, digit.cut.image, line=line, place=place), digit.probabilities
            )
            reading.answers.append(answer)
            why = "faint" if digit.cut.contrast < FAINT else "no digit"
            reading.doubt(why, min(1.0, digit.chance / answer.confidence))
    others = other_writing(page.levels, boxes, height)
    for other in nearly:
        reading.doubt("unread ink", 1 - other.chance)
    if others:
        reading.doubt("letters nearby", at_most=DOUBTFUL)
    reading.doubt("model", trial_of(model).trust)
    left = [c.cut.box for c in nearly if not any(_same(c.cut.box, other) for other in others)]
    reading.unread = [in_picture(box, page.back) for box in [*others, *left]]
    return reading


def _same(box: np.ndarray, other: np.ndarray) -> bool:
    """Whether one box has its middle in the other."""
    middle = (box[:2] + box[2:]) / 2
    return bool((other[:2] <= middle).all() and (middle <= other[2:]).all())


def _seen(
    image: np.ndarray,
    back: np.ndarray,
    model: "Model",
    closely: bool = True,
    network: Network = see,
) -> Page:
    levels = look(image, network, closely)
    weights = load_calibration(trial_of(model).confidence >= UNSURE)
    return Page(image, back, levels, candidates_on(levels, model, weights))


def _upright(page: Page, model: "Model") -> Page:
    """Turn a page on which little is read in the way in which far more is."""
    best = page
    there = [c.chance for c in page.candidates if c.heat > LIKE_ONE]
    if there and 2 * sum(there) >= len(there):
        return page
    for turns in (1, 3, 2):
        other = _seen(*turned(page.image, page.back, turns), model, closely=False)
        if other.read > CLEAR * best.read + 1:
            best = other
    return page if best is page else _seen(best.image, best.back, model)


def _level(page: Page, model: "Model") -> Page:
    """Rotate a page so that its lines are level."""
    digits, _ = decide(page.candidates)
    if len(digits) < 4:
        return page
    slope = estimate_slope(np.array([c.cut.box for c in digits]), _usual_height(digits))
    if abs(slope) <= LEVEL:
        return page
    image, back = rotate(page.image, slope, edge_grey(page.image))
    other = _seen(image, page.back @ back, model)
    return other if other.read > page.read else page


def candidates_on(levels: list[Level], model: "Model", weights: np.ndarray) -> list[Candidate]:
    """Return what may be digits; `weights` are those of `features`, for their chance."""
    found = peaks(levels)
    cut = [(peak, digit) for peak in found if (digit := cut_out(peak, levels, found))]
    images = np.array([digit.image for _, digit in cut], "uint8").reshape(-1, 28, 28)
    candidates = []
    for (peak, digit), probabilities in zip(cut, predict(model, images), strict=True):
        candidate = Candidate(digit, peak.heat, peak.again, probabilities)
        candidate.chance = float(1 / (1 + np.exp(-features(candidate) @ weights)))
        candidates.append(candidate)
    return candidates


def features(found: Candidate) -> np.ndarray:
    """Return what says that it is a digit and read right, for a logistic regression: (7,).

    The last but one is for strokes, which many signs are, too.
    """
    seen = found.heat, found.again, found.cut.ink, found.cut.other, float(found.probabilities.max())
    return np.array([*map(_logit, seen), found.probabilities.argmax() == 1, 1.0])


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))


def decide(candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Return which are digits, and which nearly are."""
    digits = [c for c in candidates if c.chance > 0.5]
    if len(digits) > 1:
        usual = _usual_height(digits)
        digits = [c for c in digits if usual / UNLIKE < c.height < usual * UNLIKE]
    nearly = [c for c in candidates if c not in digits and c.chance > NEARLY]
    return digits, nearly


def _usual_height(digits: list[Candidate]) -> float:
    """Return the median height, of which the surer digits have the larger part."""
    ordered = sorted(digits, key=lambda c: c.height)
    upto = np.cumsum([c.chance for c in ordered])
    return ordered[int(np.searchsorted(upto, upto[-1] / 2))].height
