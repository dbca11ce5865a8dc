"""From paper to ink: how much ink there is at each pixel, whatever the light and the paper."""

from collections.abc import Iterator

import cv2
import numpy as np

from digits.images.lines import lines_of
from digits.images.paper import stand_out
from digits.images.pieces import CLEAR, FAINT, FAINTEST, Piece, connected, edge_contacts, ink_mask
from digits.images.sheet import find_sheet
from digits.images.statistics import median, quantile, share

SMALL, LARGE = 112, 1400  # the longest side that the steps work at, in pixels
NOISE = 5  # ink stands out from the paper by so many times the paper's own spread
BOTH_WAYS = 0.3  # what stands out the other way than the ink, as a share of the ink, at most
SHARP = 0.08  # what is sharp differs from its surroundings by more of full ink
AT_EDGE = 0.8  # the share of a frame that lies along the edge, at least
STRAY = 0.08  # the share of a picture that is neither paper nor ink, at most


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
    darker or lighter than the paper; of a sheet on a table only the sheet counts. There may
    be a second opinion, for where the first leads to nothing, and none at all if nothing
    stands out from the paper.
    """
    found = find_sheet(grey)
    if found is not None:
        place, sheet = found
        for ink in _inks(sheet):
            result = np.zeros(grey.shape, "float32")
            result[place] = ink
            yield result
        if sheet.shape[0] < 2 * sheet.shape[1]:  # else it may be no sheet but a thick 1
            return
    yield from _inks(grey)


def _inks(grey: np.ndarray) -> Iterator[np.ndarray]:
    for differences in stand_out(grey):
        candidates: list[tuple[float, np.ndarray, float]] = []
        for signed in sorted(differences, key=_sum_above, reverse=True):
            if candidates:
                seen, _, level = candidates[0]
                if _sum_above(signed) < seen and signed.max() <= FAINT * level:
                    continue  # too little to be the ink, too faint to speak against it
            found = _clean_ink(signed, _spread(signed))
            if found:
                candidates.append(found)
        if not candidates:
            continue
        *others, (_, signed, level) = sorted(candidates, key=lambda found: found[0])
        ink = signed / level
        if not _shows_things(ink, [other / level for _, other, _ in others]):
            yield np.maximum(ink, 0)


def _sum_above(signed: np.ndarray) -> float:
    return float(signed.clip(0).sum())


def _spread(signed: np.ndarray) -> float:
    """Return how far the paper's own grey is from what the paper is taken for, typically."""
    away = np.abs(signed)
    # Strokes may fill more than half of a picture.
    near = away[away <= (away.min() + away.max()) / 2]
    return 1.4826 * median(near)


def _shows_things(ink: np.ndarray, others: list[np.ndarray]) -> bool:
    """Writing is darker than its paper or lighter, with little else; things have all shades.

    Beside the edge of a shadow, paper looks darker and lighter too, but nowhere sharp.
    """
    contrary = sum(np.count_nonzero((other > FAINT) & _sharp(other)) for other in others)
    if contrary > BOTH_WAYS * np.count_nonzero(ink > FAINT):
        return True
    seen = np.abs(ink) > FAINT
    if share(seen & (ink <= CLEAR)) <= STRAY:  # clear ink is no stray: seldom is more to ask
        return False
    return share(seen & ~ink_mask(ink)) > STRAY


def _sharp(ink: np.ndarray) -> np.ndarray:
    """Return where `ink` is not about the mean of its surroundings."""
    reach = max(ink.shape) // 80 + 1
    return np.abs(ink - cv2.blur(ink, (2 * reach + 1,) * 2)) > SHARP


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
