"""Connected pieces of ink: what they measure, where they meet the edge, how they join."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

SMALLEST = 12  # pixels of the working picture that a digit is high or wide
FAINTEST = 6  # grey levels between paper and ink; less is no writing
FAINT, CLEAR = 0.3, 0.55  # shares of full ink: what may be a stroke, and what surely is


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

    @cached_property
    def thickness(self) -> float:
        """How thick its strokes are, in pixels: in a long stroke, four times the mean depth."""
        depth = cv2.distanceTransform(framed(self.mask), cv2.DIST_L2, 5)
        return 4 * float(depth.sum() / np.count_nonzero(self.mask)) - 1

    @property
    def filled(self) -> float:
        """How much of its convex hull is ink: near 1 for a disc or a bar."""
        corners = cv2.convexHull(np.argwhere(self.mask).astype("int32"))
        hull = cv2.fillConvexPoly(np.zeros(self.mask.shape, "uint8"), corners[..., ::-1], 1)
        return self.mask.sum() / hull.sum()

    def moved(self, x: int, y: int) -> "Piece":
        """Return the piece that much further to the right and down."""
        return Piece(self.mask, self.x + x, self.y + y)

    def inside(self, picture: np.ndarray) -> np.ndarray:
        """Return the view of `picture` that the piece covers."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]


def framed(mask: np.ndarray, room: int = 1, aside: int | None = None) -> np.ndarray:
    """Return `mask` as uint8 with `room` empty pixels all round, or `aside` left and right."""
    aside = room if aside is None else aside
    return cv2.copyMakeBorder(
        mask.astype("uint8"), room, room, aside, aside, cv2.BORDER_CONSTANT, value=0
    )


def bounds(mask: np.ndarray) -> tuple[slice, slice] | None:
    """Return the rows and columns between which all that is set lies; None if nothing is."""
    rows, columns = (mask.any(axis=axis).nonzero()[0] for axis in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def ink_mask(ink: np.ndarray) -> np.ndarray:
    """Return where ink is: all that is at least faint and hangs together with clear ink."""
    faint, clear = (ink > FAINT).astype("uint8"), ink > CLEAR
    count, labels = cv2.connectedComponents(faint, connectivity=8)
    kept = np.zeros(count, bool)
    kept[labels[clear]] = True
    kept[0] = False
    return kept[labels]


def connected(mask: np.ndarray) -> list[Piece]:
    """Return the connected pieces of `mask`."""
    labels, stats = labelled(mask)
    pieces = []
    for i, (x, y, width, height, _) in enumerate(stats[1:], 1):
        pieces.append(Piece(labels[y : y + height, x : x + width] == i, int(x), int(y)))
    return pieces


def labelled(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each pixel's piece, 0 for none, and (x, y, width, height, area) of each.

    The first of these rows is of what is no piece.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask.astype("uint8"), 8, cv2.CV_32S, cv2.CCL_GRANA
    )  # the same as the default one gives, in half the time
    return labels, stats


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


def overlap(
    start: np.ndarray | int, length: np.ndarray | int, other_start: int, other_length: int
) -> np.ndarray | int:
    """Return how much stretches overlap with another; negative is the gap between them."""
    end = np.minimum(start + length, other_start + other_length)
    return end - np.maximum(start, other_start)


def merge(one: Piece, other: Piece) -> Piece:
    """Return both as one piece."""
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    mask = np.zeros((bottom - y, right - x), bool)
    for p in (one, other):
        mask[p.y - y : p.y - y + p.height, p.x - x : p.x - x + p.width] |= p.mask
    return Piece(mask, x, y)


def trim(piece: Piece) -> Piece | None:
    """Return the piece without its empty rows and columns; None if nothing is left."""
    found = bounds(piece.mask)
    if found is None:
        return None
    rows, columns = found
    return Piece(piece.mask[found], piece.x + columns.start, piece.y + rows.start)


def writing_height(pieces: list[Piece]) -> tuple[float, int]:
    """Return the commonest height: of those where most ink extends, half as much to twice.

    0 if there are none.
    """
    heights = np.array([p.height for p in pieces if p.size >= SMALLEST], float)
    if not len(heights):
        return 0.0, 0
    heights.sort()
    sums = np.concatenate([[0], np.cumsum(heights**1.5)])
    weight = (
        sums[np.searchsorted(heights, 1.5 * heights, "right")]
        - sums[np.searchsorted(heights, heights / 1.5)]
    )
    best = heights[np.argmax(weight)]
    near = heights[(heights >= best / 1.5) & (heights <= 1.5 * best)]
    return float(np.median(near)), len(near)
