"""From the network's maps to digits: peaks are digits, and their pixels those that vote for them.

levels = look(image, network)         the picture at several sizes, and what is seen there
found = peaks(levels)                 the middles of digits, each at the size that fits it
image = cut_out(found[0], ...)        its pixels as MNIST has them
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from digits.data.normalization import LOW, bounding_box, normalize_digit
from digits.reading.detector.network import REACH, STRIDE, USUAL, local_contrast
from digits.reading.geometry import edge_grey
from digits.reading.unread import NEAR

STEP = 1.6  # from one size of the picture to the next
FEW = 350_000  # pixels: a picture with fewer is also enlarged
SMALLEST = 24  # pixels: the longest side of the smallest size
MARGIN = 16  # pixels around each size of the picture, a multiple of 8
SIZES = 10, 42  # pixels: digits of other sizes are found at another size of the picture
BEST = 26  # pixels: the size at which a digit is cut out best
MISFIT = 0.15  # of a peak's height, for a size e times as large or small
PEAK = 0.15  # height of a peak that may be a digit
OVERLAP = 0.45, 0.75  # of the union, and of the smaller of two boxes: they are one digit
INKED = 0.4  # probability of ink: with less a pixel is not a digit's
PAPER = 0.15  # and with less than that it is paper
WRITING = 0.5  # probability of ink or of other writing: with more it is something that was written
MARK = 0.15  # heights of the digits: what is smaller is dust
FAINTEST = 4  # grey levels between paper and ink

Network = Callable[[np.ndarray], dict]  # (1, height, width, 2) -> "centre", "ink"


@dataclass(eq=False)
class Level:
    """A picture at one size, and what the network sees there, at that size but for the peaks."""

    scale: float  # pixels here for one of the picture
    grey: np.ndarray  # (height, width) uint8
    heat: np.ndarray  # (height / 4, width / 4): how surely the middle of a digit is there
    size: np.ndarray  # (height / 4, width / 4, 2): height and width of that digit
    ink: np.ndarray  # (height, width): how surely it is ink of a digit
    other: np.ndarray  # (height, width): or of other writing
    way: np.ndarray  # (height, width, 2): down and right to the middle of its digit


class Peak(NamedTuple):
    """What may be a digit; in pixels of the picture."""

    heat: float
    level: int
    x: float  # its middle
    y: float
    width: float
    height: float
    again: float = 0.0  # heat of the same digit at another size of the picture


def look(image: np.ndarray, network: Network, closely: bool = True) -> list[Level]:
    """Return what the network sees in a picture, (height, width) uint8, at several sizes.

    All sizes lie beside each other in one sheet, so that the network is called once. Not `closely`,
    the largest of them, most of the work, is left out.
    """
    scales = _scales(image.shape)
    scales = scales if closely else scales[1:] or scales
    greys = [image if scale == 1 else _resized(image, scale) for scale in scales]
    edge = edge_grey(image)
    rooms = [_with_margin(grey, edge) for grey in greys]
    corners, size = _packed([room.shape[:2] for room in rooms])
    sheet = np.zeros((*size, rooms[0].shape[2]), "float32")
    for room, (y, x) in zip(rooms, corners, strict=True):
        sheet[y : y + room.shape[0], x : x + room.shape[1]] = room
    maps = network(sheet[None])
    centre, ink = (np.asarray(maps[name])[0] for name in ("centre", "ink"))
    return [
        _level(scale, grey, y + MARGIN, x + MARGIN, centre, ink)
        for scale, grey, (y, x) in zip(scales, greys, corners, strict=True)
    ]


def _scales(shape: tuple[int, int]) -> list[float]:
    scale, scales = 2.0 if shape[0] * shape[1] < FEW else 1.0, []
    while max(shape) * scale >= SMALLEST and min(shape) * scale >= 6:
        scales.append(scale)
        scale /= STEP
    return scales or [1.0]


def _resized(image: np.ndarray, scale: float) -> np.ndarray:
    size = [max(1, round(side * scale)) for side in image.shape[::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _with_margin(grey: np.ndarray, edge: int) -> np.ndarray:
    """Return the contrast of a picture with the grey of its edge around it."""
    more = [MARGIN + (-side) % 8 for side in grey.shape]
    around = (MARGIN, more[0], MARGIN, more[1], cv2.BORDER_CONSTANT)
    return local_contrast(cv2.copyMakeBorder(grey, *around, value=edge))


def _packed(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Return where pictures, the largest first, lie in a sheet, y and x, and its height and width.

    The second lies beside the first, the third below that, the fourth beside the third, and so on:
    with sizes that fall by a golden ratio or faster, hardly any room is lost.
    """
    corners, y, x = [(0, 0)], 0, 0
    for n, (height, width) in enumerate(sizes[:-1]):
        y, x = (y, x + width) if n % 2 == 0 else (y + height, x)
        corners.append((y, x))
    ends = np.array(corners) + np.array(sizes)
    height, width = (int(-(-end // STRIDE) * STRIDE) for end in ends.max(axis=0))
    return corners, (height, width)


def _level(
    scale: float, grey: np.ndarray, y: int, x: int, centre: np.ndarray, ink: np.ndarray
) -> Level:
    """Cut what is seen of one size, which begins at y and x of the sheet, out of the maps."""
    height, width = grey.shape
    centre = centre[y // 4 : (y + height) // 4 + 1, x // 4 : (x + width) // 4 + 1]
    ink = ink[y // 2 : (y + height) // 2 + 1, x // 2 : (x + width) // 2 + 1]
    half, across = ink.shape[:2]
    digits = ink[..., :4].reshape(half, across, 2, 2).transpose(0, 2, 1, 3)
    finer = cv2.resize(ink[..., 4:], (2 * across, 2 * half), interpolation=cv2.INTER_LINEAR)
    whole = slice(height), slice(width)
    return Level(
        scale,
        grey,
        _sigmoid(centre[..., 0]),
        USUAL * np.exp(centre[..., 1:].clip(-2, 2)),
        _sigmoid(digits.reshape(2 * half, 2 * across)[whole]),
        _sigmoid(finer[whole][..., 0]),
        REACH * finer[whole][..., 1:],
    )


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def peaks(levels: list[Level], lowest: float = PEAK) -> list[Peak]:
    """Return what may be digits, the surest first, each at the size of the picture that fits."""
    found = []
    for number, level in enumerate(levels):
        top = cv2.dilate(level.heat, np.ones((3, 3), "uint8"))
        for row, column in np.argwhere((level.heat == top) & (level.heat > lowest)):
            height, width = map(float, level.size[row, column])
            longest = max(height, 0.8 * width)
            if SIZES[0] <= longest <= SIZES[1]:
                y, x = _middle(level.heat, row, column)
                sizes = np.array([x, y, width, height]) / level.scale
                heat = float(level.heat[row, column])
                misfit = MISFIT * abs(np.log(longest / BEST))
                found.append((heat - misfit, Peak(heat, number, *map(float, sizes))))
    found.sort(key=lambda pair: -pair[0])
    kept: list[Peak] = []
    boxes = np.empty((len(found), 4))
    again = np.zeros(len(found))
    for _, peak in found:
        same = _covering(peak, boxes[: len(kept)])
        for n in same:
            if kept[n].level != peak.level:
                again[n] = max(again[n], peak.heat)
        if not len(same):
            boxes[len(kept)] = peak.x, peak.y, peak.width, peak.height
            kept.append(peak)
    return [peak._replace(again=float(again[n])) for n, peak in enumerate(kept)]


def _middle(heat: np.ndarray, row: int, column: int) -> tuple[float, float]:
    """Return y and x of a peak, in pixels: the centre of mass of the 3x3 cells around it."""
    top, left = max(0, row - 1), max(0, column - 1)
    part = heat[top : row + 2, left : column + 2]
    y, x = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
    return 4 * float((y * part).sum() / part.sum()) + 2, 4 * float(
        (x * part).sum() / part.sum()
    ) + 2


def _covering(peak: Peak, boxes: np.ndarray) -> np.ndarray:
    """Return which of surer peaks, `boxes` (n, 4), are the same digit."""
    x, y, width, height = boxes.T
    across = np.minimum(peak.x + peak.width / 2, x + width / 2) - np.maximum(
        peak.x - peak.width / 2, x - width / 2
    )
    down = np.minimum(peak.y + peak.height / 2, y + height / 2) - np.maximum(
        peak.y - peak.height / 2, y - height / 2
    )
    common = across.clip(0) * down.clip(0)
    mine, others = peak.width * peak.height, width * height
    union, smaller = mine + others - common, np.minimum(mine, others)
    near = (abs(peak.x - x) < 0.3 * np.minimum(np.minimum(peak.width, width), peak.height)) & (
        abs(peak.y - y) < 0.35 * np.minimum(peak.height, height)
    )
    return np.flatnonzero((common > OVERLAP[0] * union) | (common > OVERLAP[1] * smaller) | near)


class Cut(NamedTuple):
    """A digit that was cut out."""

    image: np.ndarray  # (28, 28) uint8, as MNIST's are
    box: np.ndarray  # left, top, right, bottom in pixels of the picture
    contrast: float  # grey levels between paper and ink
    ink: float  # how surely its pixels are ink of a digit, on average
    other: float  # or of other writing


def cut_out(peak: Peak, levels: list[Level], others: list[Peak]) -> Cut | None:
    """Return a digit; None if no ink is left of it.

    Its pixels are those whose way leads to its middle and to none of `others`.
    """
    level = levels[peak.level]
    scale = level.scale
    height, width = level.ink.shape
    left, right = ((peak.x + side * 0.85 * peak.width) * scale + 5 * side for side in (-1, 1))
    top, bottom = ((peak.y + side * 0.75 * peak.height) * scale + 5 * side for side in (-1, 1))
    rows = slice(max(0, int(top)), min(height, int(bottom) + 1))
    columns = slice(max(0, int(left)), min(width, int(right) + 1))
    ink, way = level.ink[rows, columns], level.way[rows, columns]
    if min(ink.shape) < 3:
        return None
    y, x = np.mgrid[rows, columns] + 0.5
    y, x = (y + way[..., 0]) / scale, (x + way[..., 1]) / scale
    mine = (y - peak.y) ** 2 + (x - peak.x) ** 2
    nearest = np.full(mine.shape, (0.6 * max(peak.height, peak.width)) ** 2)
    for other in others:
        if (
            other is not peak
            and abs(other.x - peak.x) < 2 * (peak.width + other.width)
            and abs(other.y - peak.y) < 1.5 * (peak.height + other.height)
        ):
            nearest = np.minimum(nearest, (y - other.y) ** 2 + (x - other.x) ** 2)
    mask = (ink > INKED) & (mine < nearest)
    if mask.sum() < 6:
        return None
    grey = level.grey[rows, columns].astype("float32")
    blank = ink < PAPER
    paper = np.median(grey[blank]) if blank.sum() > 5 else np.median(grey)
    contrast = np.percentile((grey - paper)[mask], [10, 90])
    full = contrast[np.abs(contrast).argmax()]
    if abs(full) < FAINTEST:
        return None
    solid = ((grey - paper) / full).clip(0, 1) * cv2.dilate(
        mask.astype("uint8"), np.ones((3, 3), "uint8")
    )
    there = bounding_box(solid > LOW)
    if there is None:
        return None
    image = normalize_digit(solid[there] > LOW, solid[there])
    corner = np.array([columns.start + there[1].start, rows.start + there[0].start])
    size = np.array([there[1].stop - there[1].start, there[0].stop - there[0].start])
    box = np.concatenate([corner, corner + size]) / scale
    seen = (float(seen[rows, columns][mask].mean()) for seen in (level.ink, level.other))
    return Cut(image, box, float(abs(full)), *seen)


def other_writing(levels: list[Level], digits: np.ndarray, height: float) -> list[np.ndarray]:
    """Return boxes of writing near digits that is none of them; like `digits`, (n, 4).

    `height` is that of the digits, in pixels of the picture.
    """
    level = min(levels, key=lambda level: abs(np.log(level.scale * height / BEST)))
    height *= level.scale
    writing = (np.maximum(level.ink, level.other) > WRITING).astype("uint8")
    boxes = digits * level.scale
    for left, top, right, bottom in boxes.round().astype(int):
        writing[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = 0
    close = np.ones((1 + 2 * round(0.1 * height),) * 2, "uint8")
    joined = cv2.morphologyEx(writing, cv2.MORPH_CLOSE, close)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    found = []
    for x, y, wide, high, _ in cv2.connectedComponentsWithStats(joined)[2][1:]:
        away = np.abs(middles - (x + wide / 2, y + high / 2)).max(axis=1).min()
        if max(wide, high) > MARK * height and away < NEAR * height:
            found.append(np.array([x, y, x + wide, y + high]) / level.scale)
    return found
