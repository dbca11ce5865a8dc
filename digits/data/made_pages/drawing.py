"""What made pages are drawn with: a pen, a sheet of paper, light and a camera.

Pixels are float32 from 0 (black) to 1 (white), lengths are in pixels. The random generator `rng`
is always given: the same one draws the same page.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits.data.normalization import bounding_box

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
FINE = 4  # times as many pixels as MNIST's, on which strokes are traced
BLOT = 1.8  # half widths of a stroke: what is further inside is a blot
WIDER = 1.2  # times its own width, at most, a stroke is drawn
EDGE = 0.03  # of a page's longest side: so much at each edge the camera may not see
OTHER = -1  # the mark of writing that is no digit
NEIGHBOURS = 5  # other digits: most of those nearest to a legible one have its label


class Strokes:
    """MNIST digits as strokes that a pen of any width can follow."""

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        """`images` (n, 28, 28) uint8, `labels` (n,)."""
        self.images, self.labels = images, labels
        self._traced = {}

    def choose(self, rng: np.random.Generator) -> int:
        """Return the number of some digit without blots, as where a loop ran full of ink."""
        while True:
            i = int(rng.integers(len(self.labels)))
            if i not in self._traced:
                self._traced[i] = _trace(self.images[i])
            _, depth, typical = self._traced[i]
            if depth.max() < BLOT * typical:
                return i

    def distance(self, i: int, pen: float) -> np.ndarray:
        """Return the distance to the edge of digit `i`, positive inside, (height, width) float32.

        In pixels of 1 / FINE of MNIST's, as is `pen`, the width of the stroke; not much more than
        the digit's own, or its loops would close.
        """
        centre, depth, typical = self._traced[i]
        half = min(pen / 2, WIDER * typical)
        return np.maximum(half - centre, depth - max(0, typical - half))


def legible(
    images: np.ndarray, labels: np.ndarray, others: np.ndarray, other_labels: np.ndarray
) -> np.ndarray:
    """Return which digits look like their label, (n,) bool: most of their nearest neighbours do.

    Judged by other digits, not by the model: some of MNIST's are illegible or labelled wrongly.
    """

    def small(images: np.ndarray) -> np.ndarray:
        return images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4), dtype="float32").reshape(-1, 196)

    others = small(others)
    squares, kept = (others**2).sum(axis=1), []
    for i in range(0, len(images), 250):
        nearest = squares - 2 * small(images[i : i + 250]) @ others.T
        nearest = np.argpartition(nearest, NEIGHBOURS)[:, :NEIGHBOURS]
        same = other_labels[nearest] == labels[i : i + 250, None]
        kept.append(same.mean(axis=1) > 0.5)
    return np.concatenate(kept)


def _trace(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the distances to the centreline and to the edge, and the typical half width."""
    size = (FINE * image.shape[1], FINE * image.shape[0])
    grey = cv2.resize(image.astype("float32"), size, interpolation=cv2.INTER_CUBIC)
    ink = (cv2.GaussianBlur(grey, (0, 0), 0.4 * FINE) > 110).astype("uint8")
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth -= cv2.distanceTransform(1 - ink, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    line = _thin(ink)
    centre = cv2.distanceTransform(1 - line, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    smooth = [cv2.GaussianBlur(a, (0, 0), 1.2) for a in (centre, depth)]
    return *smooth, float(np.median(depth[line > 0]))


def _thin(ink: np.ndarray) -> np.ndarray:
    """Return the centreline of strokes, one pixel wide (Zhang and Suen, 1984); 0 and 1, uint8."""
    while True:
        before = ink
        for removed in _removed():
            around = cv2.filter2D(ink, -1, np.array([[1, 2, 4], [128, 0, 8], [64, 32, 16]], "f"))
            ink = ink * (1 - removed[around])
        if (ink == before).all():
            return ink


@cache
def _removed() -> tuple[np.ndarray, np.ndarray]:
    """Return by the bits of a pixel's neighbours, clockwise, whether each half step takes it."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    total, rises = bits.sum(axis=1), ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    _, top, _, right, _, bottom, _, left = bits.T
    edge = (total >= 2) & (total <= 6) & (rises == 1)
    first = edge & (top * right * bottom == 0) & (right * bottom * left == 0)
    second = edge & (top * right * left == 0) & (top * bottom * left == 0)
    return first.astype("uint8"), second.astype("uint8")


@dataclass
class Hand:
    """How somebody writes."""

    strokes: Strokes
    rng: np.random.Generator
    height: float  # of a digit
    pen: float  # width of a stroke, as a fraction of the height
    colour: tuple[float, float, float]
    slant: float  # shift of the top to the right, as a fraction of the height
    gap: float  # between two digits, as a fraction of the height
    opaque: bool = False  # chalk covers what is below, ink lets it through
    grain: float = 0.0  # how much paler a pencil gets where the paper is rough, at most
    unsteady: float = 0.05  # standard deviation of heights and baselines, as a fraction

    @property
    def width(self) -> float:
        """The width of a stroke in pixels."""
        return max(1.3, self.pen * self.height)

    def digit(self) -> tuple[np.ndarray, str]:
        """Return some digit, (height, width) float32, 1 where there is ink, and its label."""
        i = self.strokes.choose(self.rng)
        rows, columns = bounding_box(self.strokes.distance(i, 3 * FINE) > 0)
        height = self.height * np.exp(self.rng.normal(0, self.unsteady))
        scale = height / max(rows.stop - rows.start, 0.8 * (columns.stop - columns.start))
        matrix = scale * np.array([[1, -self.slant - self.rng.normal(0, 0.04), 0], [0, 1, 0]])
        matrix[0, 0] *= np.exp(self.rng.normal(0, 0.05))
        distance = self.strokes.distance(i, self.width / scale)
        side = len(distance)
        corners = np.array([(0, 0), (0, side), (side, 0), (side, side)]) @ matrix[:, :2].T
        matrix[:, 2] = -corners.min(axis=0)
        size = np.ceil(np.ptp(corners, axis=0)).astype(int)
        distance = cv2.warpAffine(distance, matrix, size, borderValue=-side)
        mask = np.clip(0.5 + scale * distance, 0, 1)
        mask = mask[bounding_box(mask > 0.1)]
        if self.grain:
            rough = cloud(self.rng, *mask.shape, 1.2).clip(0, 1)
            mask = mask * (1 - self.grain * rough)
        return mask, str(self.strokes.labels[i])


@dataclass
class Page:
    """A sheet of paper, where there is room to write, what is written, and where.

    `marks` says of each pixel what its ink is: 0 for paper and all that is no writing, a number
    from 1 on for each digit, OTHER for letters and signs.
    """

    pixels: np.ndarray  # (height, width, 3) float32
    left: float = 0.0  # the margins
    right: float = np.inf
    baselines: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # the digits on each
    boxes: list[tuple[float, ...]] = field(default_factory=list)  # left, top, right, bottom
    digits: int = 0  # written so far

    def __post_init__(self):
        self.marks = np.zeros(self.pixels.shape[:2], "int16")

    def lay(
        self, mask: np.ndarray, x: float, y: float, colour, opaque: bool = False, mark: int = 0
    ) -> None:
        """Lay ink on the sheet, `mask` (height, width) from 0 to 1, its corner at x, y."""
        x, y = round(x), round(y)
        top, left = max(0, y), max(0, x)
        here = slice(top, max(0, y + len(mask))), slice(left, max(0, x + mask.shape[1]))
        below, marks = self.pixels[here], self.marks[here]
        mask = mask[top - y :, left - x :][: below.shape[0], : below.shape[1], None]
        if mark or opaque:
            marks[mask[..., 0] > 0.5] = mark
        colour = np.float32(colour)
        below *= 1 - mask if opaque else 1 - mask * (1 - colour)
        if opaque:
            below += mask * colour

    def stroke(self, points, width: float, colour, opaque: bool = False, mark: int = 0) -> None:
        """Draw a line through points (n, 2), x and y; thinner than a pixel, it gets paler."""
        points, room = np.asarray(points, float), int(width) + 2
        x, y = np.floor(points.min(axis=0)) - room
        size = np.ceil(np.ptp(points, axis=0)).astype(int) + 2 * room + 2
        mask = np.zeros(size[::-1], "uint8")
        line = np.round(16 * (points - (x, y))).astype("int32")
        ink = round(255 * min(1, width))
        cv2.polylines(mask, [line], False, ink, max(1, round(width)), cv2.LINE_AA, 4)
        self.lay(mask.astype("float32") / 255, x, y, colour, opaque, mark)

    def digit(self, mask: np.ndarray, label: str, x: float, y: float, colour, opaque: bool) -> None:
        """Lay a digit on the sheet, its corner at x, y."""
        self.digits += 1
        self.lay(mask, x, y, colour, opaque, self.digits)
        self.lines[-1] += label
        self.boxes.append((x, y, x + mask.shape[1], y + mask.shape[0]))

    def number(self, hand: Hand, x: float, y: float, digits: int, centred: bool = False) -> float:
        """Write digits from x on, or around it, on the baseline y; return where they end.

        What does not fit before the right margin is not written, but for a line's first digit.
        """
        drawn = [hand.digit() for _ in range(digits)]
        gaps = hand.gap * np.exp(hand.rng.normal(0, 0.25, digits))
        gaps = hand.height * (gaps.clip(0.08) if hand.gap > 0 else gaps)
        if centred:
            x -= (sum(mask.shape[1] for mask, _ in drawn) + gaps[1:].sum()) / 2
        for (mask, label), gap in zip(drawn, gaps, strict=True):
            height, width = mask.shape
            if x + width > self.right and self.lines[-1]:
                break
            top = y - height + hand.rng.normal(0, hand.unsteady) * hand.height
            self.digit(mask, label, x, top, hand.colour, hand.opaque)
            x += width + gap
        return x

    def text(self, words: str, font: str, size: float, x: float, y: float, colour) -> float:
        """Print words in one of Matplotlib's fonts from x on, on the baseline y; return the end."""
        kind = ImageFont.truetype(FONTS / f"{font}.ttf", round(size))
        left, top, right, bottom = kind.getbbox(words, anchor="ls")
        image = Image.new("L", (right - left + 2, bottom - top + 2))
        ImageDraw.Draw(image).text((-left, -top), words, 255, kind, "ls")
        self.lay(np.asarray(image, "float32") / 255, x, y + top, colour, mark=OTHER)
        return x + image.width


def cloud(rng: np.random.Generator, height: int, width: int, grain) -> np.ndarray:
    """Return smooth noise, (height, width) float32, deviation near 1; `grain` in pixels, or two."""
    across, down = np.broadcast_to(grain, 2)
    size = 3 + int(height / down), 3 + int(width / across)
    noise = cv2.resize(rng.standard_normal(size, "float32"), None, fx=across, fy=down,
                       interpolation=cv2.INTER_CUBIC)  # fmt: skip
    return noise[:height, :width] if noise.shape >= (height, width) else noise


def gradient(page: Page, rng: np.random.Generator, darkest: float) -> None:
    """Light the page from one side; at the other there is a fraction `darkest` of the light."""
    height, width = page.pixels.shape[:2]
    turn = rng.uniform(0, 2 * np.pi)
    ramp = (
        np.cos(turn) * np.linspace(-1, 1, width)
        + np.sin(turn) * np.linspace(-1, 1, height)[:, None]
    )
    ramp = (ramp - ramp.min()) / np.ptp(ramp)
    page.pixels *= (1 - (1 - darkest) * ramp ** rng.uniform(0.8, 2)).astype("float32")[..., None]


def shadow(page: Page, rng: np.random.Generator, light: float, edge: float) -> None:
    """Let something throw a shadow, in which there is a fraction `light`; `edge` in pixels."""
    size = np.array(page.pixels.shape[1::-1])
    middle = rng.uniform(0, 1, 2) * size
    turn = np.sort(rng.uniform(0, 2 * np.pi, 7))
    corners = np.stack([np.cos(turn), np.sin(turn)], axis=1) * size * rng.uniform(0.3, 0.9, (7, 1))
    mask = np.zeros(size[::-1], "float32")
    cv2.fillPoly(mask, [(middle + corners).astype("int32")], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), edge)
    page.pixels *= (1 - (1 - light) * mask)[..., None]


def photograph(
    page: Page,
    rng: np.random.Generator,
    blur: float | None = None,
    noise: float | None = None,
    quality: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the page as a camera or a scanner sees it, the boxes of its digits, and the marks.

    The picture is (height, width, 3) uint8, the boxes (n, 4): left, top, right, bottom, the marks
    (height, width) int16. `blur` is in pixels, `noise` a fraction of white, `quality` that of
    JPEG; without, all three are good.
    """
    height, width = page.pixels.shape[:2]
    edge = EDGE * max(height, width)
    seen = np.float32([(edge, edge), (width - edge, edge), (edge, height - edge)])
    seen = np.vstack([seen, np.float32([(width - edge, height - edge)])])
    if rng.random() < 0.6:  # by hand
        seen += rng.uniform(-0.8 * edge, 0.8 * edge, seen.shape).astype("float32") / 1.5
    size = int(width - 2 * edge), int(height - 2 * edge)
    corners = np.float32([(0, 0), (size[0], 0), (0, size[1]), size])
    to = cv2.getPerspectiveTransform(seen, corners)
    pixels = cv2.warpPerspective(page.pixels, to, size, flags=cv2.INTER_LINEAR)
    pixels = cv2.GaussianBlur(pixels, (0, 0), blur or rng.uniform(0.3, 0.7))
    pixels *= rng.uniform(0.93, 1, 3).astype("float32")  # white balance
    noise = rng.uniform(0.002, 0.012) if noise is None else noise
    pixels += noise * rng.standard_normal((*pixels.shape[:2], 1), "float32")
    picture = (255 * pixels).clip(0, 255).astype("uint8")
    quality = [cv2.IMWRITE_JPEG_QUALITY, quality or int(rng.integers(70, 96))]
    picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    boxes = np.float32(page.boxes).reshape(-1, 4)
    around = boxes[:, [0, 1, 2, 1, 0, 3, 2, 3]].reshape(-1, 4, 2)
    if len(boxes):
        around = cv2.perspectiveTransform(around, to)
    marks = cv2.warpPerspective(page.marks, to, size, flags=cv2.INTER_NEAREST)
    return picture, np.hstack([around.min(axis=1), around.max(axis=1)]), marks
