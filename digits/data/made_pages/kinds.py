"""The twenty kinds of made pages: each function draws one page of its kind.

    drawn = draw_page("ruled", 7, strokes, seed)

Lengths are mostly in heights of a digit, `hand.height`.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from digits.data.made_pages.drawing import (
    EDGE,
    OTHER,
    Hand,
    Page,
    Strokes,
    cloud,
    gradient,
    photograph,
    shadow,
)

INKS = (0.1, 0.1, 0.12), (0.15, 0.15, 0.2), (0.1, 0.15, 0.5), (0.15, 0.3, 0.65), (0.75, 0.1, 0.15)
RULINGS = (0.6, 0.75, 0.9), (0.75, 0.75, 0.75), (0.85, 0.65, 0.65), (0.6, 0.8, 0.7), (0.3, 0.3, 0.3)
CREAM = np.array((0.1, 0.35, 1))  # how much of each colour light paper may swallow
SANS, SERIF = ("DejaVuSans", "cmss10"), ("DejaVuSerif-Italic", "STIXGeneralItalic", "cmti10")
WORDS = "Name Street Total Date from and Room pieces Number page sum per week Anna Berlin metres"
Rng = np.random.Generator


def some(rng: Rng, low: float, high: float) -> float:
    """Return a length between two, small ones as often as large ones."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def one_of(rng: Rng, choices):
    return choices[rng.integers(len(choices))]


def some_hand(strokes: Strokes, rng: Rng, height: float | None = None, **how) -> Hand:
    what = {
        "height": height or some(rng, 20, 100),
        "pen": some(rng, 0.045, 0.13),
        "colour": one_of(rng, INKS),
        "slant": rng.normal(0.03, 0.08),
        "gap": some(rng, 0.15, 0.7),
    }
    return Hand(strokes, rng, **what | how)


def blank(rng: Rng, width: float, height: float, colour=None) -> Page:
    """Return paper of a light colour, not quite even."""
    shape = int(height), int(width)
    colour = rng.uniform(0.85, 1) * (1 - rng.uniform(0, 0.1) * CREAM) if colour is None else colour
    uneven = 1 + rng.uniform(0, 0.02) * cloud(rng, *shape, max(shape) / 4)
    uneven += rng.uniform(0, 0.008) * cloud(rng, *shape, 2)
    return Page(np.float32(colour) * uneven[..., None].astype("float32"))


def sheet(
    rng: Rng,
    hand: Hand,
    lines: int | None = None,
    digits: int | None = None,
    pitch: float | None = None,
    colour=None,
) -> Page:
    """Return paper with room for so many lines of so many digits, `pitch` heights apart."""
    lines, digits = lines or int(rng.integers(1, 7)), digits or int(rng.integers(3, 12))
    pitch = (pitch or rng.uniform(1.4, 2.4)) * hand.height
    margins = hand.height * rng.uniform(0.7, 2.0, 2)
    size = np.array([digits * (0.75 + hand.gap), 0]) * hand.height + 2 * margins
    size += hand.height, lines * pitch
    edge = 2.2 * EDGE * max(size)
    width, height = size + 2 * edge
    page = blank(rng, width, height, colour)
    left, top = margins + edge
    page.left, page.right = left, width - edge - 0.3 * hand.height
    page.baselines = [top + hand.height + pitch * i for i in range(lines)]
    return page


def write_rows(page: Page, hand: Hand, *others: Hand) -> None:
    """Fill the lines of a page with numbers, in turn by each hand."""
    rng, hands = hand.rng, (hand, *others)
    for y in page.baselines:
        page.lines.append("")
        x = page.left + rng.uniform(0, 0.8) * hand.height
        slope, start = rng.normal(0, 0.006), len(page.boxes)
        while x < page.right - hand.height or len(page.boxes) == start:
            writer = hands[len(page.boxes) % len(hands)]
            x = page.number(writer, x, y + slope * (x - page.left), int(rng.integers(1, 7)))
            x += hand.height * rng.uniform(0.3, 1.2)


def ruled(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    pitch = rng.uniform(1.3, 2.2)
    page = sheet(rng, hand, pitch=pitch)
    height, width = page.pixels.shape[:2]
    colour, thickness = one_of(rng, RULINGS), hand.height * rng.uniform(0.02, 0.07)
    below = hand.height * rng.uniform(0.02, 0.25)
    first = page.baselines[0] + below
    for y in np.arange(first % (pitch * hand.height), height, pitch * hand.height):
        page.stroke([(0, y), (width, y + rng.normal(0, 0.5))], thickness, colour)
    if rng.random() < 0.3:
        x = page.left - 0.4 * hand.height
        page.stroke([(x, 0), (x, height)], thickness, (0.9, 0.4, 0.4))
    write_rows(page, hand)
    return photograph_of(page, rng)


def squared(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    cell = hand.height * rng.uniform(0.45, 1.3)
    page = sheet(rng, hand, pitch=cell / hand.height * np.ceil(1.4 * hand.height / cell))
    height, width = page.pixels.shape[:2]
    colour, thickness = one_of(rng, RULINGS[:4]), hand.height * rng.uniform(0.015, 0.05)
    for y in np.arange(rng.uniform(0, cell), height, cell):
        page.stroke([(0, y), (width, y)], thickness, colour)
    for x in np.arange(rng.uniform(0, cell), width, cell):
        page.stroke([(x, 0), (x, height)], thickness, colour)
    write_rows(page, hand)
    return photograph_of(page, rng)


def grid(rng: Rng, hand: Hand, columns: int, rows: int, cell: tuple[float, float]):
    """Return paper with room for a table, and the x and y of its lines; cells in heights."""
    size = hand.height * np.array(cell) * (columns, rows)
    margins = hand.height * rng.uniform(0.4, 1.5, 2) + 2.2 * EDGE * max(size)
    page = blank(rng, *(size + 2 * margins))
    x, y = (
        m + np.linspace(0, s, n + 1) for m, s, n in zip(margins, size, (columns, rows), strict=True)
    )
    return page, x, y


def draw_grid(page: Page, x, y, thickness: float, colour, thick: int = 0) -> None:
    """Draw the lines of a table; every third is `thick` times as thick, if that is given."""
    for n, at in enumerate(x):
        width = thickness * (thick if thick and n % 3 == 0 else 1)
        page.stroke([(at, y[0]), (at, y[-1])], width, colour)
    for n, at in enumerate(y):
        width = thickness * (thick if thick and n % 3 == 0 else 1)
        page.stroke([(x[0], at), (x[-1], at)], width, colour)


def fill_grid(page: Page, hand: Hand, x, y, digits: int, filled: float) -> None:
    """Write numbers of up to so many digits into the cells of a table."""
    rng = hand.rng
    for top, bottom in pairwise(y):
        page.lines.append("")
        for left, right in pairwise(x):
            if rng.random() < filled:
                at = rng.normal(0, 0.06, 2) * hand.height + ((left + right) / 2, (top + bottom) / 2)
                count = int(rng.integers(1, digits + 1))
                page.number(hand, at[0], at[1] + hand.height / 2, count, centred=True)


def table(strokes: Strokes, rng: Rng):
    hand, digits = some_hand(strokes, rng, gap=0.15), int(rng.integers(1, 4))
    cell = digits * 0.85 + rng.uniform(0.7, 1.6), rng.uniform(1.4, 2.2)
    page, x, y = grid(rng, hand, int(rng.integers(2, 7)), int(rng.integers(2, 8)), cell)
    dark = one_of(rng, ((0.1, 0.1, 0.1), (0.4, 0.4, 0.4), (0.6, 0.6, 0.65)))
    draw_grid(page, x, y, hand.height * rng.uniform(0.02, 0.08), dark)
    fill_grid(page, hand, x, y, digits, rng.uniform(0.5, 1))
    return photograph_of(page, rng)


def sudoku(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, some(rng, 18, 44))
    page, x, y = grid(rng, hand, 9, 9, (rng.uniform(1.5, 2.1),) * 2)
    draw_grid(
        page, x, y, hand.height * rng.uniform(0.02, 0.06), (0.15,) * 3, int(rng.integers(2, 5))
    )
    fill_grid(page, hand, x, y, 1, rng.uniform(0.25, 0.9))
    return photograph_of(page, rng)


def form_boxes(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    columns, rows = int(rng.integers(4, 14)), int(rng.integers(1, 5))
    side, apart = rng.uniform(1.2, 1.8), rng.uniform(0, 0.4)
    page, x, y = grid(rng, hand, columns, rows, (side + apart, side + rng.uniform(0.3, 1)))
    colour = one_of(rng, ((0.1, 0.1, 0.1), (0.45, 0.45, 0.45), (0.9, 0.5, 0.4), (0.4, 0.6, 0.85)))
    thickness, side = hand.height * rng.uniform(0.02, 0.08), side * hand.height
    for top in y[:-1]:
        page.lines.append("")
        first, last = sorted(rng.choice(columns + 1, 2, replace=False))
        for n, left in enumerate(x[:-1]):
            corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * side + (left, top)
            page.stroke(corners, thickness, colour)
            if first <= n < last:
                page.number(hand, left + side / 2, top + (side + hand.height) / 2, 1, centred=True)
    return photograph_of(page, rng)


def comb_fields(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    columns, rows = int(rng.integers(4, 14)), int(rng.integers(1, 5))
    page, x, y = grid(rng, hand, columns, rows, (rng.uniform(1.1, 1.5), rng.uniform(1.6, 2.5)))
    colour = one_of(rng, ((0.1, 0.1, 0.1), (0.45, 0.45, 0.45), (0.9, 0.5, 0.4)))
    thickness = hand.height * rng.uniform(0.025, 0.07)
    tick = hand.height * rng.uniform(0.2, 0.6)
    for bottom in y[1:]:
        page.lines.append("")
        page.stroke([(x[0], bottom), (x[-1], bottom)], thickness, colour)
        first, last = sorted(rng.choice(columns + 1, 2, replace=False))
        for n, left in enumerate(x):
            page.stroke([(left, bottom), (left, bottom - tick)], thickness, colour)
            if first <= n < last:
                at = (left + x[n + 1]) / 2, bottom - hand.height * rng.uniform(0.1, 0.25)
                page.number(hand, *at, 1, centred=True)
    return photograph_of(page, rng)


def hand_drawn_frames(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, gap=rng.uniform(0.15, 0.3))
    digits, rows, columns = (
        int(rng.integers(1, 5)),
        int(rng.integers(1, 5)),
        int(rng.integers(1, 4)),
    )
    cell = np.array((digits * 0.85 + 2.0, rng.uniform(2.3, 2.8)))
    page, x, y = grid(rng, hand, columns, rows, cell)
    fill_grid(page, hand, x, y, digits, 1)
    half = (cell - (0.5, 0.6)) * hand.height / 2
    whole = rng.random() < 0.3
    power = rng.uniform(0.25, 1)  # from a rectangle to an ellipse
    around = np.linspace(-0.1, 2 * np.pi * rng.uniform(0.97, 1.02), 80)
    unit = np.stack([np.cos(around), np.sin(around)], axis=1)
    unit = np.sign(unit) * np.abs(unit) ** power
    if whole:
        half = np.array((x[-1] - x[0], y[-1] - y[0])) / 2 - 0.1 * hand.height
        middles = [((x[0] + x[-1]) / 2, (y[0] + y[-1]) / 2)]
    else:
        middles = [((a + b) / 2, (c + d) / 2) for a, b in pairwise(x)
                   for c, d in pairwise(y)]  # fmt: skip
    for middle in middles:
        waves = np.arange(2, 7)[:, None] * around + rng.uniform(0, 2 * np.pi, (5, 1))
        wobble = rng.normal(0, 0.03, (2, 5)) @ np.sin(waves)
        page.stroke(middle + unit * half + wobble.T * hand.height, hand.width, hand.colour)
    return photograph_of(page, rng)


def shadows(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    page = sheet(rng, hand)
    write_rows(page, hand)
    for light in rng.uniform(0.45, 0.75, rng.integers(1, 3)):
        shadow(page, rng, light, hand.height * some(rng, 0.05, 1.5))
    return photograph_of(page, rng)


def gradients(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    page = sheet(rng, hand)
    write_rows(page, hand)
    gradient(page, rng, rng.uniform(0.2, 0.5))
    return photograph_of(page, rng)


def dark_patch(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    page = sheet(rng, hand, lines=int(rng.integers(2, 6)))
    chalk = some_hand(strokes, rng, hand.height, colour=rng.uniform(0.8, 1, 3), opaque=True)
    dark = rng.uniform(0.05, 0.3) * rng.uniform(0.7, 1.3, 3)
    first = int(rng.integers(0, 2) and rng.integers(1, len(page.baselines)))
    lines = page.baselines[:first], page.baselines[first:]
    top, bottom = lines[1][0] - 1.3 * hand.height, lines[1][-1] + 0.4 * hand.height
    left, right = page.left - 0.5 * hand.height, page.right + 0.3 * hand.height
    page.lay(np.ones((int(bottom - top), int(right - left)), "float32"), left, top, dark, True)
    for page.baselines, writer in zip(lines, (hand, chalk), strict=True):
        write_rows(page, writer)
    return photograph_of(page, rng)


def coloured_cells(strokes: Strokes, rng: Rng):
    hand, digits = some_hand(strokes, rng, gap=0.15), int(rng.integers(1, 3))
    cell = digits * 0.85 + rng.uniform(0.7, 1.3), rng.uniform(1.5, 2)
    page, x, y = grid(rng, hand, int(rng.integers(2, 6)), int(rng.integers(2, 6)), cell)
    for top, bottom in pairwise(y):
        for left, right in pairwise(x):
            colour = rng.uniform(0.3, 1, 3)
            while max(colour * (1 - np.array(hand.colour))) < 0.4:  # a person can't read it
                colour = rng.uniform(0.3, 1, 3)
            shape = int(bottom) - int(top), int(right) - int(left)
            page.lay(np.ones(shape, "float32"), int(left), int(top), colour)
    if rng.random() < 0.5:
        draw_grid(
            page, x, y, hand.height * rng.uniform(0.02, 0.06), one_of(rng, ((0.1,) * 3, (1,) * 3))
        )
    fill_grid(page, hand, x, y, digits, rng.uniform(0.5, 1))
    return photograph_of(page, rng)


def two_pens(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, colour=INKS[rng.integers(3)])
    pale = rng.uniform(0.45, 0.75) * np.ones(3) + rng.uniform(0, 0.2, 3)
    other = some_hand(strokes, rng, hand.height, colour=pale)
    page = sheet(rng, hand, digits=int(rng.integers(6, 14)))
    write_rows(page, hand, other)
    return photograph_of(page, rng)


def pale_pencil(strokes: Strokes, rng: Rng):
    pen, grey = some(rng, 0.05, 0.1), rng.uniform(0.7, 0.87)
    hand = some_hand(strokes, rng, pen=pen, colour=(grey, grey, grey + 0.02), grain=0.4)
    page = sheet(rng, hand)
    write_rows(page, hand)
    return photograph_of(page, rng, noise=rng.uniform(0.002, 0.008))


def texture(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, pen=some(rng, 0.07, 0.13), colour=INKS[rng.integers(2)])
    brown = rng.uniform(0.6, 0.9) * np.array((1, rng.uniform(0.8, 0.95), rng.uniform(0.6, 0.85)))
    page = sheet(rng, hand, colour=brown)
    shape, size = page.pixels.shape[:2], hand.height
    rough = np.zeros(shape, "float32")
    for _ in range(3):  # crumpled, grained as wood, or woven
        grain = size * some(rng, 0.06, 3), size * some(rng, 0.06, 1)
        rough += rng.uniform(0.02, 0.06) * cloud(rng, *shape, grain)
    page.pixels *= (1 + rough)[..., None]
    for _ in range(int(rng.integers(0, 60))):  # fibres
        start, turn = rng.uniform(0, 1, 2) * shape[::-1], rng.uniform(0, 2 * np.pi)
        end = start + size * rng.uniform(0.1, 0.5) * np.array((np.cos(turn), np.sin(turn)))
        page.stroke([start, end], 0.03 * size, (rng.uniform(0.75, 0.95),) * 3)
    write_rows(page, hand)
    return photograph_of(page, rng)


def blur_and_noise(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, pen=some(rng, 0.07, 0.13))
    page = sheet(rng, hand)
    write_rows(page, hand)
    blur, quality = hand.height * rng.uniform(0.03, 0.08), int(rng.integers(25, 70))
    return photograph_of(page, rng, blur, rng.uniform(0.03, 0.1), quality)


def small_and_dense(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, rng.uniform(12, 18), gap=some(rng, 0.18, 0.4))
    lines, digits = int(rng.integers(6, 15)), int(rng.integers(10, 24))
    page = sheet(rng, hand, lines, digits, rng.uniform(1.3, 1.7))
    write_rows(page, hand)
    return photograph_of(page, rng, blur=rng.uniform(0.3, 0.5))


def large_and_few(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, some(rng, 150, 450), pen=some(rng, 0.03, 0.15))
    page = sheet(rng, hand, int(rng.integers(1, 3)), int(rng.integers(1, 4)))
    write_rows(page, hand)
    return photograph_of(page, rng)


def long_strips(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, some(rng, 16, 40))
    lines, digits = 1, int(rng.integers(30, 120))
    if rng.random() < 0.5:
        lines, digits = int(rng.integers(20, 60)), int(rng.integers(1, 5))
    page = sheet(rng, hand, lines, digits)
    write_rows(page, hand)
    return photograph_of(page, rng)


# Strokes of signs, x and y in heights from the left and from the baseline up.
SIGNS = {
    "+": [[(0, 0.45), (0.5, 0.45)], [(0.25, 0.2), (0.25, 0.7)]],
    "-": [[(0, 0.45), (0.45, 0.45)]],
    "=": [[(0, 0.33), (0.5, 0.33)], [(0, 0.55), (0.5, 0.55)]],
    ".": [[(0, 0.02), (0.02, 0)]],
    ",": [[(0.06, 0.06), (0, -0.14)]],
    ":": [[(0, 0.1), (0.02, 0.08)], [(0, 0.5), (0.02, 0.48)]],
    "x": [[(0, 0.2), (0.4, 0.65)], [(0, 0.65), (0.4, 0.2)]],
    "/": [[(0, -0.25), (0.6, 1.25)]],
    "(": [[(0.22, 1.1), (0.04, 0.8), (0, 0.5), (0.04, 0.2), (0.22, -0.1)]],
    ")": [[(0, 1.1), (0.18, 0.8), (0.22, 0.5), (0.18, 0.2), (0, -0.1)]],
    "<": [[(0.45, 0.75), (0, 0.45), (0.45, 0.15)]],
}


def with_signs(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng)
    page = sheet(rng, hand, digits=int(rng.integers(6, 14)))
    for y in page.baselines:
        page.lines.append("")
        x = page.left
        while x < page.right - 2 * hand.height or not page.lines[-1]:
            x = page.number(hand, x, y, int(rng.integers(1, 4)))
            x += hand.height * rng.uniform(0.05, 0.25)
            if x > page.right - hand.height:
                break
            sign = one_of(rng, list(SIGNS.values()))
            for line in sign:
                points = (np.array(line) + rng.normal(0, 0.015, (len(line), 2))) * (1, -1)
                page.stroke(points * hand.height + (x, y), hand.width, hand.colour, mark=OTHER)
            x += hand.height * (max(p[0] for line in sign for p in line) + rng.uniform(0.2, 0.45))
    return photograph_of(page, rng)


def with_words(strokes: Strokes, rng: Rng):
    hand = some_hand(strokes, rng, gap=some(rng, 0.15, 0.35))
    font, words = one_of(rng, SANS + SERIF), WORDS.split()
    size = hand.height * rng.uniform(0.7, 1.3)
    colour = one_of(rng, (hand.colour, (0.1,) * 3, (0.5,) * 3))
    page = sheet(rng, hand, digits=int(rng.integers(10, 20)))
    for y in page.baselines:
        page.lines.append("")
        x, word = page.left, rng.random() < 0.7
        while x < page.right - 3 * hand.height or not page.lines[-1]:
            if word and x < page.right - 6 * hand.height:
                x = page.text(one_of(rng, words), font, size, x, y, colour)
            else:
                x = page.number(hand, x, y, int(rng.integers(1, 6)))
            x, word = x + hand.height * rng.uniform(0.5, 1.2), not word
    return photograph_of(page, rng)


KINDS: dict[str, Callable] = {
    "ruled": ruled,
    "squared": squared,
    "table": table,
    "sudoku": sudoku,
    "form boxes": form_boxes,
    "comb fields": comb_fields,
    "hand-drawn frames": hand_drawn_frames,
    "shadow": shadows,
    "gradient": gradients,
    "dark patch": dark_patch,
    "coloured cells": coloured_cells,
    "two pens": two_pens,
    "pale pencil": pale_pencil,
    "texture": texture,
    "blur and noise": blur_and_noise,
    "small and dense": small_and_dense,
    "large and few": large_and_few,
    "long strips": long_strips,
    "with signs": with_signs,
    "with words": with_words,
}


class Drawn(NamedTuple):
    """A page as it is seen, and what is on it."""

    picture: np.ndarray  # (height, width, 3) uint8
    lines: list[str]  # the digits of each line
    boxes: np.ndarray  # (n, 4) float32 of each digit: left, top, right, bottom in pixels
    marks: np.ndarray  # (height, width) int16: see `Page`


def photograph_of(page: Page, rng: Rng, *how, **options) -> Drawn:
    picture, boxes, marks = photograph(page, rng, *how, **options)
    return Drawn(picture, [line for line in page.lines if line], boxes, marks)


def draw_page(kind: str, number: int, strokes: Strokes, seed: int) -> Drawn:
    """Return page `number` of a kind, always the same for a seed."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind), number])
    return KINDS[kind](strokes, rng)
