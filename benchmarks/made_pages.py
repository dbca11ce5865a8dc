"""Measure how well pages are read, on labelled pages made from MNIST's digits.

    python benchmarks/made_pages.py

Pages of twenty kinds (ruled, sudoku, shadow, two pens, ...), always the same ones. They are made
from the validation digits, to develop on; with `--sealed` from the test digits, for the figures.
Printed is, by kind: the pages whose digits are all right, and those whose lines are so too; the
wrong digits, as edit distance to the label; the false digits, read where there is none; and how
many of the answers above 90 % are right. `--docs` writes that into the documentation.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import distance, part_of, print_table

from digits import figures
from digits.command_line import figure_file, new_parser, positive_int, run, writable_folder
from digits.data.made_pages.drawing import Strokes, legible
from digits.data.made_pages.kinds import KINDS, draw_page
from digits.data.mnist import load_mnist
from digits.model.loading import load_model
from digits.reading import UNSURE, Reading, read_pictures
from digits.reading.reader import FRONT_ENDS
from digits.streams import progress_bar

VALIDATION = 2_500  # the last training digits, as in cnn.py
DEVELOPMENT, SEALED = 0, 2  # seeds; a rule was mended on a page of seed 1, so it is not sealed
OTHERS = 20_000  # training digits that say which digits are legible
AROUND = 0.2  # heights of a digit: what is read nearer to it is not read where there is none
ACROSS, SHOWN = 5, 140  # pages in a row of the plot, and pixels of their longer side
SURE = ["above 90 %", "of them right"]
HEADER = ["kind", "pages", "right", "lines too", "wrong digits", "false", *SURE]


@dataclass
class MadePage:
    """A page and what is written on it."""

    name: str
    picture: np.ndarray  # (height, width, 3) uint8
    lines: list[str]  # the digits of each line
    boxes: np.ndarray  # (n, 4) of each digit: left, top, right, bottom in pixels

    @property
    def label(self) -> str:
        return "".join(self.lines)


def main() -> int:
    parser = new_parser(__doc__.split("\n")[0])
    parser.add_argument("--sealed", action="store_true", help="pages of test digits, for figures")
    parser.add_argument(
        "--kind", nargs="+", choices=KINDS, default=list(KINDS), help="only these", metavar="KIND"
    )
    parser.add_argument("--pages", type=positive_int, default=50, help="so many of each kind")
    parser.add_argument("--model", type=Path, default=".", help="where the two files are")
    parser.add_argument("--data", type=Path, help="your copy of MNIST")
    parser.add_argument(
        "--front-end", choices=FRONT_ENDS, default=FRONT_ENDS[0], help="how digits are found"
    )
    parser.add_argument("--docs", action="store_true", help="write the table into the docs")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write pages and labels.csv")
    parser.add_argument("--plot", type=figure_file, metavar="FILE", help="draw a page of each kind")
    arguments = parser.parse_args()
    folder = writable_folder(arguments.save) if arguments.save else None
    model, strokes = load_model(arguments.model), load_strokes(arguments.data, arguments.sealed)
    scores, saved, shown = {}, [], {}
    with progress_bar() as bar:
        for kind in bar.track(arguments.kind):
            pages = list(draw_pages(kind, arguments.pages, strokes, arguments.sealed))
            shown[kind] = min(pages, key=narrowness)
            saved += [save(page, kind, folder) for page in pages if folder]
            sources = ((page.name, page.picture) for page in pages)
            readings = read_pictures(model, sources, front_end=arguments.front_end)
            scores[kind] = [score(*pair) for pair in zip(pages, readings, strict=True)]
    if folder:
        write_labels(folder, saved)
    if arguments.plot:
        figures.save(draw_sheet(shown), arguments.plot)
    rows = table(scores)
    print_table(HEADER, rows)
    if arguments.docs:
        tables.keep("made pages", HEADER, rows)
    return 0


def load_strokes(data: Path | None, sealed: bool) -> Strokes:
    """Return the digits that the pages of a set are made from."""
    (x_train, y_train), test = load_mnist(data)
    images, labels = test if sealed else (x_train[-VALIDATION:], y_train[-VALIDATION:])
    kept = legible(images, labels, x_train[:OTHERS], y_train[:OTHERS])
    return Strokes(images[kept], labels[kept])


def draw_pages(kind: str, count: int, strokes: Strokes, sealed: bool) -> Iterator[MadePage]:
    """Yield the first pages of a kind."""
    for number in range(count):
        drawn = draw_page(kind, number, strokes, SEALED if sealed else DEVELOPMENT)
        yield MadePage(f"{kind.replace(' ', '_')}_{number:02}.png", *drawn[:3])


def save(page: MadePage, kind: str, folder: Path) -> dict:
    """Write a page into a folder and return its row of `labels.csv`: each has its own writer."""
    cv2.imwrite(str(folder / page.name), page.picture[..., ::-1])
    return {"path": page.name, "label": page.label, "group": kind, "writer": page.name}


def write_labels(folder: Path, rows: list[dict]) -> None:
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def score(page: MadePage, reading: Reading) -> tuple[int, ...]:
    """Return what counts of a page, by the columns of the table.

    1 for the page; whether its digits are right, and its lines; its wrong digits, and of how many;
    its false digits; whether its answer is above 90 %, and right as well.
    """
    right, sure = reading.digits == page.label, reading.confidence > UNSURE
    lines = ["".join(str(a.value) for group in line for a in group) for line in reading.lines]
    wrong = distance(reading.digits, page.label)
    false = false_digits([answer.digit.box for answer in reading.answers], page.boxes)
    return 1, right, lines == page.lines, wrong, len(page.label), false, sure, sure and right


def false_digits(found: list[tuple[int, int, int, int]], boxes: np.ndarray) -> int:
    """Return how many boxes, x, y, width and height, have their middle outside of every digit's."""
    x, y, width, height = np.array(found, float).reshape(-1, 4, 1).transpose(1, 0, 2)
    middle = np.hstack([x + width / 2, y + height / 2])[:, None]
    room = AROUND * (boxes[:, 3:] - boxes[:, 1:2])
    inside = (middle > boxes[:, :2] - room) & (middle < boxes[:, 2:] + room)
    return int((~inside.all(axis=2).any(axis=1)).sum())


def narrowness(page: MadePage) -> float:
    """Return how far a page is from a width of 4 to a height of 3."""
    height, width, _ = page.picture.shape
    return abs(np.log(width / height / (4 / 3)))


def draw_sheet(pages: dict[str, MadePage]) -> Figure:
    """Draw a page of each kind."""
    rows = -(-len(pages) // ACROSS)
    figure = Figure(figsize=(6.8, 1.25 * rows), layout="constrained")
    axes = figure.subplots(rows, ACROSS, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, (kind, page) in zip(axes, pages.items(), strict=False):
        height, width, _ = page.picture.shape
        scale = min(1, SHOWN / max(height, width))
        size = round(scale * width), round(scale * height)
        axis.imshow(cv2.resize(page.picture, size, interpolation=cv2.INTER_AREA))
        axis.set_title(kind, fontsize=7)
    return figure


def table(scores: dict[str, list[tuple[int, ...]]]) -> list[list[object]]:
    """Return the rows of the table, a row for each kind and one for all."""
    sums = {kind: np.sum(pages, axis=0) for kind, pages in scores.items()}
    sums["all"] = np.sum(list(sums.values()), axis=0)
    return [
        [kind, pages, right, lines, part_of(wrong, digits), false, sure, sure_right]
        for kind, (pages, right, lines, wrong, digits, false, sure, sure_right) in sums.items()
    ]


if __name__ == "__main__":
    sys.exit(run(main))
