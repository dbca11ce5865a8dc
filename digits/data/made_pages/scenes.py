"""Scenes to train the detector on: ground, writing, what is drawn over it, light, surroundings.

Each part is chosen by itself, so that no two scenes are of one kind; some are one of the kinds of
pages. Lengths are in heights of a digit, `hand.height`.
"""

import numpy as np

from digits.data.made_pages import kinds
from digits.data.made_pages.clutter import clutter, covered, creases, desk, struck
from digits.data.made_pages.drawing import OTHER, Hand, Strokes, gradient, shadow
from digits.data.made_pages.grids import grid
from digits.data.made_pages.kinds import INKS, Drawn, Rng, one_of, photograph_of, some
from digits.data.made_pages.layouts import few, loose, rows

LEFT_OUT = "comb fields", "dark patch", "hand-drawn frames"  # kinds the training never sees
HEIGHT = 18, 60  # pixels of a digit
SIDEWAYS = 0.06  # of the scenes with digits lie on their side
# What stands in a row, by its mixture: number, letter, word, sign, printed number, printed word.
MIXTURES = {
    "digits": (1, 0, 0, 0, 0, 0),
    "sums": (0.5, 0.04, 0, 0.46, 0, 0),
    "equations": (0.42, 0.2, 0.02, 0.36, 0, 0),
    "notes": (0.35, 0.1, 0.4, 0.1, 0.05, 0.0),
    "form": (0.4, 0.02, 0.08, 0.1, 0.1, 0.3),
    "print": (0, 0, 0, 0.0, 0.6, 0.4),
    "printed digits": (0, 0, 0, 0, 1, 0),
    "no digits": (0, 0.3, 0.4, 0.15, 0, 0.15),
}
OFTEN = (0.27, 0.17, 0.17, 0.1, 0.08, 0.05, 0.08, 0.08)
LAYOUTS = {"rows": 0.42, "loose": 0.16, "few": 0.22, "grid": 0.2}


def draw_scene(strokes: Strokes, rng: Rng) -> Drawn:
    """Return a scene, its picture at most some 900 pixels wide or high."""
    choice = rng.random()
    names = [name for name in kinds.KINDS if name not in LEFT_OUT]
    kind = kinds.KINDS[one_of(rng, names)] if choice < 0.22 else _written
    scene = (clutter if choice > 0.9 else kind)(strokes, rng)
    if not len(scene.boxes):  # what is no digit is none on its side, or upside down
        return _turned(scene, int(rng.integers(4)))
    return _turned(scene, int(rng.choice([1, 3]))) if rng.random() < SIDEWAYS else scene


def _turned(scene: Drawn, turns: int) -> Drawn:
    """Return a scene turned by right angles; what was a digit is other writing then."""
    if turns == 0:
        return scene
    seen = scene.picture, scene.marks
    picture, marks = (np.ascontiguousarray(np.rot90(array, turns)) for array in seen)
    return Drawn(picture, [], scene.boxes[:0], np.where(marks > 0, OTHER, marks))


def _written(strokes: Strokes, rng: Rng) -> Drawn:
    painted = rng.random() < 0.25  # a paint program: flat ground, no camera
    hand = _some_hand(strokes, rng, painted)
    layout = list(LAYOUTS)[rng.choice(len(LAYOUTS), p=list(LAYOUTS.values()))]
    mixture = MIXTURES[list(MIXTURES)[rng.choice(len(MIXTURES), p=OFTEN)]]
    page = {"rows": rows, "loose": loose, "few": few, "grid": grid}[layout](hand, mixture)
    if painted:
        edge = rng.random() < 0.15
        return photograph_of(page, rng, blur=0.35, noise=0.0005, quality=70 if edge else 96)
    if rng.random() < 0.3:
        struck(page, hand)
    if rng.random() < 0.15:
        covered(page, hand)
    if rng.random() < 0.12:
        creases(page, hand)
    light = rng.random()
    if light < 0.25:
        shadow(page, rng, rng.uniform(0.4, 0.85), hand.height * some(rng, 0.05, 2))
    elif light < 0.4:
        gradient(page, rng, rng.uniform(0.2, 0.6))
    if rng.random() < 0.2:
        desk(page, hand)
    if rng.random() < 0.15:
        vary = rng.uniform(0.2, 0.7)  # faint: the contrast of an overexposed or a dim picture
        page.pixels[:] = vary * page.pixels + (1 - vary) * rng.random()
    bad = rng.random() < 0.2
    blur = hand.height * rng.uniform(0.02, 0.07) if bad else rng.uniform(0.3, 0.8)
    return photograph_of(page, rng, blur, rng.uniform(0.02, 0.08) if bad else None)


def _some_hand(strokes: Strokes, rng: Rng, painted: bool) -> Hand:
    """Return a hand with a pen, chalk, a pencil or a brush, close or wide, steady or not."""
    how = {"pen": some(rng, 0.025, 0.2) if painted else some(rng, 0.035, 0.14)}
    how["colour"] = one_of(rng, INKS)
    if painted or rng.random() < 0.1:
        how["opaque"] = True
        dark, light = rng.uniform(0, 0.4, 3), rng.uniform(0.6, 1, 3)
        if rng.random() < 0.5:
            dark, light = np.full(3, dark.min()), np.full(3, light.max())
        how["colour"] = tuple(dark if rng.random() < 0.6 else light)
    elif rng.random() < 0.15:
        grey = rng.uniform(0.5, 0.85)
        how |= {"colour": (grey, grey, grey + 0.02), "grain": rng.uniform(0, 0.5)}
    how["gap"] = rng.choice([rng.uniform(-0.08, 0.05), some(rng, 0.06, 0.4), some(rng, 0.2, 1.5)],
                            p=(0.15, 0.6, 0.25))  # fmt: skip
    how["unsteady"] = rng.uniform(0.03, 0.15)
    how["slant"] = rng.normal(0.05, 0.12)
    return kinds.some_hand(strokes, rng, some(rng, *HEIGHT), **how)
