"""From paper to ink: how much ink there is at each pixel, whatever the light and the paper."""

from collections.abc import Iterator

import cv2
import numpy as np

from digits.images.paper import stand_out
from digits.images.pieces import FAINT, FAINTEST, Piece, connected, edge_contacts, ink_mask
from digits.images.rulings import find_rulings
from digits.images.statistics import median, quantile, share

SMALL, LARGE = 112, 1400  # the longest side that the steps work at, in pixels
NOISE = 5  # ink stands out from the paper by so many times the paper's own spread
SHARP = 12  # what differs from its surroundings, so much smaller than the picture, is sharp
AT_EDGE = 0.8  # the share of a frame that lies along the edge, at least


def to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture at a size to work at, without dust, and by how much it was enlarged."""
    longest = max(grey.shape)
    scale = LARGE / longest if longest > LARGE else max(1.0, -(-SMALL // longest))
    size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
    if scale > 1:  # so few pixels that each counts
        return cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), scale
    return _without_dust(cv2.resize(grey, size, interpolation=cv2.INTER_AREA)), scale


def _without_dust(grey: np.ndarray) -> np.ndarray:
    """Return the picture with no pixel darker, or lighter, than all eight around it.

    A line of one pixel's width stays as it is.
    """
    around = np.ones((3, 3), "uint8")
    around[1, 1] = 0
    return np.clip(grey, cv2.erode(grey, around), cv2.dilate(grey, around))


def find_ink(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield how much ink there is at each pixel, (height, width) float32.

    The paper is 0 and the ink about 1, whatever the lighting and whether the ink is
    darker or lighter than the paper. There may be a second opinion, for where the first leads
    to nothing, and none at all if nothing stands out from the paper.
    """
    for differences in stand_out(grey):
        # Dark strokes or light ones: whichever there is more of.
        found = [(*_amount(signed), signed) for signed in differences]
        _, spread, signed = max(found, key=lambda seen: seen[0])
        ink = _clean_ink(signed, spread)
        if ink is not None:
            yield np.maximum(ink, 0)


def _amount(signed: np.ndarray) -> tuple[float, float]:
    """Return how much of it is sharp, as strokes are and shades are not, and the paper's spread."""
    spread = _spread(signed)
    level = _ink_level(signed, spread)
    if level is None:
        return 0.0, spread
    reach = max(signed.shape) // SHARP
    sharp = signed - cv2.blur(signed, (2 * reach + 1,) * 2)
    return float(sharp[(signed > FAINT * level) & (sharp > FAINT * level)].sum()), spread


def _spread(signed: np.ndarray) -> float:
    """Return how far the paper's own grey is from what the paper is taken for, typically."""
    away = np.abs(signed)
    # Strokes may fill more than half of a picture.
    near = away[away <= (away.min() + away.max()) / 2]
    return 1.4826 * median(near)


def _clean_ink(signed: np.ndarray, spread: float) -> np.ndarray | None:
    """Return the ink without rulings and frame, or None if there is none."""
    level = _ink_level(signed, spread)
    if level is not None:
        signed = np.where(find_rulings(signed / level, spread / level), 0, signed)
        level = _ink_level(signed, spread)
    if level is not None:
        signed = np.where(frame_of(signed / level), 0, signed)
        level = _ink_level(signed, spread)
    return None if level is None else signed / level


def _ink_level(signed: np.ndarray, spread: float) -> float | None:
    """Return how far full ink stands out from the paper, or None if nothing does."""
    threshold = max(FAINTEST, NOISE * spread)
    values = signed[signed > threshold]
    if len(values) < 8:
        return None
    return quantile(values, 0.75)


def _keeps_to_edge(piece: Piece, shape: tuple[int, int]) -> bool:
    """Return whether a piece is nearly all at the edges that it lies along, as no digit is."""
    reach = max(1, round(1.5 * piece.thickness))
    there, near = np.zeros(shape, bool), np.zeros(shape, bool)
    piece.inside(there)[:] = piece.mask
    for turns in range(4):
        if share(np.rot90(there, turns)[0]) > 0.5:
            np.rot90(near, turns)[:reach] = True
    return share(near[there]) > AT_EDGE


def frame_of(ink: np.ndarray) -> np.ndarray:
    """Return where something lies along the edge: a shadow, the table, the sheet's border."""
    frame = np.zeros(ink.shape, "uint8")
    if max(ink[0].max(), ink[-1].max(), ink[:, 0].max(), ink[:, -1].max()) <= FAINT:
        return frame > 0
    for piece in connected(ink_mask(ink)):
        contacts = edge_contacts(piece, ink.shape)
        corner = len(contacts) == 2 and all(side[0] or side[-1] for side in contacts)
        corner &= piece.size < 0.3 * max(ink.shape)
        along = any(share(side) > 0.5 for side in contacts)
        if corner or (along and _keeps_to_edge(piece, ink.shape)):
            piece.inside(frame)[piece.mask] = 1
    if not frame.any():
        return frame > 0
    # Its blurred side is fainter than ink and goes with it, some way into the picture.
    fading = (ink > 0.08).astype("uint8")
    square = np.ones((3, 3), "uint8")
    for _ in range(max(ink.shape) // 12):
        frame = cv2.dilate(frame, square) & (fading | frame)
    return cv2.dilate(frame, square) > 0
