"""Read pictures with a model: which digits are on each, and how sure it is."""

import math
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, overload

import numpy as np
from PIL import Image

from digits.data.picture_files import ImageError, read_first_page
from digits.model.evaluation import predict
from digits.model.trial import Trial, trial_of
from digits.reading import workers
from digits.reading.finding import Digit, digits_in
from digits.reading.recognition import (
    DIGIT,
    MARGIN,
    best_segmentation,
    merge_readings,
    nothing_read,
    quarter_turns,
    reject_outliers,
    worth,
)
from digits.reading.region_reading import digits_of, regions_of
from digits.reading.results import UNSURE, Answer, Reading
from digits.streams import only_python_on_stderr

if TYPE_CHECKING:
    from keras import Model

CHUNK = 256  # pictures in memory at a time
DOUBTFUL = 0.8  # certainty, at most, where two ways to find the digits differ in them
FRONT_ENDS = "both", "rules", "regions"  # how digits are found; the first is the default


Picture = str | os.PathLike[str] | bytes | bytearray | BinaryIO | np.ndarray | Image.Image
KINDS = "a path, bytes, a file opened in binary mode, an image of Pillow's or an array"
Content = Path | bytes | np.ndarray | Image.Image | ImageError  # what a picture comes down to


@overload
def read(pictures: Picture, model: "Model") -> Reading: ...
@overload
def read(pictures: Iterable[Picture], model: "Model") -> list[Reading]: ...
def read(pictures: Picture | Iterable[Picture], model: "Model") -> Reading | list[Reading]:
    """Read one picture, or several at once, which takes less time; return a Reading for each.

    A picture is a path, the content of a picture file, a file opened in binary mode, an image
    of Pillow's, or an array: uint8, (height, width) grey, or (height, width, 3 or 4) RGB or RGBA,
    of either polarity. One that cannot be read, a path without a file too, raises nothing, alone
    or among many: its Reading's `failed` is true, and `error` says why. Raises ValueError for an
    array, and TypeError for anything else, that is no picture. `model` is what `load_model`
    returns.
    """
    if isinstance(pictures, str | os.PathLike | bytes | bytearray | np.ndarray | Image.Image):
        return read([pictures], model)[0]
    if hasattr(pictures, "read"):  # an open file, which is iterable too
        return read([pictures], model)[0]
    if not isinstance(pictures, Iterable):
        raise TypeError(f"a picture must be {KINDS}, not {type(pictures).__name__}")
    sources = [_source(picture, f"picture {n}") for n, picture in enumerate(pictures, 1)]
    with only_python_on_stderr():
        return list(read_pictures(model, sources))


def _source(picture: Picture, name: str) -> tuple[str, Content]:
    """Return the name of a picture, `name` if it has none, and what `read_first_page` takes."""
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture), Path(picture)
    if hasattr(picture, "read"):
        picture = picture.read()
    if isinstance(picture, bytes | bytearray):
        return name, bytes(picture)
    if isinstance(picture, np.ndarray) and not _is_picture(picture):
        raise ValueError(
            f"{name} is an array of {picture.dtype}, {picture.shape}; it must be "
            "uint8, (height, width) or (height, width, 3 or 4)"
        )
    if not isinstance(picture, np.ndarray | Image.Image):
        raise TypeError(f"{name} must be {KINDS}, not {type(picture).__name__}")
    return name, picture


def _is_picture(array: np.ndarray) -> bool:
    channels = array.shape[2:]
    return array.dtype == "uint8" and array.size and channels in ((), (3,), (4,)) and array.ndim > 1


def read_pictures(
    model: "Model",
    sources: Iterable[tuple[str, Content]],
    keep: int = 0,
    processes: bool = False,
    front_end: str = FRONT_ENDS[0],
) -> Iterator[Reading]:
    """Yield a Reading for each (name, file or content of a file), in their order.

    Pictures are opened on threads and go through the model some hundred at a time, so memory
    does not grow with their number. The first `keep` Readings hold their picture. With
    `processes`, where there are many, processes of their own open them: twice as fast, but
    the program that calls must then be a script that asks `if __name__ == "__main__"`.
    `front_end`: how digits are found, by "rules", by extremal "regions", or "both".
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
            yield from _ask(model, list(before), front_end=front_end)
            size = min(4 * size, CHUNK)
        yield from _ask(model, list(finding), front_end=front_end)


Source = tuple[bool, str, Content]  # keep the picture, its name, and itself


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
    model: "Model",
    found: list[tuple[Source, Reading, list[Digit]]],
    again: bool = True,
    front_end: str = FRONT_ENDS[0],
) -> Iterator[Reading]:
    """Ask the model about all digits of a chunk at once, and hand out its answers."""
    digits = [d for *_, digits in found for d in digits]
    asked = [d for digit in digits for d in (digit, *(part for *_, part in digit.parts))]
    answers = iter([Answer(d, p) for d, p in zip(asked, _predict(model, asked), strict=True)])
    trial = trial_of(model) if digits else Trial(1.0, 1.0)
    for source, reading, digits in found:
        if front_end == "regions" and not reading.failed and not is_normalized(digits):
            yield _by_regions(model, source, reading)
            list(islice(answers, len(digits) + sum(len(d.parts) for d in digits)))
            continue
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
            yield from _ask(model, [_find(source, turns=turns)], False, front_end)
            continue
        reading.answers, unread = reject_outliers(candidates, trial.share)
        reading.unread = [answer.digit.box for answer in unread]
        reading.certainty *= math.prod(1 - min(answer.confidence, 0.5) for answer in unread)
        is_sure = trial.confidence >= UNSURE
        if again and digits and not reading.answers and is_sure:  # another background estimate
            yield from _ask(model, [_find(source, attempt=1)], False, front_end)
            continue
        reading.certainty *= trial.trust
        if front_end == "both" and not reading.failed and _may_be_more(reading):
            reading = _better(reading, _by_regions(model, source, reading))
        if not reading.answers and not reading.failed:
            reading.error, unread = nothing_read(candidates, trial.confidence)
            reading.unread = [answer.digit.box for answer in unread]
        yield reading


def _better(rules: Reading, regions: Reading) -> Reading:
    """Return the reading that is worth more, with what only the other has found."""
    best, rest, left = rules, regions, []
    values = [worth(r.answers, r.unread, r.confidence) for r in (rules, regions)]
    if values[1] > values[0] + MARGIN[not rules.answers]:
        best, rest, left = regions, rules, rules.unread
    if best.answers:
        answers, unread = merge_readings(best.answers, best.unread, rest.answers, left)
        if len(answers) != len(best.answers) or len(unread) > len(best.unread):
            best.certainty = min(best.certainty, DOUBTFUL)
        best.answers, best.unread = answers, unread
    return best


def _may_be_more(reading: Reading) -> bool:
    """Whether it may be read better: not one sure digit alone."""
    return reading.unsure or len(reading.answers) > 1


def is_normalized(digits: list[Digit]) -> bool:
    return len(digits) == 1 and digits[0].box == (0, 0, 28, 28) and not digits[0].parts


def _by_regions(model: "Model", source: Source, before: Reading, turns: int = 0) -> Reading:
    """Read a picture by its extremal regions; `before` is how it was read by rules."""
    try:
        grey, _ = read_first_page(source[2])
    except ImageError:  # a pipe can be read but once
        return before
    page = regions_of(grey, turns)
    images = np.array([region.image for region in page.regions], "uint8").reshape(-1, 28, 28)
    probabilities = predict(model, images)
    if not turns:
        turns = quarter_turns(
            probabilities, lambda turns: predict(model, np.rot90(images, turns, axes=(1, 2)))
        )
        if turns:
            return _by_regions(model, source, before, turns)
    digits = digits_of(page, probabilities.max(axis=1))
    reading = Reading(before.name, grey=before.grey, pages=before.pages)
    return next(_ask(model, [(source, reading, digits)], again=False, front_end="rules"))


def _predict(model: "Model", digits: list[Digit], turns: int = 0) -> np.ndarray:
    images = np.array([d.image for d in digits], "uint8").reshape(-1, 28, 28)
    return predict(model, np.rot90(images, turns, axes=(1, 2)))
