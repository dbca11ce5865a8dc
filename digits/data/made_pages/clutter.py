"""What is no writing: rulings, strokes through and around numbers, stickers, a desk, pictures."""

import cv2
import numpy as np

from digits.data.made_pages import kinds
from digits.data.made_pages.drawing import Hand, Page, Strokes, cloud, gradient
from digits.data.made_pages.kinds import INKS, RULINGS, Drawn, Rng, one_of, photograph_of, some
from digits.data.made_pages.writing import some_font, some_word, type_text


def rulings(page: Page, hand: Hand, pitch: float) -> None:
    """Draw the lines, or the squares, of ruled paper."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    colour, thickness = one_of(rng, RULINGS), h * some(rng, 0.015, 0.06)
    squared = rng.random() < 0.5
    pitch = h * rng.uniform(0.4, 1.6) if squared else pitch
    slope = rng.normal(0, 0.01)
    for y in np.arange(rng.uniform(0, pitch), height, pitch):
        page.stroke([(0, y), (width, y + slope * width)], thickness, colour)
    if squared:
        for x in np.arange(rng.uniform(0, pitch), width, pitch):
            page.stroke([(x, 0), (x - slope * height, height)], thickness, colour)


def struck(page: Page, hand: Hand) -> None:
    """Underline, circle, box, strike out or highlight some of the digits; or draw a long line."""
    rng, h = hand.rng, hand.height
    boxes = np.array(page.boxes).reshape(-1, 4)
    colour = hand.colour if rng.random() < 0.7 else one_of(rng, INKS)
    for _ in range(int(rng.integers(1, 4))):
        if not len(boxes) or rng.random() < 0.2:
            size = np.array(page.marks.shape[::-1])
            page.stroke(rng.uniform(0, 1, (2, 2)) * size, hand.width, colour, hand.opaque)
            continue
        first = int(rng.integers(len(boxes)))
        row = boxes[first : first + int(rng.integers(1, 5))]
        row = row[np.abs(row[:, 3] - row[0, 3]) < 0.5 * h]
        left, top = row[:, :2].min(axis=0)
        right, bottom = row[:, 2:].max(axis=0)
        middle = np.array([left + right, top + bottom]) / 2
        half = np.array([right - left, bottom - top]) / 2
        kind = rng.choice(
            ["under", "ring", "box", "marker", "through"], p=(0.3, 0.25, 0.1, 0.2, 0.15)
        )
        if kind == "under":
            for n in range(int(rng.integers(1, 3))):
                y = bottom + h * (rng.uniform(0.03, 0.25) + 0.12 * n)
                ends = np.array([(left - 0.1 * h, y), (right + 0.1 * h, y)])
                page.stroke(ends + rng.normal(0, 0.04 * h, (2, 2)), hand.width, colour, hand.opaque)
        elif kind == "ring":
            turn = np.linspace(0, 2 * np.pi * rng.uniform(0.95, 1.1), 40)[:, None]
            around = np.hstack([np.cos(turn), np.sin(turn)])
            size = half * rng.uniform(1.3, 1.6) + h * rng.uniform(0.1, 0.4)
            page.stroke(middle + around * size, hand.width, colour, hand.opaque)
        elif kind == "box":
            corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
            page.stroke(middle + corners * (half + 0.2 * h), hand.width, colour, hand.opaque)
        elif kind == "marker":
            shape = int(rng.uniform(0.8, 1.4) * 2 * half[1]) + 1, int(2 * half[0] + 0.4 * h) + 1
            tint = one_of(
                rng, ((1, 1, 0.35), (0.6, 1, 0.6), (1, 0.7, 0.8), (0.7, 0.8, 1), (0.75,) * 3)
            )
            page.lay(np.ones(shape, "float32"), left - 0.2 * h, middle[1] - shape[0] / 2, tint)
        else:
            line = np.array([(left - 0.1 * h, middle[1]), (right + 0.1 * h, middle[1])])
            line += rng.normal(0, 0.12 * h, (2, 2))
            thin = 0.5 * hand.width  # one can still read what is struck out thinly
            page.stroke(line, max(1, thin), colour, hand.opaque)


def covered(page: Page, hand: Hand) -> None:
    """Lay shaded fields, stickers or a stripe on the sheet, under and over the writing."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    for _ in range(int(rng.integers(1, 4))):
        size = (h * rng.uniform(0.5, 4, 2)).astype(int) + 1
        at = rng.uniform(-0.2, 1, 2) * (width, height)
        opaque = rng.random() < 0.25
        page.lay(np.ones(size, "float32"), *at, rng.uniform(0.4, 1, 3), opaque)


def creases(page: Page, hand: Hand) -> None:
    """Crease the sheet, here and there: pale lines, as long as a digit or longer."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    for _ in range(int(rng.integers(1, 9))):
        middle, turn = rng.uniform(0, 1, 2) * (width, height), rng.normal(np.pi / 2, 0.6)
        half = h * some(rng, 0.25, 2.5) * np.array([np.cos(turn), np.sin(turn)])
        pale = (rng.uniform(0.7, 0.95),) * 3
        page.stroke([middle - half, middle + half], h * some(rng, 0.02, 0.2), pale)


def desk(page: Page, hand: Hand) -> None:
    """Let the sheet end before the picture does: a desk, wood, the dark, a finger around it."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    used = np.argwhere(page.marks != 0)
    if not len(used):
        return
    ground = np.float32(rng.uniform(0.03, 0.9, 3)) * np.ones((height, width, 1), "float32")
    for _ in range(2):
        grain = h * some(rng, 0.05, 4), h * some(rng, 0.03, 1)
        ground *= 1 + rng.uniform(0.02, 0.25) * cloud(rng, height, width, grain)[..., None]
    (top, left), (bottom, right) = used.min(axis=0), used.max(axis=0)
    away = 0.12 * h + rng.exponential(0.6 * h, 8)
    corners = np.float32([
        (left - away[0], top - away[1]), (right + away[2], top - away[3]),
        (right + away[4], bottom + away[5]), (left - away[6], bottom + away[7]),
    ])  # fmt: skip
    sheet = np.zeros((height, width), "float32")
    cv2.fillPoly(sheet, [corners.round().astype("int32")], 1.0)
    if rng.random() < 0.4:  # a finger holds it
        tip = corners[rng.integers(4)] + rng.normal(0, 0.3 * h, 2)
        axes = (int(h * rng.uniform(0.3, 0.8)), int(h * rng.uniform(1, 2)))
        finger = np.zeros_like(sheet)
        cv2.ellipse(finger, tuple(map(int, tip)), axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
        finger *= page.marks == 0
        sheet *= 1 - finger
        skin = np.float32((0.8, 0.6, 0.5)) * rng.uniform(0.3, 1.1)
        ground = ground * (1 - finger[..., None]) + skin * finger[..., None]
    sheet = cv2.GaussianBlur(sheet, (0, 0), rng.uniform(0.5, 2))[..., None]
    page.pixels[:] = page.pixels * sheet + ground.clip(0, 1) * (1 - sheet)


def clutter(strokes: Strokes, rng: Rng) -> Drawn:
    """Return a picture without a digit: textures, shapes, plots, keyboards, logos, blank forms."""
    hand = kinds.some_hand(strokes, rng, some(rng, 18, 60))
    h = hand.height
    width, height = h * some(rng, 3, 14), h * some(rng, 3, 14)
    dark = rng.random() < 0.4
    page = kinds.blank(rng, width, height, rng.uniform(0, 1, 3) if dark else None)
    page.lines.append("")
    kind = rng.choice(["texture", "shapes", "scribbles", "plot", "keys", "logo", "form"],
                      p=(0.24, 0.22, 0.18, 0.1, 0.1, 0.1, 0.06))  # fmt: skip
    {"texture": _texture, "shapes": _shapes, "scribbles": _scribbles, "plot": _plot, "keys": _keys,
     "logo": _logo, "form": _form}[kind](page, hand)  # fmt: skip
    if rng.random() < 0.3:
        gradient(page, rng, rng.uniform(0.2, 0.7))
    return photograph_of(page, rng, rng.uniform(0.3, 1.2))


def _texture(page: Page, hand: Hand) -> None:
    rng, h = hand.rng, hand.height
    for _ in range(int(rng.integers(2, 6))):
        grain = h * some(rng, 0.04, 4), h * some(rng, 0.04, 4)
        noise = cloud(rng, *page.marks.shape, grain)
        if rng.random() < 0.4:  # hard edges, as leaves and stones have
            noise = np.tanh(rng.uniform(2, 12) * noise)
        page.pixels *= (1 + rng.uniform(0.05, 0.4) * noise)[..., None].clip(0.05, 2)
    page.pixels.clip(0, 1, out=page.pixels)
    if rng.random() < 0.5:
        _shapes(page, hand)


def _shapes(page: Page, hand: Hand) -> None:
    """Lay filled shapes of all colours over each other."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    for _ in range(int(rng.integers(2, 30))):
        at, size = rng.uniform(0, 1, 2) * (width, height), h * some(rng, 0.2, 4)
        mask = np.zeros((height, width), "uint8")
        corners = int(rng.choice([3, 4, 4, 5, 7, 40]))
        turn = (
            np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 9 else np.linspace(0, 6.28, 40)
        )
        reach = size * (rng.uniform(0.6, 1, (corners, 1)) if corners < 9 else 1)
        points = at + reach * np.c_[np.cos(turn), rng.uniform(0.3, 1) * np.sin(turn)]
        cv2.fillPoly(mask, [points.round().astype("int32")], 255, cv2.LINE_AA)
        if rng.random() < 0.2:
            cv2.circle(mask, tuple(map(int, at)), int(0.4 * size), 0, -1, cv2.LINE_AA)
        page.lay(mask.astype("float32") / 255, 0, 0, rng.uniform(0, 1, 3), True)


def _scribbles(page: Page, hand: Hand) -> None:
    """Draw lines that wind, arcs, polygons, springs, doodles: nothing that is a digit."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    for _ in range(int(rng.integers(2, 40))):
        at, size = rng.uniform(0, 1, 2) * (width, height), h * some(rng, 0.3, 3)
        kind = rng.integers(6)
        if kind == 0:  # a walk
            points = np.cumsum(rng.normal(0, 0.45, (int(rng.integers(4, 12)), 2)), axis=0)
        elif kind == 1:  # many turns, or most of one with a gap no 0 or 6 has
            turn = np.linspace(0, 2 * np.pi * rng.choice([0.5, 2.4]), 50) + rng.uniform(0, 6.3)
            points = np.c_[np.cos(turn), rng.uniform(0.2, 0.5) * np.sin(turn)]
        elif kind == 2:
            turn = np.linspace(0, 2 * np.pi, int(rng.integers(4, 8))) + rng.uniform(0, 6.3)
            points = np.c_[np.cos(turn), np.sin(turn)]
        elif kind == 3:
            corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
            points = corners * (1, rng.uniform(0.3, 1))
        elif kind == 4:
            turn = rng.uniform(0, 6.3)
            points = 3 * np.array([(-np.cos(turn), -np.sin(turn)), (np.cos(turn), np.sin(turn))])
        else:
            along = np.linspace(0, 1, 40)
            points = np.c_[6 * along, np.sin(along * rng.uniform(6, 60))]
        colour = tuple(rng.uniform(0, 0.8, 3)) if rng.random() < 0.5 else hand.colour
        page.stroke(at + size * points, hand.width * rng.uniform(0.6, 1.5), colour)


def _plot(page: Page, hand: Hand) -> None:
    """Draw axes, ticks, bars, and a curve."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    left, bottom = 0.1 * width, 0.9 * height
    page.stroke(
        [(left, 0.1 * height), (left, bottom), (0.95 * width, bottom)], 0.05 * h, (0.1,) * 3
    )
    for x in np.arange(left, 0.95 * width, h * rng.uniform(0.4, 1.5)):
        page.stroke([(x, bottom), (x, bottom + 0.2 * h)], 0.04 * h, (0.1,) * 3)
        if rng.random() < 0.6:
            shape = int(rng.uniform(0.1, 0.7) * height) + 1, int(0.3 * h) + 1
            page.lay(np.ones(shape, "float32"), x, bottom - shape[0], rng.uniform(0, 1, 3), True)
    x = np.linspace(left, 0.95 * width, 60)
    curve = np.cumsum(rng.normal(0, 0.1, 60))
    y = height * (0.5 - 0.3 * curve / (np.abs(curve).max() + 0.1))
    page.stroke(np.c_[x, y], 0.06 * h, tuple(rng.uniform(0, 0.7, 3)))


def _keys(page: Page, hand: Hand) -> None:
    """Draw keys, tiles or windows in rows, with letters on some."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    size, colour, ink = h * rng.uniform(1, 2), rng.uniform(0, 1, 3), rng.uniform(0, 1, 3)
    font = some_font(rng)
    for y in np.arange(0.2 * h, height - size, 1.15 * size):
        for x in np.arange(0.2 * h + rng.uniform(0, 0.5) * size, width - size, 1.15 * size):
            page.lay(np.ones((int(size), int(size)), "float32"), x, y, colour, True)
            if rng.random() < 0.7:
                type_text(page, some_word(rng, 2), font, 0.5 * size, x + 0.15 * size,
                          y + 0.75 * size, ink, True)  # fmt: skip


def _logo(page: Page, hand: Hand) -> None:
    """Lay a shape or two, and one large word of thick letters."""
    rng, h = hand.rng, hand.height
    if rng.random() < 0.6:
        _shapes(page, hand)
    size = h * rng.uniform(0.8, 2.5)
    y = page.marks.shape[0] * rng.uniform(0.5, 0.9)
    font = some_font(rng, rng.random() < 0.3)
    type_text(page, some_word(rng), font, size, 0.3 * h, y, rng.uniform(0, 1, 3), True, None, 0.05)


def _form(page: Page, hand: Hand) -> None:
    """Draw the empty boxes, lines and grids of a form."""
    rng, h = hand.rng, hand.height
    height, width = page.marks.shape
    thick, colour = h * some(rng, 0.02, 0.15), one_of(rng, RULINGS)
    cell = h * rng.uniform(1, 3, 2)
    boxes = rng.random() < 0.5
    for y in np.arange(0.3 * h, height - cell[1], cell[1] * (1.2 if boxes else 1)):
        if not boxes:
            page.stroke([(0, y), (width, y)], thick, colour)
            continue
        for x in np.arange(0.3 * h, width - cell[0], cell[0] * 1.1):
            corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * cell + (x, y)
            page.stroke(corners, thick, colour)
    if not boxes and rng.random() < 0.6:
        for x in np.arange(0.3 * h, width, cell[0]):
            page.stroke([(x, 0), (x, height)], thick, colour)
