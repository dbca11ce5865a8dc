"""The drawing of what was read: each picture with its boxes, and the images that the model saw."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np

from digits import figures
from digits.command_line import one_line, percent
from digits.figures import matplotlib
from digits.reading.results import Answer, Reading

# In inches: the name, a line of the answer, the picture at most, a row of images, and the gaps.
NAME, LINE, PICTURE, ROW, GAP = 0.3, 0.24, 3.2, 0.66, 0.12
LETTER = 0.12  # the width of one in the answer
COLUMNS = 9  # images in a row, so that each is wide enough for its caption


def draw_readings(readings: list[Reading]) -> matplotlib.figure.Figure:
    """Draw pictures that were read, three in a row; each Reading must hold its picture."""
    columns = min(3, len(readings))
    width = 4.2 if columns > 1 else 5.5
    rows = [readings[i : i + columns] for i in range(0, len(readings), columns)]
    heights = [max(_height(reading, width) for reading in row) for row in rows]
    figure = figures.new_figure(figsize=(width * columns, sum(heights)))
    cells = figure.subfigures(len(rows), columns, squeeze=False, height_ratios=heights)
    for row_of_cells, row, height in zip(cells, rows, heights, strict=True):
        for cell, reading in zip(row_of_cells, row, strict=False):
            _draw_reading(cell, reading, width, height)
    return figure


def _lines(reading: Reading, width: float) -> list[str]:
    answer = _visible(reading.text or reading.error or "no digit found")
    return textwrap.wrap(answer, round(0.9 * width / LETTER))


def _height(reading: Reading, width: float) -> float:
    rows = -(-len(reading.answers) // COLUMNS)
    lines = len(_lines(reading, width))
    return NAME + LINE * lines + GAP + _picture_height(reading, width) + ROW * rows + GAP


def _picture_height(reading: Reading, width: float) -> float:
    high, wide = reading.grey.shape
    return min(PICTURE, 0.9 * width * high / wide)


def _draw_reading(
    cell: matplotlib.figure.SubFigure, reading: Reading, width: float, height: float
) -> None:
    sure = f"{percent(reading.confidence)}{'  unsure' if reading.unsure else ''}"
    high = 1 - 0.6 * NAME / height
    name = {"fontsize": 9, "color": figures.SOFT, "va": "center"}
    cell.text(0.05, high, _short(_visible(Path(reading.name).name)), parse_math=False, **name)
    if reading.answers:
        color = figures.WRONG if reading.unsure else figures.RIGHT
        cell.text(0.95, high, sure, **name | {"color": color, "ha": "right"})
    top = NAME
    for line in _lines(reading, width):
        middle = 1 - (top + LINE / 2) / height
        cell.text(0.05, middle, line, fontsize=12, fontweight="bold", va="center", parse_math=False)
        top += LINE
    high = _picture_height(reading, width)
    top += GAP + high
    _draw_picture(cell, (0.05, 1 - top / height, 0.9, high / height), reading, high)
    places = min(COLUMNS, max(6, len(reading.answers)))  # so that one digit is not blown up
    for start in range(0, len(reading.answers), places):
        top += ROW
        for i, answer in enumerate(reading.answers[start : start + places]):
            left = 0.05 + 0.9 * i / places
            place = left + 0.02 / places, 1 - top / height, 0.86 / places, 0.55 * ROW / height
            _draw_image(cell, place, answer, reading.threshold)


def _draw_picture(
    cell: matplotlib.figure.SubFigure, place: tuple, reading: Reading, height: float
) -> None:
    """Draw the picture with a box around each digit, and a dashed one around what is unread."""
    axis = cell.add_axes(place)
    axis.imshow(reading.grey, cmap="gray", vmin=0, vmax=255)
    axis.set(xticks=[], yticks=[], anchor="C")
    axis.spines[:].set_visible(True)
    for box in reading.unread:
        axis.add_patch(_rectangle(box, figures.SOFT, linestyle="--"))
    if not reading.answers:
        return
    digit = np.median([answer.digit.box[3] for answer in reading.answers])
    digit *= 72 * height / len(reading.grey)  # in points
    size = np.clip(0.6 * digit, 4, 9)  # small where digits are, so that labels stay apart
    for answer in reading.answers:
        x, y, *_ = box = answer.digit.box
        color = figures.RIGHT if answer.confidence >= reading.threshold else figures.WRONG
        axis.add_patch(_rectangle(box, color, lw=0.18 * size))
        label = {"color": "white", "fontsize": size, "fontweight": "bold", "va": "bottom"}
        label["bbox"] = {"facecolor": color, "edgecolor": "none", "pad": 0.13 * size}
        axis.text(x - 0.5, y - 0.5, str(answer.value), **label)


def _draw_image(
    cell: matplotlib.figure.SubFigure, place: tuple, answer: Answer, threshold: float
) -> None:
    """Draw the 28x28 image that the model saw, and above it what it said."""
    axis = cell.add_axes(place)
    axis.axis("off")
    axis.imshow(answer.digit.image, cmap="gray", vmin=0, vmax=255)
    color = figures.INK if answer.confidence >= threshold else figures.WRONG
    text = f"{answer.value}\n{percent(answer.confidence)}"
    axis.set_title(text, fontsize=6, fontweight="normal", color=color, pad=2)


def _rectangle(
    box: tuple[int, int, int, int], color: str, **options: object
) -> matplotlib.patches.Rectangle:
    x, y, width, height = box
    corner, options = (x - 0.5, y - 0.5), {"lw": 1.6, "color": color} | options
    return matplotlib.patches.Rectangle(corner, width, height, fill=False, **options)


def _visible(text: str) -> str:
    """Return `text` with escapes for what the font lacks."""
    fonts = matplotlib.font_manager
    font = fonts.get_font(fonts.findfont(fonts.FontProperties()))
    return one_line(text, lambda character: font.get_char_index(ord(character)))


def _short(name: str, longest: int = 36) -> str:
    half = longest // 2
    return name if len(name) <= longest else f"{name[: half - 1]}…{name[-half:]}"
