"""Cells with one thing each: sudokus by hand or in print, tables, drums, keyboards."""

import numpy as np

from digits.data.made_pages import kinds
from digits.data.made_pages.drawing import Hand, Page
from digits.data.made_pages.kinds import one_of, some
from digits.data.made_pages.layouts import ground, token
from digits.data.made_pages.writing import some_font, some_word, type_text

CORNERS = np.array([(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95), (0.05, 0.05)])


def grid(hand: Hand, mixture) -> Page:
    """Return a page of cells with one thing each; see `digits.data.made_pages.scenes.MIXTURES`."""
    rng, h = hand.rng, hand.height
    columns, rows = int(rng.integers(2, 10)), int(rng.integers(1, 9))
    cell = h * np.array([rng.uniform(1.0, 2.2), rng.uniform(1.25, 2.2)])
    margin = h * rng.uniform(0.1, 1.2, 2) + 0.04 * cell * (columns, rows)
    page = ground(hand, *(cell * (columns, rows) + 2 * margin))
    _draw_cells(page, hand, columns, rows, cell, margin)
    printed, font, filled = rng.random() < 0.4, some_font(rng), rng.uniform(0.3, 1)
    page.right = np.inf
    for i in range(rows):
        page.lines.append("")
        for j in range(columns):
            if rng.random() > filled:
                continue
            what = int(rng.choice(6, p=mixture))
            at = margin + cell * (j + 0.5, i + 0.5) + rng.normal(0, 0.05 * h, 2)
            x, y = at[0] - 0.3 * h, at[1] + 0.5 * h
            if what in (0, 4) and (printed != (rng.random() < 0.15) or what == 4):
                type_text(page, str(rng.integers(10)), font, h, x, y, hand.colour, hand.opaque)
            elif what in (0, 4):
                page.number(hand, at[0], y, 1, centred=True)
            elif what in (2, 5):
                type_text(page, some_word(rng, 1), font, h, x, y, hand.colour, hand.opaque)
            else:
                token(page, hand, what, x, y)
    return page


def _draw_cells(page: Page, hand: Hand, columns: int, rows: int, cell, margin) -> None:
    """Draw the lines of a grid, straight or by hand, some of them thick, or a box for each cell."""
    rng, h = hand.rng, hand.height
    colour = hand.colour if rng.random() < 0.4 else one_of(rng, kinds.RULINGS)
    thick, tremble = h * some(rng, 0.02, 0.12), rng.choice([0, rng.uniform(0, 0.06)])
    lines = rng.choice(["all", "boxes", "none", "columns"], p=(0.45, 0.25, 0.15, 0.15))
    bold = int(rng.choice([1, 2, 4], p=(0.6, 0.2, 0.2)))
    shaded = rng.random() < 0.15
    for i in range(rows):
        for j in range(columns):
            corner = margin + cell * (j, i)
            if shaded and (i + j) % 2:
                tint = 1 - rng.uniform(0.05, 0.5)
                page.lay(np.ones(cell[::-1].astype(int), "float32"), *corner, (tint,) * 3)
            if lines == "boxes":
                page.stroke(corner + cell * CORNERS, thick, colour, hand.opaque)
    for way in {"all": (0, 1), "columns": (0,)}.get(str(lines), ()):  # upright, then level ones
        for n in range((columns, rows)[way] + 1):
            ends = np.tile(margin, (2, 1))
            ends[:, way] += cell[way] * n
            ends[1, 1 - way] += cell[1 - way] * (rows, columns)[way]
            ends += rng.normal(0, tremble * h, (2, 2))
            page.stroke(ends, thick * (bold if n % 3 == 0 else 1), colour, hand.opaque)
