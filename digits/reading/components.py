"""Connected components of ink: what they measure, and which of them make up one digit.

A component is a region of ink whose pixels hang together, corners included. A digit written
in several strokes is several of them, and what is far smaller than the writing is dust.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digits.data.normalization import bounding_box, stroke_width

SMALLEST = 12  # pixels of the working size: a digit is at least as high or wide
DUST = 0.1  # heights of the writing: what is smaller is dust
TALLEST = 1.35  # heights of the writing: a digit of several components is less high


@dataclass(eq=False)
class Component:
    """A connected component: its mask, and where that lies in the picture, in pixels."""

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
    def stroke_width(self) -> float:
        return stroke_width(self.mask)

    def shifted(self, x: int, y: int) -> "Component":
        """Return the component that much further to the right and down."""
        return Component(self.mask, self.x + x, self.y + y)

    def crop(self, picture: np.ndarray) -> np.ndarray:
        """Return the view of `picture` that the component's box covers."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]

    def nearby(self, picture: np.ndarray, room: int) -> tuple[np.ndarray, "Component"]:
        """Return the view of `picture` with `room` more on each side, and the component in it."""
        top, left = max(0, self.y - room), max(0, self.x - room)
        bottom, right = self.y + self.height + room, self.x + self.width + room
        return picture[top:bottom, left:right], self.shifted(-left, -top)


def connected_components(mask: np.ndarray, core: np.ndarray | None = None) -> list[Component]:
    """Return the connected components of `mask`, bool or uint8; those with some of `core`."""
    labels, stats = labelled(mask)
    kept = np.arange(1, len(stats)) if core is None else np.flatnonzero(np.bincount(labels[core]))
    return [
        Component(labels[y : y + height, x : x + width] == i, int(x), int(y))
        for i, (x, y, width, height, _) in zip(kept, stats[kept], strict=True)
    ]


def labelled(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each pixel's component, and x, y, width, height and area of each.

    Number 0, and the first row of these, is the background.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask.astype("uint8"), 8, cv2.CV_32S, cv2.CCL_GRANA
    )  # the same as the default one gives, in half the time
    return labels, stats


def find_digits(components: list[Component]) -> tuple[list[Component], float]:
    """Return what may be digits of what is ink, and the height of the writing in pixels."""
    height, support = writing_height(components)
    components = [c for c in components if c.size > max(2, DUST * height)]
    most = TALLEST * height if support > 2 else np.inf
    return join_parts(components, height, most), height


def writing_height(components: list[Component]) -> tuple[float, int]:
    """Return the commonest height, and how many components have it; 0 if there are none.

    Of all heights h, that where what is between h / 1.5 and 1.5 h high extends most.
    """
    heights = np.sort([float(c.height) for c in components if c.size >= SMALLEST])
    if not len(heights):
        return 0.0, 0
    sums = np.concatenate([[0], np.cumsum(heights**1.5)])
    ends = np.searchsorted(heights, 1.5 * heights, "right")
    best = heights[np.argmax(sums[ends] - sums[np.searchsorted(heights, heights / 1.5)])]
    near = heights[(heights >= best / 1.5) & (heights <= 1.5 * best)]
    return float(np.median(near)), len(near)


def join_parts(components: list[Component], height: float, most: float) -> list[Component]:
    """Join the parts of one digit: above one another and close, or one inside another.

    `height` is that of the writing, `most` of what is joined, in pixels.
    """
    components = sorted(components, key=lambda c: -c.size)
    joined: list[Component] = []
    boxes = np.zeros((len(components), 4))  # left, top, right and bottom of those joined
    for component in components:
        for i in near_boxes(boxes[: len(joined)], component, height):
            if are_one(joined[i], component, height, most):
                joined[i] = merge(joined[i], component)
                break
        else:
            i = len(joined)
            joined.append(component)
        boxes[i] = corners(joined[i])
    return joined


def shared_fraction(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return, (n, m), the fraction of the smaller of two boxes that lies inside the other.

    `boxes` (n, 4) and `others` (m, 4): left, top, right, bottom.
    """
    left, top = np.maximum(boxes[:, None, :2], others[None, :, :2]).transpose(2, 0, 1)
    right, bottom = np.minimum(boxes[:, None, 2:], others[None, :, 2:]).transpose(2, 0, 1)
    area, other = ((b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, others))
    return (right - left).clip(0) * (bottom - top).clip(0) / np.minimum(area[:, None], other)


def near_boxes(boxes: np.ndarray, component: Component, room: float) -> np.ndarray:
    """Return which boxes, (n, 4) as `corners` gives them, are within `room` pixels of another.

    Nothing further away need be looked at: there may be thousands.
    """
    left, top, right, bottom = corners(component) + room * np.array([-1, -1, 1, 1])
    near = (boxes[:, :2] < (right, bottom)) & (boxes[:, 2:] > (left, top))
    return np.flatnonzero(near.all(axis=1))


def corners(component: Component) -> np.ndarray:
    """Return left, top, right and bottom of its box, in pixels."""
    x, y = component.x, component.y
    return np.array([x, y, x + component.width, y + component.height])


def are_one(large: Component, small: Component, height: float, most: float) -> bool:
    overlap_x = overlap(large.x, large.width, small.x, small.width)
    overlap_y = overlap(large.y, large.height, small.y, small.height)
    if max(small.height, small.width) < DUST * min(height, large.height):
        return False
    together = large.height + small.height - overlap_y
    if together > max(most, TALLEST * large.height):
        return False
    if overlap_x < 0.5 * min(large.width, small.width):  # a broken-off end beside it?
        near = overlap_x > -0.2 * large.height and overlap_y > 0
        return near and small.height < 0.4 * large.height and small.width < 0.8 * large.height
    if overlap_y >= 0.5 * small.height:
        return True
    if small.height > 0.6 * large.height:  # two digits above one another, or a broken one?
        return overlap_y > -0.05 * (large.height + small.height)
    return overlap_y > -0.25 * large.height


def edge_contacts(component: Component, shape: tuple[int, int]) -> list[np.ndarray]:
    """Return, for each edge of a picture of that shape that the component reaches, where it does.

    Each is bool, as long as the edge.
    """
    left, top, right, bottom = corners(component)
    if left and top and right < shape[1] and bottom < shape[0]:  # as most of thousands
        return []
    there = np.zeros(shape, bool)
    component.crop(there)[:] = component.mask
    sides = there[0], there[-1], there[:, 0], there[:, -1]
    return [side for side in sides if side.any()]


def overlap(
    start: np.ndarray | int, length: np.ndarray | int, other_start: int, other_length: int
) -> np.ndarray | int:
    """Return how much stretches overlap with another; negative is the gap between them."""
    end = np.minimum(start + length, other_start + other_length)
    return end - np.maximum(start, other_start)


def merge(one: Component, other: Component) -> Component:
    """Return both as one component."""
    left, top, *_ = np.minimum(corners(one), corners(other))
    *_, right, bottom = np.maximum(corners(one), corners(other))
    both = Component(np.zeros((bottom - top, right - left), bool), int(left), int(top))
    for part in (one, other):
        part.shifted(-both.x, -both.y).crop(both.mask)[part.mask] = True
    return both


def trim(component: Component) -> Component | None:
    """Return the component without its empty rows and columns; None if nothing is left."""
    found = bounding_box(component.mask)
    if found is None:
        return None
    rows, columns = found
    return Component(component.mask[found], component.x + columns.start, component.y + rows.start)
