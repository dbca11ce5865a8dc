"""How writing stands on a page: in rows, anywhere, or a few large characters."""

import numpy as np

from digits.data.made_pages import kinds
from digits.data.made_pages.clutter import rulings
from digits.data.made_pages.drawing import Hand, Page, cloud
from digits.data.made_pages.kinds import CREAM, Rng, one_of, some
from digits.data.made_pages.writing import (
    PRINTED_SIGNS,
    WRITTEN_SIGNS,
    draw,
    some_font,
    some_word,
    type_segments,
    type_text,
    written_letter,
    written_sign,
)


def ground(hand: Hand, width: float, height: float) -> Page:
    """Return something to write on: paper, coloured or rough paper, or a flat ground."""
    rng, h = hand.rng, hand.height
    if hand.opaque:
        ink = np.mean(hand.colour)
        far = rng.uniform(0.7, 1, 3) if ink < 0.5 else rng.uniform(0, 0.35, 3)
        if rng.random() < 0.6:
            far = np.full(3, round(far.mean()))
        page = kinds.blank(rng, width, height, far)
        if rng.random() < 0.7:
            page.pixels[:] = np.float32(far)
        return page
    colour = None
    if rng.random() < 0.25:
        colour = rng.uniform(0.55, 1, 3)
    elif rng.random() < 0.3:
        colour = rng.uniform(0.6, 0.95) * (1 - rng.uniform(0, 0.5) * CREAM)
    page = kinds.blank(rng, width, height, colour)
    if rng.random() < 0.2:
        for _ in range(3):
            grain = h * some(rng, 0.06, 3), h * some(rng, 0.06, 1)
            page.pixels *= (
                1 + rng.uniform(0.01, 0.05) * cloud(rng, *page.marks.shape, grain)[..., None]
            )
    return page


def token(page: Page, hand: Hand, what: int, x: float, y: float) -> float:
    """Write something from x on, on the baseline y: see MIXTURES. Return where it ends."""
    rng, h = hand.rng, hand.height
    size = h * rng.uniform(0.8, 1.15)
    warp = rng, rng.uniform(0, 0.05)
    ink = page, hand.colour, hand.opaque
    if what == 0:
        x = page.number(hand, x, y, int(rng.choice([1, 1, 1, 2, 2, 3, 4, 5])))
        if rng.random() < 0.06:  # a power, small and raised
            small = Hand(**{**hand.__dict__, "height": h * rng.uniform(0.45, 0.7)})
            x = page.number(small, x - 0.05 * h, y - rng.uniform(0.55, 0.8) * h, 1)
        return x
    if what == 1:
        if rng.random() < 0.6:
            return written_letter(page, hand, x, y)
        letter = some_word(rng, 1)
        return type_text(page, letter, some_font(rng, True), size, x, y, *ink[1:], warp)
    if what == 2:
        bold = max(0.0, hand.pen - 0.08)
        font = some_font(rng, by_hand=True)
        return type_text(page, some_word(rng), font, size, x, y, *ink[1:], warp, bold)
    if what == 3:
        return written_sign(page, hand, x, y)
    if what == 4 and rng.random() < 0.12:
        number = "".join(map(str, rng.integers(10, size=rng.integers(1, 6))))
        return type_segments(page, hand, number, x, y)
    font = some_font(rng, by_hand=rng.random() < 0.15)
    text = some_word(rng) if what == 5 else _printed_number(rng)
    colour = hand.colour if rng.random() < 0.7 else tuple(np.array(hand.colour) * rng.uniform(0, 1))
    return type_text(page, text, font, size, x, y, colour, hand.opaque)


def _printed_number(rng: Rng) -> str:
    """Return a number, a few with a sign or a letter among them, as plates and prices have."""
    number = "".join(map(str, rng.integers(10, size=rng.integers(1, 8))))
    if rng.random() < 0.3:
        at = rng.integers(len(number) + 1)
        other = one_of(rng, PRINTED_SIGNS) if rng.random() < 0.6 else some_word(rng, 2)
        number = number[:at] + other + number[at:]
    return number


def fill(page: Page, hand: Hand, mixture, x: float, y: float, right: float) -> None:
    """Write a row from x on."""
    rng, h = hand.rng, hand.height
    close = rng.random() < 0.6
    page.right = right
    page.lines.append("")
    before, slope, left = -1, rng.normal(0, 0.01), x
    while x < right - 0.9 * h:
        what = int(rng.choice(6, p=mixture))
        if what in (1, 2, 4, 5) and x > right - 2 * h and x > left:
            break
        x = token(page, hand, what, x, y + slope * (x - left))
        joined = close and what in (0, 1, 3) and before != 2
        x += h * (rng.uniform(0.02, 0.35) if joined else rng.uniform(0.2, 1.4))
        before = what


def rows(hand: Hand, mixture) -> Page:
    rng, h = hand.rng, hand.height
    lines = int(rng.choice([1, 2, 3, 4, 6]))
    pitch = rng.uniform(1.25, 2.4) * h
    width, margin = h * some(rng, 3, 16), h * rng.uniform(0.15, 2, 2)
    page = ground(hand, width + 2 * margin[0] + 2 * kinds.EDGE * width,
                   lines * pitch + 2 * margin[1] + 0.3 * h)  # fmt: skip
    if rng.random() < 0.4 and not (hand.opaque and rng.random() < 0.7):
        rulings(page, hand, pitch)
    if rng.random() < 0.06:
        y = margin[1] + lines * pitch - 0.3 * h
        draw(page, hand, WRITTEN_SIGNS["{"], margin[0] - 0.5 * h, y, 1.05 * lines * pitch / h)
    for n in range(lines):
        start = margin[0] + h * rng.choice([0, rng.uniform(0, 3)], p=(0.6, 0.4))
        fill(page, hand, mixture, start, margin[1] + h + pitch * n, margin[0] + width)
    return page


def loose(hand: Hand, mixture) -> Page:
    """Digits and others anywhere: at the edges, one above the other, of unequal size."""
    rng, h = hand.rng, hand.height
    width, height = h * some(rng, 2, 12), h * some(rng, 1.6, 9)
    page = ground(hand, width, height)
    if rng.random() < 0.15:
        rulings(page, hand, h * rng.uniform(0.5, 1.6))
    spread, room = rng.uniform(0, 0.35), rng.uniform(1.0, 1.6)
    taken: list[tuple[float, float, float]] = []
    page.lines.append("")
    for _ in range(int(rng.integers(2, 26))):
        size = h * np.exp(rng.normal(0, spread))
        x = rng.uniform(0.01 * width, max(0.02 * width, 0.97 * width - 0.7 * size))
        y = rng.uniform(1.03 * size, max(1.04 * size, 0.98 * height))
        if any(
            abs(x - a) < 0.8 * room * max(size, c) and abs(y - b) < 1.08 * room * max(size, c)
            for a, b, c in taken
        ):
            continue
        taken.append((x, y, size))
        other = Hand(**{**hand.__dict__, "height": size})
        what = int(rng.choice(6, p=mixture))
        if what in (2, 5):
            what = 1
        page.lines.append("")
        if what == 0:
            page.number(other, x, y, 1)
        elif what == 4:
            digit = str(rng.integers(10))
            type_text(page, digit, some_font(rng), size, x, y, hand.colour, hand.opaque)
        else:
            token(page, other, what, x, y)
    return page


def few(hand: Hand, mixture) -> Page:
    """One to three large characters with much room or none: lone digits, letters and signs."""
    rng, h = hand.rng, hand.height
    count = int(rng.choice([1, 2, 3], p=(0.6, 0.25, 0.15)))
    room = (
        h
        * some(
            rng,
            0.06,
            3,
        )
        if rng.random() < 0.8
        else h * 0.05
    )
    width = h * (0.75 * count + 0.25 * (count - 1)) + 2 * room
    page = ground(hand, width + 0.06 * width, 1.1 * h + 2 * room * rng.uniform(0.7, 1.3))
    x, y = room + 0.03 * width, page.pixels.shape[0] / 2 + 0.5 * h
    page.right = np.inf
    page.lines.append("")
    if rng.random() < 0.15:
        rulings(page, hand, h * rng.uniform(0.5, 2))
    for _ in range(count):
        what = int(rng.choice(6, p=mixture))
        if what == 0:
            x = page.number(hand, x, y, 1)
        elif what == 4:
            digit = str(rng.integers(10))
            x = type_text(page, digit, some_font(rng), h, x, y, hand.colour, hand.opaque)
        elif what == 3:
            x = written_sign(page, hand, x, y)
        elif what == 5:
            letter = some_word(rng, 1)
            x = type_text(page, letter, some_font(rng), h, x, y, hand.colour, hand.opaque)
        else:
            x = written_letter(page, hand, x, y)
        x += h * rng.uniform(0.05, 0.4)
    return page
