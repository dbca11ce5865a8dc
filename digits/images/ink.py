"""From paper to ink: how much ink there is at each pixel, whatever the light and the paper."""

from collections.abc import Iterator

import cv2
import numpy as np

from digits.images.pieces import connected, edge_contacts, framed
from digits.images.sheet import find_sheet

SMALL, LARGE = 112, 1400  # the longest side that the steps work at, in pixels
FAINTEST = 6  # grey levels between paper and ink; less is no writing
NOISE = 5  # ink stands out from the paper by so many times the paper's own spread
FAINT, CLEAR = 0.3, 0.55  # shares of full ink: what may be a stroke, and what surely is


def to_working_size(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture at a size to work at, and by how much it was enlarged."""
    longest = max(grey.shape)
    scale = LARGE / longest if longest > LARGE else max(1, -(-SMALL // longest))
    if scale == 1:
        return grey, 1.0
    size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, size, interpolation=how), scale


def find_ink(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield how much ink there is at each pixel, (height, width) float32.

    The paper is 0 and the ink about 1, whatever the lighting and whether the ink is
    darker or lighter than the paper. There may be a second opinion, for where the first
    leads to nothing, and none at all if nothing stands out from the paper.
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
    smooth = cv2.GaussianBlur(grey, (3, 3), 0).astype("float32")
    for paper in papers_of(grey):
        difference = smooth - paper
        spread = 1.4826 * float(np.median(np.abs(difference)))
        candidates = [_clean_ink(signed, spread) for signed in (-difference, difference)]
        candidates = [found for found in candidates if found]
        if candidates:
            _, ink, level = max(candidates, key=lambda found: found[0])
            yield np.maximum(ink / level, 0)


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


def papers_of(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what the paper may look like without the ink, (height, width) float32.

    A flat background (a scan, a paint program) is one value. A photo's light, or a scan's
    where that leads to nothing, is followed by a median wide enough to step over the strokes.
    """
    margin = max(1, round(min(grey.shape) * 0.04))
    border = np.concatenate(
        [
            side.ravel()
            for side in (grey[:margin], grey[-margin:], grey[:, :margin], grey[:, -margin:])
        ]
    )
    level = np.median(border)
    flat = (np.abs(border.astype("float32") - level) <= 10).mean()
    if flat > 0.85 and (np.abs(grey.astype("float32") - level) <= 10).mean() > 0.3:
        yield np.full(grey.shape, level, "float32")
        if flat > 0.995:  # nothing at the edge that another opinion is needed for
            return
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
    yield cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)


def _ink_level(signed: np.ndarray, spread: float) -> float | None:
    """Return how far full ink stands out from the paper, or None if nothing does."""
    threshold = max(FAINTEST, NOISE * spread)
    values = signed[signed > threshold]
    if len(values) < 8:
        return None
    return float(np.percentile(values, 75))


def ink_mask(ink: np.ndarray) -> np.ndarray:
    """Return where ink is: all that is at least faint and hangs together with clear ink."""
    faint, clear = (ink > FAINT).astype("uint8"), ink > CLEAR
    _, labels = cv2.connectedComponents(faint, connectivity=8)
    kept = np.zeros(labels.max() + 1, bool)
    kept[labels[clear]] = True
    kept[0] = False
    return kept[labels]


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
    if not lines.any():
        return lines
    # What is clearly darker than the lines is a stroke, unless it is a crossing of theirs.
    clear = lines & (ink > 1.3 * np.percentile(ink[lines], 95))
    _, labels = cv2.connectedComponents((faint & (clear | ~lines)).astype("uint8"))
    on_lines, in_all = (
        np.bincount(labels[clear], minlength=labels.max() + 1),
        np.bincount(labels.ravel()),
    )
    lines &= ~clear | (on_lines > 0.5 * in_all)[labels]
    # A stroke on a crossing of lines has a gap now; it closes from both sides.
    gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    remaining = (faint & ~lines).astype("uint8")
    lines &= cv2.morphologyEx(remaining, cv2.MORPH_CLOSE, gap) == 0
    # A single long stroke with little else is no ruling but a 1.
    if n_across + n_down == 1 and (ink_mask(ink) & ~lines).sum() < 0.5 * lines.sum():
        lines[:] = False
    return lines


def _horizontal_lines(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Return where lines run, and how many. They may all be turned a little."""
    height, width = mask.shape
    lines, n = np.zeros(mask.shape, bool), 0
    edges = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    if sum(bool(edge.any()) for edge in edges) < 2:
        return lines, n
    slope = _slope_of_lines(mask)
    room = round(abs(slope) * width / 2)
    view, visible = (
        _sheared(cv2.copyMakeBorder(part, room, room, 0, 0, cv2.BORDER_CONSTANT), slope)
        for part in (np.ascontiguousarray(mask, "uint8"), np.ones(mask.shape, "uint8"))
    )
    # Short stretches, so that a line need not be quite straight.
    stretch = np.ones((1, max(12, round(0.08 * width))), "uint8")
    long = cv2.morphologyEx(cv2.dilate(view, np.ones((3, 1), "uint8")), cv2.MORPH_OPEN, stretch)
    # Lines across interrupt them, and digits in the way.
    most = 0.02 * min(height, width) + 5
    across = np.ones((round(most) + 3, 1), "uint8")
    thin = long & visible & ~cv2.morphologyEx(view, cv2.MORPH_OPEN, across)
    thin, bridged = (
        cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, round(gap)), "uint8")) & visible
        for gap in (2 * most, 0.4 * width)
    )
    found, doubtful = np.zeros_like(view), np.zeros_like(view)
    for piece in connected(bridged):
        whole = visible[piece.y : piece.y + piece.height].sum(axis=1).min()
        if piece.height > max(0.1 * min(height, width), 3 * most):  # a stroke runs along it
            piece.mask[piece.mask.sum(axis=1) < 0.5 * whole] = False
        drawn = piece.mask & (piece.inside(thin) > 0)
        columns = drawn.any(axis=0).nonzero()[0]
        thickness = drawn.sum() / max(1, len(columns))
        rows = np.ptp(drawn.any(axis=1).nonzero()[0]) if len(columns) else 0
        runs_through = len(columns) and np.ptp(columns) + 6 > 0.95 * whole
        straight = rows < max(0.1 * min(height, width), 3 * thickness)
        if not (runs_through and straight and thickness <= most):
            continue
        sure = whole > 0.5 * width and len(columns) > 0.9 * whole
        n += sure
        if sure or len(columns) > 0.4 * whole:
            place = piece.inside(found if sure else doubtful)
            place[piece.mask] = piece.inside(long)[piece.mask]
    if width < 0.5 * height and n < 4:  # the strokes of one tall digit
        return lines, 0
    if n > 2:
        found |= doubtful
    return _sheared(found, -slope)[room : room + height] > 0, n


def _slope_of_lines(mask: np.ndarray) -> float:
    """Return by how much the longest nearly horizontal line falls, pixels by pixel."""
    upper_edges = mask.astype("uint8")
    upper_edges[1:] &= ~upper_edges[:-1]  # a thick line has many directions, its edge has one
    level, fewest = np.pi / 2, round(0.4 * mask.shape[1])
    lines = cv2.HoughLines(
        upper_edges, 1, np.pi / 1440, fewest, min_theta=level - 0.15, max_theta=level + 0.15
    )
    return 0.0 if lines is None else float(-1 / np.tan(lines[0, 0, 1]))


def _sheared(mask: np.ndarray, slope: float) -> np.ndarray:
    """Shift each column so that lines of that slope become level."""
    shear = np.array([[1, 0, 0], [slope, 1, -slope * mask.shape[1] / 2]])
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, shear, mask.shape[::-1], flags=how)


def _without_crossings(lines: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Return horizontal `lines` less the pixels where `strokes` cross them."""
    if not lines.any():
        return lines
    thickness = np.median(lines.sum(axis=0))
    rows = np.count_nonzero(np.diff(lines, axis=0, prepend=False) & lines, axis=0)
    tall = np.ones((round(1.3 * thickness / max(1, np.median(rows))) + 2, 1), "uint8")
    room = len(tall)  # or else a line at the picture's edge would pass for a crossing
    crossing = cv2.morphologyEx(framed(strokes, room), cv2.MORPH_OPEN, tall)
    return lines & (crossing[room:-room, room:-room] == 0)
