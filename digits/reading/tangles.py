"""Strokes that touch a digit and do not belong to it: lines behind it, a box around it."""

import cv2
import numpy as np

from digits.data.normalization import padded
from digits.data.statistics import fraction
from digits.reading.components import Component, connected_components, edge_contacts


def untangle(component: Component, ink: np.ndarray) -> list[Component]:
    """Return what a digit may be if strokes that run to the picture's edge are behind it.

    It is darker, or its strokes are thicker.
    """
    contacts = edge_contacts(component, ink.shape)
    if sum(np.count_nonzero(np.diff(side, prepend=False) & side) for side in contacts) < 2:
        return []
    inside = cv2.distanceTransform(padded(component.mask), cv2.DIST_L2, 3)[1:-1, 1:-1]
    levels = np.clip(50 * component.crop(ink), 0, 255).astype("uint8")
    # Only along their middle are strokes as dark as they are.
    middle = component.mask & (inside >= cv2.dilate(inside, np.ones((3, 3), "uint8")))
    cut, _ = cv2.threshold(levels[middle].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    reach = max(1, int(0.35 * inside.max()))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    thick = cv2.morphologyEx(component.mask.astype("uint8"), cv2.MORPH_OPEN, disc)
    parts = [
        max(connected_components(part), key=lambda p: p.size, default=None)
        for part in (component.mask & (levels > cut), thick)
    ]
    return [
        p.shifted(component.x, component.y) for p in parts if p and p.size > 0.25 * component.size
    ]


def unbox(component: Component) -> tuple[list[Component], list[Component]]:
    """Free a digit that is alone in a box or ring: return it as loose, or as touching the box."""
    if component.width > 1.6 * component.height:
        return [], []
    end = component.width, component.height
    inside = [
        part
        for part in connected_components(component.mask)
        if part.x and part.y and part.x + part.width < end[0] and part.y + part.height < end[1]
    ]
    loose = _alone(component, inside)
    inner = None if loose else _without_outermost(component.mask)
    return loose, [] if inner is None else _alone(component, connected_components(inner))


def is_empty_box(mask: np.ndarray) -> bool:
    """Whether all ink, (height, width) bool, is that of a box: a stroke along each side."""
    inner = _without_outermost(mask)
    return inner is not None and inner.sum() < 0.05 * mask.sum()


def _alone(component: Component, parts: list[Component]) -> list[Component]:
    """Return the one of `parts` that is no dust, if it is large enough for a digit in a box."""
    parts = [part for part in parts if part.height > 0.2 * component.height]
    large = len(parts) == 1 and parts[0].height > 0.35 * component.height
    return [parts[0].shifted(component.x, component.y)] if large else []


def _without_outermost(mask: np.ndarray) -> np.ndarray | None:
    """Return a mask without the outermost stroke on each side; None if it is no box."""
    inner, band = mask.copy(), max(1, max(mask.shape) // 8)
    for turns in range(4):
        outside, rest = np.rot90(mask, turns), np.rot90(inner, turns)
        if fraction(outside[:band].any(axis=0)) < 0.95:
            return None
        start = outside.argmax(axis=0)
        rows = np.arange(len(outside))[:, None]
        end = np.where((rows > start) & ~outside, rows, len(outside)).min(axis=0)
        thick = 1.5 * np.median(end - start)
        rest &= (rows < start) | (rows > start + thick)
    return inner
