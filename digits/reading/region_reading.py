"""From extremal regions to the digits of a page, in reading order.

regions = extremal_regions(smooth)          extremal_regions  all that may be digits
chosen = compete(regions, confidence)       competition       which of those that overlap
rest = beside(chosen, smooth)               here              what else stands there
lines = in_lines(components, height)        lines             in reading order
lattice = segment(line, ink)                segmentation      where neighbours touch
"""

from dataclasses import dataclass

import numpy as np

from digits.data.normalization import LOW as LOW_INK
from digits.reading.competition import SEED, compete
from digits.reading.components import (
    Component,
    are_one,
    connected_components,
    corners,
    join_parts,
    labelled,
    merge,
    near_boxes,
    overlap,
)
from digits.reading.extremal_regions import SLIM, Region, extremal_regions, local_ink, smoothed
from digits.reading.finding import Digit, make_digit
from digits.reading.lines import deskew, in_lines
from digits.reading.results import DIGIT
from digits.reading.segmentation import segment

REACH = 2.5, 0.7  # heights of a digit: how far beside and above it its threshold holds
PIECE = 0.1  # heights of a digit: what is smaller is dust
MOST = 500  # pieces beside the digits of a page
TALLEST = 1.5  # heights of a digit: what is higher does not belong to its line
NEAR = 0.2  # heights of the digits: between the halves of a broken one is less
LOW = 0.5  # heights of the line: what is lower is no digit
LEFT = 0.02  # what speaks against a digit without the piece beside it that may be its own
PALE = 0.4  # of a digit's contrast: what has less beside it is no ink of that pen


@dataclass(eq=False)
class Page:
    """An image of working size, smoothed, and its regions; no Keras here."""

    smooth: np.ndarray  # (height, width) uint8
    back: np.ndarray  # (3, 3): the way back to the picture
    regions: list[Region]


def regions_on(image: np.ndarray, back: np.ndarray) -> Page:
    smooth = smoothed(image)
    return Page(smooth, back, extremal_regions(smooth))


def digits_of(page: Page, confidence: np.ndarray) -> list[Digit]:
    """Return the digits of a page and what else stands among them, in reading order.

    `confidence` (n,) is the model's of each of its regions.
    """
    numbers = compete(page.regions, confidence)
    chosen = [page.regions[i] for i in numbers]
    if not chosen:
        return []
    ink = np.zeros(page.smooth.shape, "float32")
    for region in chosen:
        _put(ink, region.component, region.ink)
    rest = beside(chosen, page.smooth, ink)
    found, others = unexplained(page, numbers, confidence, ink)
    rest += found
    unread = [make_digit(c, ink, page.back, blot=True) for c in others]
    height = float(np.median([r.component.height for r in chosen]))
    components = [r.component for r in chosen]
    level = deskew(ink, components, height)
    if level:
        ink, turned_back = level
        components = connected_components(ink > LOW_INK)
        digits = [c for c in components if c.height > 0.5 * height and c.width < 1.2 * height]
        rest = [c for c in components if c not in set(digits)]
        return [
            d for _, d in _in_lines(digits, rest, ink, page.back @ turned_back, height)
        ] + unread
    images = {r.component: r.image for r in chosen}
    found = _in_lines(components, rest, ink, page.back, height)
    for component, digit in found:
        digit.image = images.get(component, digit.image)
    return [digit for _, digit in found] + unread


def _put(ink: np.ndarray, component: Component, values: np.ndarray) -> None:
    there = component.crop(ink)
    there[component.mask] = np.maximum(values, 0.5)[component.mask]


def beside(chosen: list[Region], smooth: np.ndarray, ink: np.ndarray) -> list[Component]:
    """Return what else stands beside digits at their own thresholds, and add it to the ink.

    Parts of broken digits, digits that touch, letters; not what goes on beyond the line.
    """
    found = []
    for region in sorted(chosen, key=lambda region: -region.contrast):
        c, height = region.component, region.component.height
        left, top = (max(0, int(at - r * height)) for at, r in zip((c.x, c.y), REACH, strict=True))
        right, bottom = int(c.x + c.width + REACH[0] * height), int(c.y + (1 + REACH[1]) * height)
        near, taken = smooth[top:bottom, left:right], ink[top:bottom, left:right] > 0
        labels, stats = labelled((near > region.threshold) == region.light)
        x, y, w, h, _ = stats.T
        left_out = (np.maximum(w, h) < max(3, PIECE * height)) | (h > TALLEST * height)
        left_out |= (x == 0) | (y == 0) | (x + w == near.shape[1]) | (y + h == near.shape[0])
        left_out[labels[taken]] = True
        left_out[0] = True
        for i in np.flatnonzero(~left_out):
            mask = labels[y[i] : y[i] + h[i], x[i] : x[i] + w[i]] == i
            piece = Component(mask, left + int(x[i]), top + int(y[i]))
            values, contrast = local_ink(smooth, piece, region.light)
            if contrast > PALE * region.contrast:
                found.append(piece)
                _put(ink, piece, values)
        if len(found) > MOST:  # texture
            break
    return found


def unexplained(
    page: Page, chosen: list[int], confidence: np.ndarray, ink: np.ndarray
) -> tuple[list[Component], list[Component]]:
    """Return what persists as the digits do: regions that are none, and added to the ink; others.

    Others are digits by themselves, such as the hole of a 0 that touches a frame.
    """
    light = 2 * sum(page.regions[i].light for i in chosen) > len(chosen)
    least = np.median([page.regions[i].persistence for i in chosen]) / 2
    found, others = [], []
    for i, region in enumerate(page.regions):  # those that persist longest come first
        c = region.component
        if len(found) + len(others) > MOST:  # texture
            break
        if region.persistence < least or c.crop(ink).any():
            continue
        if confidence[i] > SEED and c.width > SLIM * c.height:
            others.append(c)
        elif confidence[i] < DIGIT and region.light == light:
            found.append(c)
            _put(ink, c, region.ink)
    return found, others


def _in_lines(
    chosen: list[Component], rest: list[Component], ink: np.ndarray, back: np.ndarray, height: float
) -> list[tuple[Component, Digit]]:
    """Return the components as digits, line by line, from left to right."""
    whole, rest = _with_pieces(chosen, rest, height)
    others = [c for c in join_parts(rest, height, TALLEST * height) if not _upright(c, height)]
    unions = _unions(others, height)
    lines = in_lines([*whole, *others, *unions], height)
    digits = []
    for number, line in enumerate(lines):
        marks = [c for c in line if c not in whole and c.height < LOW * height]
        sure = [c for c in line if c in whole and not _upright(c, height)]
        pairs = [c for c in line if c in unions]
        found = segment([c for c in line if c not in {*marks, *sure, *pairs}], ink)
        found += [(c, [(n, n + 1, 0.0, part) for n, part in enumerate(unions[c])]) for c in pairs]
        found += [(c, [(0, 1, LEFT, whole[c])] if whole[c] is not c else []) for c in sure]
        for component, lattice in sorted(found, key=lambda f: f[0].x + f[0].width / 2):
            digit = make_digit(component, ink, back, line=number)
            digit.parts = [
                (*edge, make_digit(part, ink, back, line=number)) for *edge, part in lattice
            ]
            digits.append((component, digit))
        digits += [(mark, make_digit(mark, ink, back, line=number, mark=True)) for mark in marks]
    return digits


def _upright(component: Component, height: float) -> bool:
    """Whether it is an upright stroke: as a digit it would be among the regions."""
    return component.height > LOW * height and component.width < SLIM * component.height


def _unions(rest: list[Component], height: float) -> dict[Component, list[Component]]:
    """Take those that may be two halves of one broken digit out of `rest`; return their unions."""
    unions: dict[Component, list[Component]] = {}
    rest.sort(key=lambda c: c.x)
    x, y, width, tall = np.array([(c.x, c.y, c.width, c.height) for c in rest]).reshape(-1, 4).T
    free = np.ones(len(rest), bool)
    for i, left in enumerate(rest):
        gap = -overlap(x, width, left.x, left.width)
        below = -overlap(y, tall, left.y, left.height)
        across = np.maximum(x + width, left.x + left.width) - np.minimum(x, left.x)
        high = np.maximum(y + tall, left.y + left.height) - np.minimum(y, left.y)
        close = free & (np.maximum(gap, below) < NEAR * height) & (across < 1.3 * high)
        close &= (high > LOW * height) & (high < TALLEST * height)
        close[: i + 1] = False
        if free[i] and close.any():
            j = int(close.argmax())
            free[[i, j]] = False
            unions[merge(left, rest[j])] = [left, rest[j]]
    rest[:] = [c for c, kept in zip(rest, free, strict=True) if kept]
    return unions


def _with_pieces(
    chosen: list[Component], rest: list[Component], height: float
) -> tuple[dict[Component, Component], list[Component]]:
    """Return each digit with the pieces that may belong to it, and without; and other pieces."""
    wholes, others = list(chosen), []
    boxes = np.array([corners(c) for c in chosen])
    for piece in rest:
        small = piece.height < 0.5 * height and piece.width < 0.8 * height
        near = near_boxes(boxes, piece, height) if small else ()
        i = next((i for i in near if are_one(wholes[i], piece, height, 0)), None)
        if i is None:
            others.append(piece)
        else:
            wholes[i] = merge(wholes[i], piece)
            boxes[i] = corners(wholes[i])
    return dict(zip(wholes, chosen, strict=True)), others
