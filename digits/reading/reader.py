"""Read pictures with a model: which digits are on each, and how sure it is."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, overload

import numpy as np

from digits.data.picture_files import ImageError, read_first_page
from digits.model import quiet_keras as keras
from digits.model.evaluation import predict
from digits.model.trial import Trial, trial_of
from digits.reading import workers
from digits.reading.detector.deciding import read_page
from digits.reading.extremal_regions import Region
from digits.reading.finding import Digit, digits_on, normalized_digit
from digits.reading.geometry import scale_of, to_working_size, turned
from digits.reading.merging import better
from digits.reading.pictures import Content, Picture, Pictures, sources_of
from digits.reading.recognition import best_segmentation, quarter_turns
from digits.reading.region_reading import digits_of, regions_on
from digits.reading.rejection import reject_outliers
from digits.reading.results import DIGIT, UNSURE, Answer, Reading
from digits.reading.unread import DOUBTFUL, doubt, nothing_read

if TYPE_CHECKING:
    from keras import Model

SAMPLE = 64  # of what is on a page, at most: they say which way it is turned
CHUNK = 128  # pictures in memory at a time, at the size to work at
FRONT_ENDS = (
    "both",
    "rules",
    "regions",
    "detector",
)  # how digits are found; the first is the default


@overload
def read(pictures: Picture, model: "Model", threshold: float = UNSURE) -> Reading: ...
@overload
def read(pictures: Pictures, model: "Model", threshold: float = UNSURE) -> list[Reading]: ...
def read(
    pictures: Picture | Pictures, model: "Model", threshold: float = UNSURE
) -> Reading | list[Reading]:
    """Read one picture, or several at once; return a Reading for each.

    A picture is a path, the content of a picture file, a file opened in binary mode, an image
    of Pillow's, a data URL or base64 text, the dict of a sketchpad, or an array: uint8, or
    numbers from 0 to 255 or 0 to 1, (height, width) grey, or (height, width, 3 or 4) RGB or RGBA,
    of either polarity. Arrays (n, 28, 28) and (n, height, width, channels) are n pictures. One
    that cannot be read, a path without a file too, raises nothing, alone or among many: its
    Reading's `failed` is true, and `error` says why. Raises ValueError for an array, and TypeError
    for anything else, that is no picture. `model` is what `load_model` returns. A Reading is
    `unsure` if its confidence is below `threshold`, 0 to 1.
    """
    _check(model, threshold)
    one, sources = sources_of(pictures)
    readings = list(_marked(read_pictures(model, list(sources)), threshold))
    return readings[0] if one else readings


def read_many(pictures: Pictures, model: "Model", threshold: float = UNSURE) -> Iterator[Reading]:
    """Read pictures one after the other, of any number: `read` for more than memory holds.

    They are taken some hundred at a time, and each Reading is given, in their order, as soon as it
    is there. What `pictures` raises ends it, as does what is no picture.
    """
    _check(model, threshold)
    _, sources = sources_of(pictures)
    return _marked(read_pictures(model, sources), threshold)


def _marked(readings: Iterator[Reading], threshold: float) -> Iterator[Reading]:
    for reading in readings:
        reading.threshold = threshold
        yield reading


def _check(model: "Model", threshold: float) -> None:
    if not isinstance(model, keras.Model):  # starts Keras, unless this process is a fork of one
        raise TypeError(
            f"model must be a Keras model, such as load_model() returns, not {type(model).__name__}"
        )
    if not (isinstance(threshold, Real) and 0 <= threshold <= 1):
        raise ValueError(f"threshold must be from 0 to 1, not {threshold!r}")


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
    `front_end`: how digits are found, by "rules", by extremal "regions", by
    "both", or by the learned "detector".
    """
    sources = ((i < keep, *source) for i, source in enumerate(sources))
    find = partial(_find, rules=front_end != "detector")
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))
        size, finding = 1, iter(())  # the first answers come at once
        stopped = None
        while not stopped:
            chunk, stopped = _some_of(sources, size)
            if not chunk:
                break
            if processes and len(chunk) == CHUNK:
                processes = False  # one attempt: without shared memory, threads will do
                with suppress(OSError, ImportError):
                    pool = stack.enter_context(workers.start())
            # The next pictures are opened while the model reads those before them.
            before, finding = finding, pool.map(find, chunk, chunksize=16)
            yield from _ask(model, list(before), front_end)
            size = min(4 * size, CHUNK)
        yield from _ask(model, list(finding), front_end)
        if stopped:
            raise stopped


def _some_of(sources: Iterator, size: int) -> tuple[list, Exception | None]:
    """Return the next sources, and what was raised in place of one more: those before it count."""
    chunk = []
    try:
        for source in islice(sources, size):
            chunk.append(source)  # one by one: what came before an error stays
    except Exception as error:
        return chunk, error
    return chunk, None


@dataclass(eq=False)
class Found:
    """What may be digits on a picture, and the picture at the size to work at."""

    reading: Reading
    digits: list[Digit] = field(default_factory=list)
    page: tuple[np.ndarray, np.ndarray] | None = None  # the image, and the matrix back


def _find(source: tuple[bool, str, Content], rules: bool) -> Found:
    keep, name, file = source
    try:
        if isinstance(file, ImageError):
            raise file
        grey, pages = read_first_page(file)
    except ImageError as error:
        return Found(Reading(name, error=str(error), failed=True))
    reading = Reading(name, grey=grey if keep else None, pages=pages)
    digits = normalized_digit(grey)
    if digits:
        return Found(reading, digits)
    page = to_working_size(grey, enlarge=rules)
    return Found(reading, digits_on(*page) if rules else [], page)


def _ask(model: "Model", chunk: list[Found], front_end: str) -> Iterator[Reading]:
    """Ask the model about a chunk, at once by rules, and yield the better reading of each."""
    if front_end == "detector":
        for found in chunk:
            if found.page is None:
                yield from _read_digits(model, [found])
            else:
                yield read_page(found.reading, *found.page, model)
        return
    for found, rules in zip(chunk, _read_digits(model, chunk), strict=True):
        # One sure digit cannot be read better.
        settled = front_end == "rules" or not (rules.unsure or len(rules.answers) > 1)
        if found.page is None or (settled and front_end != "regions"):
            yield rules
            continue
        regions = _read_regions(model, found)
        yield regions if front_end == "regions" else better(rules, regions)


def _read_regions(model: "Model", found: Found, upright: bool = False) -> Reading:
    """Read a picture by its extremal regions."""
    page = regions_on(*found.page)
    probabilities = _predict(model, page.regions)
    turns = 0 if upright else _turns(model, page.regions, probabilities)
    if turns:
        return _read_regions(model, replace(found, page=turned(*found.page, turns)), upright=True)
    digits = digits_of(page, probabilities.max(axis=1))
    (reading,) = _read_digits(model, [replace(found, digits=digits)], again=False)
    return reading


def _read_digits(model: "Model", chunk: list[Found], again: bool = True) -> Iterator[Reading]:
    """Ask the model about all digits of a chunk at once, and yield what it says of each picture.

    With `again`, a page may be turned, in `chunk` too, or another estimate of its background be
    followed.
    """
    digits = [digit for found in chunk for digit in found.digits]
    asked = [d for digit in digits for d in (digit, *(part for *_, part in digit.parts))]
    answers = iter([Answer(d, p) for d, p in zip(asked, _predict(model, asked), strict=True)])
    trial = trial_of(model) if digits else Trial(1.0, 1.0)
    for found in chunk:
        reading, page = replace(found.reading, doubts={}), found.page
        candidates, wholes = [], []
        for digit in found.digits:
            whole, parts = next(answers), list(islice(answers, len(digit.parts)))
            wholes.append(whole)
            best, certainty = best_segmentation(whole, parts)
            for answer in best:
                answer.certainty, answer.part = certainty, 1 / len(best)
            candidates += best
            if whole.confidence >= DIGIT or len(best) > 1:
                reading.doubt("two segmentations", certainty)
        if again and page:
            strokes = [answer for answer in wholes if not answer.digit.blot]
            probabilities = np.array([answer.probabilities for answer in strokes])
            turns = _turns(model, [answer.digit for answer in strokes], probabilities)
            if turns:
                found.page = turned(*page, turns)
                other = replace(found, digits=digits_on(*found.page))
                yield from _read_digits(model, [other], again=False)
                continue
        reading.answers, unread = reject_outliers(candidates, trial.share)
        reading.unread = [answer.digit.box for answer in unread]
        for answer in unread:
            reading.doubt("unread ink", 1 - min(answer.confidence, 0.5))
        if again and page and wholes and not reading.answers and trial.confidence >= UNSURE:
            other = replace(found, digits=digits_on(*page, attempt=1))  # of the background
            yield from _read_digits(model, [other], again=False)
            continue
        if page and (why := doubt(reading.answers, wholes, shrunk=scale_of(page[1]) > 1)):
            reading.doubt(why, at_most=DOUBTFUL)
        reading.doubt("model", trial.trust)
        if not reading.answers and not reading.failed:
            reading.error, unread = nothing_read(candidates, trial.confidence)
            reading.unread = [answer.digit.box for answer in unread]
        yield reading


def _turns(model: "Model", found: list[Digit] | list[Region], probabilities: np.ndarray) -> int:
    """Return by how many right angles a page is to be turned, by a sample of what is on it."""
    step = 1 + len(found) // SAMPLE
    sample = found[::step]
    return quarter_turns(probabilities[::step], lambda turns: _predict(model, sample, turns))


def _predict(model: "Model", found: list[Digit] | list[Region], turns: int = 0) -> np.ndarray:
    images = np.array([f.image for f in found], "uint8").reshape(-1, 28, 28)
    return predict(model, np.rot90(images, turns, axes=(1, 2)))
