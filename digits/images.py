"""From a picture of handwriting to digits as MNIST has them. No Keras here.

    grey = read_grey(file)        a picture file -> grey values
    ink = find_ink(grey)          lighting evened out, ink light on dark
    pieces = find_digits(ink)     where the digits are, in reading order
    image = prepare(piece)        28x28, as MNIST was prepared

`digits_in` takes all steps after the first. What they do not believe to be writing they
leave out, so that a blank page gives no digits.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 60_000_000
SMALL, LARGE = 112, 1400  # the longest side that the steps work at, in pixels
SIDE, FIT = 28, 20  # MNIST: a digit fits 20x20, in 28x28
STROKE = 2.0, 3.4  # how thick MNIST's strokes are, in pixels of 28x28
FAINTEST = 6  # grey levels between paper and ink; less is no writing
NOISE = 5  # ink stands out from the paper by so many times the paper's own spread
MAX_DIGITS = 200  # a picture with more pieces is texture, not writing


class ImageError(Exception):
    """A file that holds no picture that can be read; the text says why."""


@dataclass
class Piece:
    """A connected piece of ink: its mask, and where that lies in the working picture."""

    mask: np.ndarray  # (height, width) bool
    x: int
    y: int

    @property
    def width(self) -> int:
        return self.mask.shape[1]

    @property
    def height(self) -> int:
        return self.mask.shape[0]

    @property
    def size(self) -> int:
        return max(self.mask.shape)


@dataclass
class Digit:
    """One digit found: its box in the picture as displayed, and as the network sees it."""

    box: tuple[int, int, int, int]  # x, y, width, height in pixels
    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    parts: list["Digit"] = field(default_factory=list)  # what it is if neighbours touch


# ------------------------------------------------------------ reading the file


def read_grey(source: Path | bytes) -> np.ndarray:
    """Read a picture as (height, width) uint8, turned as its EXIF says.

    JPEG, PNG, BMP, TIFF, WebP, GIF (first frame); grey, colour, palette, alpha, 16 bit,
    CMYK. Raises ImageError if there is no such picture.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageError(f"more than {MAX_PIXELS // 10**6} megapixels; make it smaller")
            picture.draft("L", (2 * LARGE, 2 * LARGE))  # a JPEG is decoded smaller, and faster
            return _to_grey(ImageOps.exif_transpose(picture))
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError("no such file") from None
    except OSError as error:
        reason = error.strerror or "not an image that can be read"
        raise ImageError(reason[0].lower() + reason[1:]) from None
    except Exception as error:  # damaged files make decoders raise all kinds
        raise ImageError(f"not an image that can be read ({type(error).__name__})") from None


def _to_grey(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith(("I", "F")):  # 16 bit and more: use the range that is there
        values = np.asarray(picture, "float32")
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high > 255:
            low, high = 0, 65535 if high > 32 * 255 else high
        return ((values - low) * (255 / max(high - low, 1))).clip(0, 255).astype("uint8")
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    grey, alpha = np.asarray(picture.convert("LA"), "float32").transpose(2, 0, 1)
    opaque = alpha > 127
    if opaque.mean() > 0.6:  # a canvas with a few holes: its own paper
        paper = np.median(grey[opaque])
    else:  # strokes on nothing: white, unless what is drawn is light itself
        paper = 0 if opaque.any() and grey[opaque].mean() > 128 else 255
    alpha /= 255
    return (grey * alpha + paper * (1 - alpha)).round().astype("uint8")


def already_prepared(grey: np.ndarray) -> np.ndarray | None:
    """Return the image with ink light if it is as MNIST's are, else None.

    28x28 with an empty border, a longest side of 20 and the centre of mass in the middle:
    what has been prepared once must not be prepared again.
    """
    if grey.shape != (SIDE, SIDE):
        return None
    image = 255 - grey if grey[0, 0] > 127 else grey
    rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
    if not len(rows):
        return None
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    y, x = centre_of_mass(image)
    middle = (SIDE - 1) / 2
    centred = abs(y - middle) < 1.2 and abs(x - middle) < 1.2
    return image if FIT - 1 <= longest <= FIT + 1 and centred else None


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    """Return row and column of the centre of mass, the middle of a pixel being whole."""
    total = image.sum(dtype="float64")
    y = (image.sum(axis=1, dtype="float64") * np.arange(image.shape[0])).sum() / total
    x = (image.sum(axis=0, dtype="float64") * np.arange(image.shape[1])).sum() / total
    return y, x


# ---------------------------------------------------------- from paper to ink


def to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture at a size to work at, and by how much it was enlarged."""
    longest = max(grey.shape)
    scale = LARGE / longest if longest > LARGE else max(1, -(-SMALL // longest))
    if scale == 1:
        return grey, 1.0
    size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, size, interpolation=how), scale


def find_ink(grey: np.ndarray) -> np.ndarray | None:
    """Return how much ink there is at each pixel, (height, width) float32, or None.

    The paper is 0 and the ink about 1, whatever the lighting and whether the ink is
    darker or lighter than the paper. None: nothing stands out from the paper.
    """
    difference = cv2.GaussianBlur(grey, (3, 3), 0).astype("float32") - paper_of(grey)
    spread = 1.4826 * float(np.median(np.abs(difference)))
    candidates = [_clean_ink(signed, spread) for signed in (-difference, difference)]
    candidates = [found for found in candidates if found]
    if not candidates:
        return None
    _, ink, level = max(candidates, key=lambda found: found[0])
    return np.clip(ink / level, 0, 1.2)


def _clean_ink(signed: np.ndarray, spread: float) -> tuple[float, np.ndarray, float] | None:
    """Return how much there is to see, the ink without the picture's frame, and its level."""
    for _ in range(3):  # a shadow at the edge may hide faint ink, so look again without it
        level = _ink_level(signed, spread)
        if level is None:
            return None
        frame = frame_of(ink_mask(signed / level))
        if not frame.any():
            break
        signed = np.where(cv2.dilate(frame.astype("uint8"), np.ones((5, 5))) > 0, 0, signed)
    return float(np.clip(signed / level, 0, 1).sum()) * level, signed, level


def paper_of(grey: np.ndarray) -> np.ndarray:
    """Return what the paper would look like without the ink, (height, width) float32.

    A flat background (a scan, a paint program) is one value; a photo's light is followed
    by a median wide enough to step over the strokes.
    """
    margin = max(1, round(min(grey.shape) * 0.04))
    border = np.concatenate(
        [grey[:margin].ravel(), grey[-margin:].ravel()]
        + [grey[:, :margin].ravel(), grey[:, -margin:].ravel()]
    )
    level = np.median(border)
    if (np.abs(border.astype("float32") - level) <= 10).mean() > 0.85:
        near = np.abs(grey.astype("float32") - level) <= 10
        if near.mean() > 0.3:
            return np.full(grey.shape, level, "float32")
    height, width = grey.shape
    factor = 128 / max(height, width)
    small = cv2.resize(
        grey,
        (max(8, round(width * factor)), max(8, round(height * factor))),
        interpolation=cv2.INTER_AREA,
    )
    reach = 20
    framed = cv2.copyMakeBorder(small, reach, reach, reach, reach, cv2.BORDER_REFLECT)
    paper = cv2.medianBlur(framed, 2 * reach + 1)[reach:-reach, reach:-reach]
    paper = cv2.GaussianBlur(paper.astype("float32"), (0, 0), 3)
    return cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)


def _ink_level(signed: np.ndarray, spread: float) -> float | None:
    """Return how far full ink stands out from the paper, or None if nothing does."""
    threshold = max(FAINTEST, NOISE * spread)
    values = signed[signed > threshold]
    if len(values) < 8:
        return None
    return float(np.percentile(values, 75))


# -------------------------------------------------------------- finding digits


def find_digits(ink: np.ndarray) -> list[Piece]:
    """Return the pieces that look like digits, in reading order."""
    pieces = connected(ink_mask(ink))
    if len(pieces) > 20 * MAX_DIGITS:
        return []
    pieces = [part for piece in pieces for part in untangle(piece, ink)]
    pieces = drop_specks(join(pieces))
    return reading_order(pieces) if len(pieces) <= MAX_DIGITS else []


def ink_mask(ink: np.ndarray) -> np.ndarray:
    """Return where ink is: all that is at least faint and hangs together with clear ink."""
    faint, clear = (ink > 0.3).astype("uint8"), ink > 0.55
    _, labels = cv2.connectedComponents(faint, connectivity=8)
    kept = np.zeros(labels.max() + 1, bool)
    kept[labels[clear]] = True
    kept[0] = False
    return kept[labels]


def connected(mask: np.ndarray) -> list[Piece]:
    """Return the connected pieces of `mask`."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype("uint8"), connectivity=8)
    pieces = []
    for i in range(1, n):
        x, y, width, height, _ = stats[i]
        pieces.append(Piece(labels[y : y + height, x : x + width] == i, int(x), int(y)))
    return pieces


def frame_of(mask: np.ndarray) -> np.ndarray:
    """Return the part of `mask` along the edge: shadows, the table, the sheet's border."""
    frame = np.zeros_like(mask)
    for piece in connected(mask):
        if any(side.mean() > 0.5 for side in edge_contacts(piece, mask.shape)):
            frame[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width] |= piece.mask
    return frame


def edge_contacts(piece: Piece, shape: tuple[int, int]) -> list[np.ndarray]:
    """Return, for each edge of a picture of that shape that the piece reaches, where it does."""
    height, width = shape
    sides = (
        (piece.y == 0, piece.mask[0], piece.x, width),
        (piece.y + piece.height == height, piece.mask[-1], piece.x, width),
        (piece.x == 0, piece.mask[:, 0], piece.y, height),
        (piece.x + piece.width == width, piece.mask[:, -1], piece.y, height),
    )
    contacts = []
    for reached, line, start, length in sides:
        if reached:
            side = np.zeros(length, bool)
            side[start : start + len(line)] = line
            contacts.append(side)
    return contacts


def untangle(piece: Piece, ink: np.ndarray) -> list[Piece]:
    """Free a digit from lines behind it that run to the picture's edge.

    A line that runs through meets the edge more than once. If the piece's darker ink alone,
    or its thicker strokes alone, keep off the edge, they are the writing; else the piece
    stays as it is.
    """
    contacts = edge_contacts(piece, ink.shape)
    if sum(np.count_nonzero(np.diff(side, prepend=False) & side) for side in contacts) < 2:
        return [piece]
    part = ink[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width]
    levels = (np.clip(part, 0, 1.2) * 200).astype("uint8")
    cut, _ = cv2.threshold(levels[piece.mask].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    bright, dim = levels[piece.mask & (levels > cut)], levels[piece.mask & (levels <= cut)]
    options = []
    if len(bright) and len(dim) and dim.mean() < 0.55 * bright.mean():
        options.append(piece.mask & (levels > cut))
    inside = cv2.distanceTransform(np.pad(piece.mask, 1).astype("uint8"), cv2.DIST_L2, 3)
    reach = max(1, int(0.45 * inside.max()))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    options.append(cv2.morphologyEx(piece.mask.astype("uint8"), cv2.MORPH_OPEN, disc) > 0)
    for option in options:
        parts = [Piece(p.mask, p.x + piece.x, p.y + piece.y) for p in connected(option)]
        largest = max((p.size for p in parts), default=0)
        parts = [p for p in parts if p.size > 0.3 * largest]
        if parts and largest > 0.25 * piece.size:
            if not any(edge_contacts(p, ink.shape) for p in parts):
                return parts
    return [piece]


def join(pieces: list[Piece]) -> list[Piece]:
    """Join pieces that make up one digit: above one another and close, or one inside another."""
    pieces = sorted(pieces, key=lambda p: -p.size)
    tallest = max((p.height for p in pieces), default=0)
    joined: list[Piece] = []
    for piece in pieces:
        for i, other in enumerate(joined):
            if _one_digit(other, piece, tallest):
                joined[i] = _merge(other, piece)
                break
        else:
            joined.append(piece)
    return joined


def _one_digit(large: Piece, small: Piece, tallest: int) -> bool:
    overlap_x = _overlap(large.x, large.width, small.x, small.width)
    overlap_y = _overlap(large.y, large.height, small.y, small.height)
    if overlap_x < 0.5 * min(large.width, small.width):
        return False
    if overlap_y >= 0.5 * small.height:
        return True
    height = large.height + small.height - overlap_y
    if small.height > 0.6 * large.height:  # two digits above one another, or a broken one?
        return overlap_y > -0.04 * height and height <= 1.2 * tallest
    return overlap_y > -0.25 * large.height


def _overlap(start: int, length: int, other_start: int, other_length: int) -> int:
    """Return how much two stretches overlap; negative is the gap between them."""
    return min(start + length, other_start + other_length) - max(start, other_start)


def _merge(one: Piece, other: Piece) -> Piece:
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    mask = np.zeros((bottom - y, right - x), bool)
    for p in (one, other):
        mask[p.y - y : p.y - y + p.height, p.x - x : p.x - x + p.width] |= p.mask
    return Piece(mask, x, y)


def drop_specks(pieces: list[Piece]) -> list[Piece]:
    """Drop what is far too small beside the digits, and lines far too long for one."""
    if not pieces:
        return []
    pieces = [p for p in pieces if p.size >= 8]
    largest = max((p.height for p in pieces), default=0)
    tall = np.median([p.height for p in pieces if p.height > 0.5 * largest] or [0])
    return [
        p
        for p in pieces
        if p.height >= 0.3 * tall and not (p.width > 3 * p.height and len(pieces) > 1)
    ]


def reading_order(pieces: list[Piece]) -> list[Piece]:
    """Sort into lines from top to bottom, each from left to right."""
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: -p.height):
        touching = [line for line in lines if any(_same_line(piece, p) for p in line)]
        for line in touching:
            lines.remove(line)
        lines.append([piece, *(p for line in touching for p in line)])
    lines.sort(key=lambda line: np.mean([p.y + p.height / 2 for p in line]))
    return [p for line in lines for p in sorted(line, key=lambda p: p.x + p.width / 2)]


def _same_line(one: Piece, other: Piece) -> bool:
    overlap = _overlap(one.y, one.height, other.y, other.height)
    return overlap > 0.4 * min(one.height, other.height)


def cut_touching(piece: Piece) -> list[Piece]:
    """Cut a piece that is wide for one digit where its ink is thinnest; else return it alone."""
    n = round(piece.width / piece.height / 0.75)
    if n < 2:
        return [piece]
    columns = piece.mask.sum(axis=0).astype("float32")
    step = piece.width / n
    cuts = [0]
    for i in range(1, n):
        low, high = int((i - 0.3) * step), int((i + 0.3) * step) + 1
        cuts.append(low + int(np.argmin(columns[low:high])))
    cuts.append(piece.width)
    parts = []
    for left, right in zip(cuts, cuts[1:], strict=False):
        part = Piece(piece.mask[:, left:right], piece.x + left, piece.y)
        trimmed = _trim(part)
        if trimmed is not None:
            parts.append(trimmed)
    # A tail or a bar is no neighbour: what touches is about as tall.
    return parts if min(p.height for p in parts) > 0.5 * piece.height else [piece]


def _trim(piece: Piece) -> Piece | None:
    rows, columns = piece.mask.any(axis=1).nonzero()[0], piece.mask.any(axis=0).nonzero()[0]
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return Piece(
        piece.mask[top : rows[-1] + 1, left : columns[-1] + 1], piece.x + left, piece.y + top
    )


# ------------------------------------------------------------------- preparing


def prepare(ink: np.ndarray, piece: Piece) -> np.ndarray:
    """Return the piece as MNIST prepared its digits, (28, 28) uint8, ink 255 on 0.

    It fits 20x20 with its aspect kept, anti-aliased, centre of mass in the middle, and
    strokes that are far thinner or thicker than MNIST's are brought nearer.
    """
    mask = piece.mask
    # Large ones are reduced to 120 pixels last, after their strokes have been measured;
    # room around the piece lets the strokes grow.
    scale = FIT / piece.size
    inside = cv2.distanceTransform(
        np.pad(mask, 1).astype("uint8"), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    thickness = 4 * float(inside[inside > 0].mean()) - 1  # in working pixels
    wanted = float(np.clip(thickness * scale, *STROKE))
    grow = (wanted / scale - thickness) / 2
    room = max(2, int(np.ceil(grow)) + 2)
    padded = np.pad(mask, room).astype("uint8")
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    solid = np.clip(inside - outside + grow + 0.5 * (outside > 0) - 0.5 * (inside > 0) + 0.5, 0, 1)
    return place(solid.astype("float32"))


def place(solid: np.ndarray) -> np.ndarray:
    """Scale ink 0 to 1 of any size to fit 20x20 and put its centre of mass in the middle."""
    rows, columns = (solid > 0.3).any(axis=1).nonzero()[0], (solid > 0.3).any(axis=0).nonzero()[0]
    if not len(rows):
        return np.zeros((SIDE, SIDE), "uint8")
    solid = solid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = FIT / max(solid.shape)
    size = [max(1, round(side * scale)) for side in solid.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(solid, size, interpolation=how)
    y, x = centre_of_mass(small)
    top = int(np.clip(round((SIDE - 1) / 2 - y), 0, SIDE - small.shape[0]))
    left = int(np.clip(round((SIDE - 1) / 2 - x), 0, SIDE - small.shape[1]))
    image = np.zeros((SIDE, SIDE), "float32")
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return (255 * image).round().astype("uint8")


# ------------------------------------------------------------------- all of it


def digits_in(grey: np.ndarray) -> list[Digit]:
    """Find the digits in a picture, in reading order; an empty list if there are none.

    `grey`: (height, width) uint8, of either polarity.
    """
    as_is = already_prepared(grey)
    if as_is is not None:
        return [Digit((0, 0, SIDE, SIDE), as_is)]
    work, scale = to_working_size(grey)
    ink = find_ink(work)
    if ink is None:
        return []
    digits = []
    for piece in find_digits(ink):
        digit = _digit(ink, piece, scale)
        parts = cut_touching(piece)
        if len(parts) > 1:
            digit.parts = [_digit(ink, part, scale) for part in parts]
        digits.append(digit)
    return digits


def _digit(ink: np.ndarray, piece: Piece, scale: float) -> Digit:
    x, y = int(piece.x / scale), int(piece.y / scale)
    width, height = round(piece.width / scale), round(piece.height / scale)
    return Digit((x, y, max(1, width), max(1, height)), prepare(ink, piece))
