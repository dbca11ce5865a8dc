"""From a picture of handwriting to digits as MNIST has them. No Keras here.

    grey = read_grey(file)        a picture file -> grey values
    ink = find_ink(grey)          lighting evened out, ink light on dark
    pieces = find_digits(ink)     where the digits are, in reading order
    image = prepare(piece)        28x28, as MNIST was prepared

`digits_in` takes all steps after the first. What they do not believe to be writing they
leave out, so that a blank page gives no digits.
"""

import io
import warnings
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

# Pillow warns about oddities in files; the answer says what matters.
warnings.filterwarnings("ignore", module=r"PIL\.")

MAX_PIXELS = 60_000_000
SMALL, LARGE = 112, 1400  # the longest side that the steps work at, in pixels
SIDE, FIT = 28, 20  # MNIST: a digit fits 20x20, in 28x28
STROKE = 2.0, 3.4  # how thick MNIST's strokes are, in pixels of 28x28
FAINTEST = 6  # grey levels between paper and ink; less is no writing
NOISE = 5  # ink stands out from the paper by so many times the paper's own spread
FAINT, CLEAR = 0.3, 0.55  # shares of full ink: what may be a stroke, and what surely is
BLOB = 0.5  # a piece with thicker strokes, as a share of its size, is no writing
SHARP = 0.9  # how much ink comes in over the thickness of a stroke, from paper 0 to ink 1
SMALLEST = 12  # pixels of the working picture that a digit is high or wide
TEXTURE = 40  # pieces of ink, most of them specks: more are no writing


class ImageError(Exception):
    """A file that holds no picture that can be read; the text says why."""


@dataclass(eq=False)
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

    @property
    def thickness(self) -> float:
        """How thick its strokes are, in pixels: in a long stroke, four times the mean depth."""
        depth = cv2.distanceTransform(np.pad(self.mask, 1).astype("uint8"), cv2.DIST_L2, 5)
        return 4 * float(depth[depth > 0].mean()) - 1

    def inside(self, picture: np.ndarray) -> np.ndarray:
        """Return the view of `picture` that the piece covers."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(eq=False)
class Digit:
    """One digit found: its box in the picture as displayed, and as the network sees it."""

    box: tuple[int, int, int, int]  # x, y, width, height in pixels
    image: np.ndarray  # (28, 28) uint8, ink 255 on 0
    # If it is wide: what it may be cut into, with the numbers of the cuts at both ends.
    parts: list[tuple[int, int, "Digit"]] = field(default_factory=list)


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
            picture.draft("L", picture.size)  # a JPEG is decoded without its colours
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
    grey, alpha = picture.convert("LA").split()
    values, opaque = np.asarray(grey), np.asarray(alpha) > 127
    if opaque.mean() > 0.6:  # a canvas with a few holes: its own paper
        paper = int(np.median(values[opaque]))
    else:  # strokes on nothing: white, unless what is drawn is light itself
        paper = 0 if opaque.any() and values[opaque].mean() > 128 else 255
    return np.asarray(Image.composite(grey, Image.new("L", grey.size, paper), alpha))


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
    return np.maximum(ink / level, 0)


def _clean_ink(signed: np.ndarray, spread: float) -> tuple[float, np.ndarray, float] | None:
    """Return how much there is to see, the ink without lines and frame, and its level."""
    for _ in range(3):  # what is taken away may have hidden fainter ink, so look again
        level = _ink_level(signed, spread)
        if level is None:
            return None
        lines = lines_of(signed / level)
        signed = np.where(lines, 0, signed)
        frame = frame_of(signed / level)
        signed = np.where(frame, 0, signed)
        if not (lines.any() or frame.any()):
            break
    return float(np.clip(signed / level, 0, 1).sum()) * level, signed, level


def paper_of(grey: np.ndarray) -> np.ndarray:
    """Return what the paper would look like without the ink, (height, width) float32.

    A flat background (a scan, a paint program) is one value; a photo's light is followed
    by a median wide enough to step over the strokes.
    """
    margin = max(1, round(min(grey.shape) * 0.04))
    border = np.concatenate(
        [
            side.ravel()
            for side in (grey[:margin], grey[-margin:], grey[:, :margin], grey[:, -margin:])
        ]
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
    count = len(pieces)
    if count > 10_000:
        return []
    pieces = [part for piece in pieces for part in untangle(piece, ink)]
    pieces = drop_shades(drop_specks(join(pieces)), ink)
    # A page of digits has few specks between them; texture has pieces of all sizes.
    texture = count > TEXTURE and len(pieces) < 0.5 * count
    return [] if texture else reading_order(pieces)


def ink_mask(ink: np.ndarray) -> np.ndarray:
    """Return where ink is: all that is at least faint and hangs together with clear ink."""
    faint, clear = (ink > FAINT).astype("uint8"), ink > CLEAR
    _, labels = cv2.connectedComponents(faint, connectivity=8)
    kept = np.zeros(labels.max() + 1, bool)
    kept[labels[clear]] = True
    kept[0] = False
    return kept[labels]


def connected(mask: np.ndarray) -> list[Piece]:
    """Return the connected pieces of `mask`."""
    if not mask.any():
        return []
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype("uint8"), connectivity=8)
    pieces = []
    for i in range(1, n):
        x, y, width, height, _ = stats[i]
        pieces.append(Piece(labels[y : y + height, x : x + width] == i, int(x), int(y)))
    return pieces


def frame_of(ink: np.ndarray) -> np.ndarray:
    """Return where something lies along the edge: a shadow, the table, the sheet's border."""
    frame = np.zeros(ink.shape, "uint8")
    if max(ink[0].max(), ink[-1].max(), ink[:, 0].max(), ink[:, -1].max()) <= FAINT:
        return frame > 0
    for piece in connected(ink_mask(ink)):
        contacts = edge_contacts(piece, ink.shape)
        corner = len(contacts) == 2 and all(side[0] or side[-1] for side in contacts)
        corner &= piece.size < 0.3 * max(ink.shape)
        if corner or any(side.mean() > 0.5 for side in contacts):
            piece.inside(frame)[piece.mask] = 1
    if not frame.any():
        return frame > 0
    # Its blurred side is fainter than ink and goes with it, some way into the picture.
    fading = (ink > 0.08).astype("uint8")
    square = np.ones((3, 3), "uint8")
    for _ in range(max(ink.shape) // 12):
        frame = cv2.dilate(frame, square) & (fading | frame)
    return cv2.dilate(frame, square) > 0


def lines_of(ink: np.ndarray) -> np.ndarray:
    """Return where straight lines run through the picture: ruled and squared paper.

    Where a stroke crosses a line, the pixels stay with the stroke.
    """
    faint = ink > 0.12
    across, n_across = _horizontal_lines(faint)
    turned, n_down = _horizontal_lines(faint.T)
    strokes = faint & ~across & ~turned.T
    lines = _without_crossings(across, strokes | (across & ~turned.T))
    lines |= _without_crossings(turned, (strokes | (turned.T & ~across)).T).T
    # A single long stroke with little else is no ruling but a 1.
    if n_across + n_down == 1 and (ink_mask(ink) & ~lines).sum() < 0.5 * lines.sum():
        lines[:] = False
    return lines


def _horizontal_lines(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Return where lines run, and how many."""
    height, width = mask.shape
    view = np.ascontiguousarray(mask, "uint8")
    # Short stretches, so that a line may be slightly turned.
    stretch = np.ones((1, max(12, round(0.08 * width))), "uint8")
    long = cv2.morphologyEx(cv2.dilate(view, np.ones((3, 1), "uint8")), cv2.MORPH_OPEN, stretch)
    lines, n = np.zeros(mask.shape, bool), 0
    for piece in connected(long > 0):
        thickness = piece.mask.sum() / piece.width
        runs_through = piece.width >= max(0.95 * width, 0.5 * height)
        straight = piece.height <= max(0.1 * height, 3 * thickness)
        if runs_through and straight and thickness <= 0.04 * height + 3:
            n += 1
            piece.inside(lines)[piece.mask] = True
    return lines, n


def _without_crossings(lines: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Return horizontal `lines` less the pixels where `strokes` cross them."""
    if not lines.any():
        return lines
    thickness = np.median(lines.sum(axis=0))
    rows = np.count_nonzero(np.diff(lines, axis=0, prepend=False) & lines, axis=0)
    tall = np.ones((round(1.3 * thickness / max(1, np.median(rows))) + 2, 1), "uint8")
    crossing = cv2.morphologyEx(np.ascontiguousarray(strokes, "uint8"), cv2.MORPH_OPEN, tall)
    return lines & (crossing == 0)


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
    levels = np.clip(50 * piece.inside(ink), 0, 255).astype("uint8")
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
        free = not any(edge_contacts(p, ink.shape) for p in parts)
        if free and largest > 0.25 * piece.size:
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
    if max(small.height, small.width) < 0.1 * tallest:
        return False  # a speck
    if small.height < 0.35 * tallest and overlap_x < 0:  # a broken-off end beside it?
        return overlap_x > -0.2 * tallest and overlap_y > 0 and small.width < 0.8 * tallest
    if overlap_x < 0.5 * min(large.width, small.width):
        return False
    if overlap_y >= 0.5 * small.height:
        return True
    if small.height > 0.6 * large.height:  # two digits above one another, or a broken one?
        return overlap_y > -0.05 * (large.height + small.height)
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


def drop_shades(pieces: list[Piece], ink: np.ndarray) -> list[Piece]:
    """Drop what fades in over more than the thickness of a stroke: shadows, stains, clouds."""
    slope = np.hypot(cv2.Sobel(ink, cv2.CV_32F, 1, 0), cv2.Sobel(ink, cv2.CV_32F, 0, 1)) / 8
    kept = []
    for piece in pieces:
        framed = np.pad(piece.mask, 1).astype("uint8")
        outline = (framed - cv2.erode(framed, np.ones((3, 3), "uint8")))[1:-1, 1:-1] > 0
        # Thin strokes are blurred by the grid of pixels itself, so 15 of them always count.
        reach = max(piece.thickness, 15)
        across = len(edge_contacts(piece, ink.shape)) > 1  # more likely what is left of a frame
        if np.median(piece.inside(slope)[outline]) * reach > SHARP * (3 if across else 1):
            kept.append(piece)
    return kept


def drop_specks(pieces: list[Piece]) -> list[Piece]:
    """Drop what is far too small beside the digits, and lines far too long for one."""
    if not pieces:
        return []
    pieces = [p for p in pieces if p.size >= SMALLEST]
    largest = max((p.height for p in pieces), default=0)
    tall = np.median([p.height for p in pieces if p.height > 0.5 * largest] or [0])
    return [
        p
        for p in pieces
        if p.height >= 0.3 * tall
        and not (p.width > 3 * p.height and len(pieces) > 1)
        and p.thickness < BLOB * p.size
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


def slices(piece: Piece) -> list[tuple[int, int, Piece]]:
    """Return what a wide piece may consist of if neighbours touch: (start, end, piece).

    `start` and `end` number the places where it may be cut, its two ends among them. A
    narrow piece gives nothing.
    """
    if piece.width < 0.9 * piece.height:
        return []
    columns = cv2.blur(piece.mask.sum(axis=0).astype("float32").reshape(1, -1), (3, 1)).ravel()
    reach = max(1, piece.height // 8)
    lowest = cv2.erode(columns.reshape(1, -1), np.ones((1, 2 * reach + 1))).ravel()
    # A cut may go through one stroke. The body of a digit mostly has two, above each other.
    strokes = np.count_nonzero(np.diff(piece.mask, axis=0, prepend=False) & piece.mask, axis=0)
    thin = (columns == lowest) & (columns < 0.5 * piece.height) & (strokes <= 1)
    cuts = [0]
    for x in np.flatnonzero(thin):
        if cuts[-1] + reach < x < piece.width - reach:
            cuts.append(int(x))
    cuts.append(piece.width)
    found = []
    for start, end in combinations(range(len(cuts)), 2):
        left, right = cuts[start], cuts[end]
        if (start, end) != (0, len(cuts) - 1) and right - left < 1.3 * piece.height:
            part = _trim(Piece(piece.mask[:, left:right], piece.x + left, piece.y))
            if part and part.height > 0.6 * piece.height:  # neighbours are alike
                found.append((start, end, part))
    return found


def _trim(piece: Piece) -> Piece | None:
    rows, columns = piece.mask.any(axis=1).nonzero()[0], piece.mask.any(axis=0).nonzero()[0]
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return Piece(
        piece.mask[top : rows[-1] + 1, left : columns[-1] + 1], piece.x + left, piece.y + top
    )


# ------------------------------------------------------------------- preparing


def prepare(piece: Piece) -> np.ndarray:
    """Return the piece as MNIST prepared its digits, (28, 28) uint8, ink 255 on 0.

    It fits 20x20 with its aspect kept, anti-aliased, centre of mass in the middle, and
    strokes that are far thinner or thicker than MNIST's are brought nearer.
    """
    scale = FIT / piece.size
    thickness = piece.thickness
    wanted = float(np.clip(thickness * scale, *STROKE))
    grow = (wanted / scale - thickness) / 2
    room = max(2, int(np.ceil(grow)) + 2)
    padded = np.pad(piece.mask, room).astype("uint8")
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
        digit = _digit(piece, scale)
        digit.parts = [(a, b, _digit(part, scale)) for a, b, part in slices(piece)]
        digits.append(digit)
    return digits


def _digit(piece: Piece, scale: float) -> Digit:
    x, y = int(piece.x / scale), int(piece.y / scale)
    width, height = round(piece.width / scale), round(piece.height / scale)
    return Digit((x, y, max(1, width), max(1, height)), prepare(piece))
