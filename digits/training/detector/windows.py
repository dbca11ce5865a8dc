"""Windows of scenes for the network, and what it should say of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digits.reading.detector.network import REACH, USUAL, local_contrast
from digits.reading.geometry import edge_grey

if TYPE_CHECKING:
    from digits.training.detector.drawing import Scene

SIDE, ROUND = 192, 32  # pixels: a window, and what contrast needs to see around it
SMALLEST = 48  # pixels: a part of a window that another scene fills
SIZES = 10.5, 44  # pixels: heights of digits that are found
FOREIGN = 7, 55  # pixels: what is lower or higher is to be found at another size of the picture
OUTER, LARGEST = 0.2, 160  # how often digits are of such sizes, and the highest of them
ENLARGED = 2.5  # a scene at most: more shows nothing new
SPREAD = 0.11  # heights: deviation of the peak in the middle of a digit


def window(scenes: Iterator["Scene"], rng: np.random.Generator):
    """Return a window of scenes for the network, (SIDE, SIDE, 2), and the two truths."""
    image, marks, sizes = _filled((SIDE, SIDE), scenes, rng)
    return image, *truths(marks, sizes)


def _filled(shape: tuple[int, int], scenes: Iterator["Scene"], rng: np.random.Generator):
    """Return (*shape, 2) of a scene; where it takes no half of that, others fill the rest."""
    scene = next(scenes)
    scale = min(_some_height(rng) / scene[3], ENLARGED)
    axis = int(np.argmin(np.divide(scene[0].shape, shape)))
    half = shape[axis] // 2
    if scale * scene[0].shape[axis] > half or half < SMALLEST:
        return _cut(scene, scale, shape, rng)
    part = (half, shape[1]) if axis == 0 else (shape[0], half)
    parts = [_cut(scene, scale, part, rng), _filled(part, scenes, rng)]
    if rng.random() < 0.5:
        parts.reverse()
    images, marks, sizes = zip(*parts, strict=True)
    after = np.where(marks[1] > 0, marks[1] + len(sizes[0]), marks[1])  # numbers go on
    joined = np.concatenate([marks[0], after], axis)
    return np.concatenate(images, axis), joined, np.concatenate(sizes)


def _cut(scene: "Scene", scale: float, shape: tuple[int, int], rng: np.random.Generator):
    """Return the contrast of a part of a scene, its marks, and the sizes of all its digits."""
    grey, marks, boxes, _ = scene
    size = np.array(shape[::-1])
    turn = np.deg2rad(rng.normal(0, 4))
    rows, columns = grey.shape
    x, y = rng.uniform(0, columns), rng.uniform(0, rows)
    if rng.random() < 0.8:
        written = np.argwhere(marks[::3, ::3])
        if len(written):
            y, x = (
                3 * written[rng.integers(len(written))] + rng.uniform(-0.4, 0.4, 2) * shape / scale
            )
    x = _inside(x, columns, size[0] / scale, rng)
    y = _inside(y, rows, size[1] / scale, rng)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    middle = size / 2 + ROUND
    matrix = np.array([[cosine, -sine, middle[0] - cosine * x + sine * y],
                       [sine, cosine, middle[1] - sine * x - cosine * y]])  # fmt: skip
    border = edge_grey(grey) if rng.random() < 0.7 else int(rng.integers(256))
    if scale < 0.7:  # a reduced picture is averaged first
        grey = cv2.blur(grey, (round(1 / scale),) * 2)
    around = tuple(map(int, size + 2 * ROUND))
    image = cv2.warpAffine(grey, matrix, around, flags=cv2.INTER_LINEAR, borderValue=border)
    image = local_contrast(_other_light(image.astype("float32"), rng))
    inner = slice(ROUND, -ROUND)
    matrix[:, 2] -= ROUND
    marks = cv2.warpAffine(marks, matrix, shape[::-1], flags=cv2.INTER_NEAREST)
    return image[inner, inner], marks, scale * (boxes[:, 2:] - boxes[:, :2])


def _some_height(rng: np.random.Generator) -> float:
    """Return how high digits are to be in a window: mostly so that they are found there."""
    between = SIZES
    if rng.random() < OUTER:
        between = (SIZES[1], LARGEST) if rng.random() < 0.7 else (FOREIGN[0] / 1.5, SIZES[0])
    return float(np.exp(rng.uniform(*np.log(between))))


def _inside(at: float, size: int, side: float, rng: np.random.Generator) -> float:
    """Return the middle of a window that is mostly on the page, or has most of it."""
    if size < side:
        return size / 2 + rng.uniform(-0.5, 0.5) * (side - size)
    return min(max(at, 0.4 * side), size - 0.4 * side)


def _other_light(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a window of either polarity, in other light, blurred, with noise; uint8."""
    if rng.random() < 0.4:
        image = 255 - image
    if rng.random() < 0.5:
        image = 255 * (image / 255) ** float(np.exp(rng.normal(0, 0.4)))
    if rng.random() < 0.4:
        image = (image - 128) * rng.uniform(0.2, 1) + 128 + rng.uniform(-40, 40)
    if rng.random() < 0.25:
        uneven = cv2.resize(rng.standard_normal((4, 4), "float32"), image.shape[::-1],
                            interpolation=cv2.INTER_CUBIC)  # fmt: skip
        image = image + 25 * rng.random() * uneven
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.4:
        image = image + rng.uniform(0, 12) * rng.standard_normal(image.shape, "float32")
    return image.clip(0, 255).astype("uint8")


def truths(marks: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network should say of a window: see `build_detector`.

    "centre" (height / 4, width / 4, 5): the peaks, logarithms of height and width, 1 where these
    count, the weight; "ink" (height / 2, width / 2, 9): ink of digits, other writing, the way to
    the middle, 1 where this counts, the weight. `marks` are (height, width), multiples of 4;
    `sizes` (n, 2) are widths and heights of whole digits. No peak should be where digits are of a
    foreign size; what is cut by the window, covered, or nearly of a foreign size is ignored.
    """
    rows, columns = marks.shape
    centre = np.zeros((rows // 4, columns // 4, 5), "float32")
    ink = np.zeros((rows // 2, columns // 2, 9), "float32")
    centre[..., 4] = ink[..., 8] = 1
    y4, x4 = (4.0 * np.arange(side) + 2 for side in centre.shape[:2])
    y4 = y4[:, None]
    coarse = marks[::2, ::2]
    y2, x2 = np.nonzero(coarse > 0)
    numbers = coarse[y2, x2]
    y1, x1 = np.nonzero(marks > 0)
    of = marks[y1, x1]
    for number in np.unique(of):
        mine = of == number
        y, x = y1[mine], x1[mine]
        top, bottom, left, right = y.min(), y.max() + 1, x.min(), x.max() + 1
        height, width = bottom - top, right - left
        whole_width, whole_height = sizes[number - 1]
        if not FOREIGN[0] <= max(whole_height, 0.8 * whole_width) <= FOREIGN[1]:
            ink[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2, 8] = 0
            continue
        longest = max(height, 0.8 * width)
        cut = top == 0 or left == 0 or bottom == rows or right == columns
        hidden = height < 0.75 * whole_height or width < 0.6 * whole_width
        if cut or hidden or not SIZES[0] - 2 <= longest <= SIZES[1] + 4:
            near = (y4 > top - 4) & (y4 < bottom + 4) & (x4 > left - 4) & (x4 < right + 4)
            centre[near, 4] = 0
            if hidden or longest < SIZES[0] - 2:
                ink[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2, 8] = 0
            continue
        y0, x0 = (top + bottom) / 2, (left + right) / 2
        spread = max(1.6, SPREAD * height)
        peak = np.exp(-((y4 - y0) ** 2 + (x4 - x0) ** 2) / 2 / spread**2)
        size = np.log(height / USUAL), np.log(width / USUAL), 1
        centre[peak > max(0.35, centre[int(y0) // 4, int(x0) // 4, 0]), 1:4] = size
        peak[int(y0) // 4, int(x0) // 4] = 1
        centre[..., 0] = np.maximum(centre[..., 0], peak)
        mine = numbers == number
        way = np.stack([y0 - 2 * y2[mine] - 1, x0 - 2 * x2[mine] - 1], axis=1) / REACH
        ink[y2[mine], x2[mine], 5:8] = np.hstack([way, np.ones((len(way), 1))])
    blocks = marks.reshape(rows // 2, 2, columns // 2, 2).transpose(0, 2, 1, 3)
    ink[..., :4] = (blocks > 0).reshape(rows // 2, columns // 2, 4)
    ink[..., 4] = (blocks < 0).any(axis=(2, 3))
    return centre, ink
