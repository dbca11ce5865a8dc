"""Read pictures with a network: which digits are on each, and how sure it is."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.evaluation import predict
from digits.images import Digit, ImageError, digits_in, read_grey

if TYPE_CHECKING:
    from keras import Model

UNSURE = 0.8  # an answer with less confidence is marked
NOT_A_DIGIT = 0.4  # less confidence in a single digit: it is taken for no digit at all
CHUNK = 256  # pictures in memory at a time
KEEP_PIXELS = 2000 * 2000  # a larger picture is kept smaller, for drawing


@dataclass
class Answer:
    """One digit: what the network saw and what it says."""

    digit: Digit
    probabilities: np.ndarray  # (10,)

    @property
    def value(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


@dataclass
class Reading:
    """What was read on one picture; `error` says why there is nothing."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    error: str | None = None
    grey: np.ndarray | None = None  # the picture, where it was asked for
    failed: bool = False  # the picture could not be read at all

    @property
    def digits(self) -> str:
        return "".join(str(answer.value) for answer in self.answers)

    @property
    def confidence(self) -> float:
        """How sure it is that the whole string is right, 0 to 1."""
        return float(np.prod([a.confidence for a in self.answers])) if self.answers else 0.0

    @property
    def unsure(self) -> bool:
        return self.confidence < UNSURE

    def as_dict(self) -> dict:
        """Return all of it in plain types, as `--json` prints it."""
        boxes = [
            {
                "box": list(answer.digit.box),
                "digit": answer.value,
                "confidence": round(answer.confidence, 4),
                "probabilities": [round(float(p), 4) for p in answer.probabilities],
            }
            for answer in self.answers
        ]
        result = {
            "image": self.name,
            "digits": self.digits,
            "confidence": round(self.confidence, 4),
            "unsure": self.unsure,
            "boxes": boxes,
        }
        return result | ({"error": self.error} if self.error else {})


def read_pictures(
    model: "Model", sources: Iterable[tuple[str, Path | bytes]], keep_grey: bool = False
) -> Iterator[Reading]:
    """Yield a Reading for each (name, file or content of a file), in their order.

    Pictures are opened on two threads and go through the network some hundred at a time,
    so memory does not grow with their number.
    """
    sources = iter(sources)
    with ThreadPoolExecutor(2) as pool:
        size = 1  # the first answers come at once
        while chunk := list(islice(sources, size)):
            pairs = pool.map(_find, chunk, [keep_grey] * len(chunk))
            yield from _ask(model, list(pairs))
            size = min(4 * size, CHUNK)


def _find(source: tuple[str, Path | bytes], keep_grey: bool) -> tuple[Reading, list[Digit]]:
    name, file = source
    try:
        grey = read_grey(file)
    except ImageError as error:
        return Reading(name, error=str(error), failed=True), []
    return Reading(name, grey=grey if keep_grey else None), digits_in(grey)


def _ask(model: "Model", found: list[tuple[Reading, list[Digit]]]) -> Iterator[Reading]:
    """Ask the network about all digits of a chunk at once, and hand out its answers."""
    asked = [d for _, digits in found for digit in digits for d in (digit, *digit.parts)]
    images = np.stack([d.image for d in asked]) if asked else np.empty((0, 28, 28), "uint8")
    answers = iter([Answer(d, p) for d, p in zip(asked, predict(model, images), strict=True)])
    for reading, digits in found:
        for digit in digits:
            whole, parts = next(answers), list(islice(answers, len(digit.parts)))
            reading.answers += better(whole, parts)
        reading.answers = [a for a in reading.answers if a.confidence >= NOT_A_DIGIT]
        if not reading.answers and not reading.failed:
            reading.error = "no digit found"
        yield reading


def better(whole: Answer, parts: list[Answer]) -> list[Answer]:
    """Decide whether a wide piece is one digit or several that touch."""
    if parts and min(part.confidence for part in parts) > whole.confidence:
        return parts
    return [whole]
