"""Read pictures with a model: which digits are on each, and how sure it is."""

import math
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from digits import workers
from digits.command_line import only_python_on_stderr
from digits.evaluation import predict
from digits.images import Digit, ImageError, digits_in, read_first_page
from digits.recognition import (
    DIGIT,
    UNSURE,
    Answer,
    best_segmentation,
    quarter_turns,
    reject_outliers,
)

if TYPE_CHECKING:
    from keras import Model

GAP = 0.7  # heights of a digit between two groups of a line, at least
CHUNK = 256  # pictures in memory at a time


@dataclass(eq=False)
class Reading:
    """What was read on one picture; `error` says why there is nothing."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    certainty: float = 1.0  # that there are as many digits as answers
    unread: list[tuple[int, int, int, int]] = field(default_factory=list)  # boxes of other ink
    error: str | None = None
    grey: np.ndarray | None = None  # the picture, where it was asked for
    failed: bool = False  # the picture could not be read at all
    pages: int = 1  # or frames, of which the first was read

    @property
    def digits(self) -> str:
        return digits_of(self.answers)

    @property
    def lines(self) -> list[list[list[Answer]]]:
        """The answers line by line, each line in groups: runs of digits without a wide gap."""
        by_line = groupby(self.answers, key=lambda answer: answer.digit.line)
        return [groups_of(list(line)) for _, line in by_line]

    @property
    def text(self) -> str:
        """The digits as people see them: `12 75 / 345`, lines parted by a slash."""
        return " / ".join(" ".join(map(digits_of, groups)) for groups in self.lines)

    @property
    def confidence(self) -> float:
        """How sure it is that the whole string is right, 0 to 1."""
        if not self.answers:
            return 0.0
        return self.certainty * math.prod(a.confidence for a in self.answers)

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
            "lines": [
                [{"digits": digits_of(group), "box": list(box_around(group))} for group in groups]
                for groups in self.lines
            ],
            "boxes": boxes,
            "unread": [{"box": list(box)} for box in self.unread],
        }
        if self.pages > 1:
            result |= {"page": 1, "pages": self.pages}
        return result | ({"error": self.error} if self.error else {})

    def as_drawn(self) -> tuple:
        """Return all of it as `figures.draw_readings` takes it."""
        found = [(a.digit.box, a.digit.image, a.value, a.confidence) for a in self.answers]
        return self.name, self.grey, self.text, self.confidence, found, self.unread


def digits_of(answers: list[Answer]) -> str:
    return "".join(str(answer.value) for answer in answers)


def box_around(answers: list[Answer]) -> tuple[int, int, int, int]:
    """Return the box (x, y, width, height) around all of them."""
    x, y, width, height = np.array([answer.digit.box for answer in answers]).T
    left, top = int(x.min()), int(y.min())
    return left, top, int((x + width).max()) - left, int((y + height).max()) - top


def groups_of(line: list[Answer]) -> list[list[Answer]]:
    """Part a line at its wide gaps: wider than GAP, and than twice the median of the others."""
    boxes = [answer.digit.place for answer in line]
    gaps = [right[0] - left[0] - left[2] for left, right in pairwise(boxes)]
    height, groups = np.median([height for *_, height in boxes]), [[line[0]]]
    ordered, middle = [*sorted(gaps), 0, 0], (len(gaps) - 2) // 2
    for gap, answer in zip(gaps, line[1:], strict=True):
        median = ordered[middle + (gap <= ordered[middle])]  # of the gaps without this one
        if gap > max(GAP * height, 2 * median):
            groups.append([])
        groups[-1].append(answer)
    return groups


Picture = str | os.PathLike | bytes | np.ndarray


@overload
def read(pictures: Picture, model: "Model") -> Reading: ...
@overload
def read(pictures: Iterable[Picture], model: "Model") -> list[Reading]: ...
def read(pictures: Picture | Iterable[Picture], model: "Model") -> Reading | list[Reading]:
    """Read one picture, or several at once, which takes less time; return a Reading for each.

    A picture is a path, the content of a picture file, or an array: uint8, (height, width)
    grey, or (height, width, 3 or 4) RGB or RGBA, of either polarity. Where a file cannot be
    read, the Reading's `failed` is true and `error` says why. Raises ValueError for an array
    that is no picture. `model` is what `load_model` returns.
    """
    if isinstance(pictures, Picture):
        return read([pictures], model)[0]
    sources = []
    for number, picture in enumerate(pictures, 1):
        if isinstance(picture, bytes | np.ndarray):
            sources.append((f"picture {number}", picture))
        else:
            sources.append((os.fspath(picture), Path(picture)))
        if isinstance(picture, np.ndarray) and not _is_picture(picture):
            raise ValueError(
                f"picture {number} is an array of {picture.dtype}, {picture.shape}; it must be "
                "uint8, (height, width) or (height, width, 3 or 4)"
            )
    with only_python_on_stderr():
        return list(read_pictures(model, sources))


def _is_picture(array: np.ndarray) -> bool:
    channels = array.shape[2:]
    return array.dtype == "uint8" and array.size and channels in ((), (3,), (4,)) and array.ndim > 1


def read_pictures(
    model: "Model",
    sources: Iterable[tuple[str, Path | bytes | np.ndarray | ImageError]],
    keep: int = 0,
    processes: bool = False,
) -> Iterator[Reading]:
    """Yield a Reading for each (name, file or content of a file), in their order.

    Pictures are opened on threads and go through the model some hundred at a time, so memory
    does not grow with their number. The first `keep` Readings hold their picture. With
    `processes`, where there are many, processes of their own open them: twice as fast, but
    the program that calls must then be a script that asks `if __name__ == "__main__"`.
    """
    sources = ((i < keep, *source) for i, source in enumerate(sources))
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))
        size, finding = 1, iter(())  # the first answers come at once
        while chunk := list(islice(sources, size)):
            if processes and len(chunk) == CHUNK:
                processes = False  # one attempt: without shared memory, threads will do
                with suppress(OSError, ImportError):
                    pool = stack.enter_context(workers.start())
            # The next pictures are opened while the model reads those before them.
            before, finding = finding, pool.map(_find, chunk, chunksize=16)
            yield from _ask(model, list(before))
            size = min(4 * size, CHUNK)
        yield from _ask(model, list(finding))


Source = tuple[bool, str, Path | bytes | ImageError]  # keep the picture, its name, and itself


def _find(source: Source, **how: int) -> tuple[Source, Reading, list[Digit]]:
    keep, name, file = source
    try:
        if isinstance(file, ImageError):
            raise file
        grey, pages = read_first_page(file)
    except ImageError as error:
        return source, Reading(name, error=str(error), failed=True), []
    reading = Reading(name, grey=grey if keep else None, pages=pages)
    return source, reading, digits_in(grey, **how)


def _ask(
    model: "Model", found: list[tuple[Source, Reading, list[Digit]]], again: bool = True
) -> Iterator[Reading]:
    """Ask the model about all digits of a chunk at once, and hand out its answers."""
    digits = [d for *_, digits in found for d in digits]
    asked = [d for digit in digits for d in (digit, *(part for *_, part in digit.parts))]
    answers = iter([Answer(d, p) for d, p in zip(asked, _predict(model, asked), strict=True)])
    for source, reading, digits in found:
        candidates, wholes = [], []
        for digit in digits:
            whole, parts = next(answers), list(islice(answers, len(digit.parts)))
            wholes.append(whole)
            best, certainty = best_segmentation(whole, parts)
            for answer in best:
                answer.certainty = certainty
            candidates += best
            if whole.confidence >= DIGIT or len(best) > 1:
                reading.certainty *= certainty
        turns = again and quarter_turns(
            np.array([answer.probabilities for answer in wholes if not answer.digit.blot]),
            lambda turns, digits=digits: _predict(model, [d for d in digits if not d.blot], turns),
        )
        if turns:
            yield from _ask(model, [_find(source, turns=turns)], again=False)
            continue
        reading.answers, unread = reject_outliers(candidates)
        reading.unread = [answer.digit.box for answer in unread]
        reading.certainty *= math.prod(1 - min(answer.confidence, 0.5) for answer in unread)
        if again and digits and not reading.answers:  # another estimate of the background
            yield from _ask(model, [_find(source, attempt=1)], again=False)
            continue
        if not reading.answers and not reading.failed:
            reading.error = "no digit found"
        yield reading


def _predict(model: "Model", digits: list[Digit], turns: int = 0) -> np.ndarray:
    images = np.array([d.image for d in digits], "uint8").reshape(-1, 28, 28)
    return predict(model, np.rot90(images, turns, axes=(1, 2)))
