"""Read pictures with a network: which digits are on each, and how sure it is."""

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

if TYPE_CHECKING:
    from keras import Model

UNSURE = 0.9  # an answer with less confidence is marked
DIGIT = 0.4  # less confidence: that is no digit
ALONE = 0.33  # the same for what stands alone
UPRIGHT = (2, 3, 4, 5, 7)  # the digits that tell which way a page is turned
AROUND = 8  # heights of a digit: of what stands so near beside it ...
MOST = 0.65  # ... this share is digits, at least: in printed text a third of the letters pass
NEAR = 4  # heights to the next digit: what is further away is not called unread
TURNED = 4  # digits on a page that may be turned, at least
SLIM = 0.6  # a digit's width, as a share of its height, that nothing speaks against
WIDE = 0.5  # how much speaks against a digit that is one height wider than that
LEAD = 10  # a way's odds, where it leads by 1: e to that power, as fits made-up rows
GAP = 0.7  # heights of a digit between two groups of a line, at least
CHUNK = 256  # pictures in memory at a time


@dataclass(eq=False)
class Answer:
    """One digit: what the network saw and what it says."""

    digit: Digit
    probabilities: np.ndarray  # (10,)
    certainty: float = 1.0  # that its piece of ink is so many digits, and no others

    @property
    def value(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


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

    Pictures are opened on threads and go through the network some hundred at a time, so memory
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
            # The next pictures are opened while the network reads those before them.
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
    """Ask the network about all digits of a chunk at once, and hand out its answers."""
    digits = [d for *_, digits in found for d in digits]
    asked = [d for digit in digits for d in (digit, *(part for *_, part in digit.parts))]
    answers = iter([Answer(d, p) for d, p in zip(asked, _predict(model, asked), strict=True)])
    for source, reading, digits in found:
        candidates, wholes = [], []
        for digit in digits:
            whole, parts = next(answers), list(islice(answers, len(digit.parts)))
            wholes.append(whole)
            best, certainty = best_cut(whole, parts)
            for answer in best:
                answer.certainty = certainty
            candidates += best
            if whole.confidence >= DIGIT or len(best) > 1:
                reading.certainty *= certainty
        turns = _turns(model, wholes) if again else 0
        if turns:
            yield from _ask(model, [_find(source, turns=turns)], again=False)
            continue
        judge(reading, candidates)
        if again and digits and not reading.answers:  # another opinion of what the paper is
            yield from _ask(model, [_find(source, attempt=1)], again=False)
            continue
        if not reading.answers and not reading.failed:
            reading.error = "no digit found"
        yield reading


def _predict(model: "Model", digits: list[Digit], turns: int = 0) -> np.ndarray:
    images = np.array([d.image for d in digits], "uint8").reshape(-1, 28, 28)
    return predict(model, np.rot90(images, turns, axes=(1, 2)))


def _turns(model: "Model", wholes: list[Answer]) -> int:
    """Return by how many right angles a page is to be turned to the left to be read."""
    if len(wholes) < TURNED:
        return 0

    def clear(probabilities: np.ndarray) -> float:
        sure = probabilities[np.isin(probabilities.argmax(axis=1), UPRIGHT)].max(axis=1)
        return float(sure[sure > UNSURE].sum())

    upright = clear(np.array([answer.probabilities for answer in wholes]))
    if upright > len(wholes) / 2:
        return 0
    digits = [answer.digit for answer in wholes]
    turned = [clear(_predict(model, digits, turns)) for turns in (1, 2, 3)]
    return 1 + int(np.argmax(turned)) if max(turned) > 1.5 * upright + 2 else 0


def judge(reading: Reading, candidates: list[Answer]) -> None:
    """Keep the digits among the candidates; what else is about as high is unread.

    The network was taught to be unsure of what is no digit. A digit has others around it, not
    letters or leaves, and a slim stroke is as high as they are: it is all the network sees of 1.
    """
    found = [a for a in candidates if not a.digit.mark]
    boxes = np.array([a.digit.place for a in found], float).reshape(-1, 4)
    middle, height = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 3]
    least = ALONE if len(found) == 1 else DIGIT
    sure = np.array([a.confidence >= least for a in found], bool)
    for _ in range(2):
        usual = np.median(height[sure]) if sure.any() else 0
        for i in np.flatnonzero(sure):
            aside, above = np.abs(middle - middle[i]).T / height[i]
            # Of what stands in its line most is digits, and for a slim stroke all around.
            one = found[i].value == 1
            near = (aside < AROUND) & (above < (AROUND if one else 2)) & (height > height[i] / 2)
            slim = one and not usual / 2.5 < height[i] < 2 * usual
            sure[i] = sure[near].mean() >= MOST and not slim
    reading.answers = digits = [a for a, kept in zip(found, sure, strict=True) if kept]
    if not digits:
        return
    height, kept = np.median([a.digit.place[3] for a in digits]), set(digits)
    for answer in candidates:
        if answer not in kept and _belongs(answer, digits, height):
            reading.unread.append(answer.digit.box)
            reading.certainty *= 1 - min(answer.confidence, 0.5)


def _belongs(answer: Answer, digits: list[Answer], height: float) -> bool:
    """Whether ink that is no digit is as high as digits nearby, or stands between them."""
    x, y, _, tall = answer.digit.place
    if answer.digit.mark:
        line = [a.digit.place[0] for a in digits if a.digit.line == answer.digit.line]
        return bool(line) and min(line) < x < max(line)
    places = (a.digit.place for a in digits)
    near = (abs(left - x) + abs(top - y) < NEAR * height for left, top, *_ in places)
    high = 0.6 * height < tall < 2 * height or answer.confidence >= DIGIT
    return high and any(near)


def best_cut(whole: Answer, parts: list[Answer]) -> tuple[list[Answer], float]:
    """Decide whether a wide piece is one digit or several that touch, and where to cut.

    Return the answers of the most likely of its `cuts`, and how certain it is beside the others.
    """
    scores, answers = zip(*cuts(whole, parts), strict=True)
    best = int(np.argmax(scores))
    return answers[best], float(1 / np.exp(LEAD * (np.array(scores) - scores[best])).sum())


def cuts(whole: Answer, parts: list[Answer]) -> list[tuple[float, list[Answer]]]:
    """Return score and answers of the piece as one, and of the best way to n digits, for each n.

    A way leads from the first cut to the last. Its score is the sum of the logarithms of the
    confidences, less for wide digits and for cuts through ink.
    """
    ways: dict[tuple[int, int], tuple[float, list[Answer]]] = {(0, 0): (0.0, [])}  # end, digits
    order = sorted(zip(whole.digit.parts, parts, strict=True), key=lambda pair: pair[0][:2])
    for (start, end, doubt, _), answer in order:
        for n in range(start + 1):
            score, before = ways.get((start, n), (-np.inf, []))
            score += _score(answer) - doubt
            if score > ways.get((end, n + 1), (-np.inf,))[0]:
                ways[end, n + 1] = score, [*before, answer]
    last = max((end for _, end, *_ in whole.digit.parts), default=0)
    through = [way for (end, n), way in ways.items() if end == last and n]
    return [(_score(whole), [whole]), *through]


def _score(answer: Answer) -> float:
    _, _, width, height = answer.digit.place
    return float(np.log(answer.confidence)) - WIDE * max(0, width / height - SLIM)
