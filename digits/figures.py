"""The pictures: result.png, training.png, and what was read on people's own images.

Knows neither Keras nor how an image is read: everything comes in as plain arrays.
"""

import contextlib
import logging
import os
import sys
from pathlib import Path

import numpy as np

from digits.command_line import UserError, first_line, one_line, percent

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is its affair
try:
    # Drawing into files needs no backend, so one that is unknown must not matter.
    backend = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    import matplotlib

    if backend:
        os.environ["MPLBACKEND"] = backend
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
    from matplotlib import font_manager
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
except Exception as error:
    raise UserError(f"Matplotlib cannot start: {first_line(error)}") from error

new_figure = Figure  # for files; those of pyplot are for a window
INK, SOFT, RIGHT, WRONG = "#1f2933", "#7b8794", "#1b7f4d", "#c8312b"
TRAINING, VALIDATION = "#2f6fb5", "#e07b1a"

matplotlib.rcParams.update(
    {
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": "#cbd2d9",
        "axes.labelcolor": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titleweight": "bold",
        "axes.titlesize": 11,
    }
)


def save(figure: Figure, path: Path, **text: str) -> None:
    """Write `figure` to `path`, .png, .pdf or .svg. Raises UserError if it can't.

    A .png keeps `text`, by the keywords of its format, such as Description.
    """
    try:
        # No software version in the file: the same figure gives the same bytes.
        metadata = {"Software": None, **text} if path.suffix.lower() == ".png" else None
        figure.savefig(path, dpi=110, facecolor="white", metadata=metadata)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another place") from None


def open_window() -> None:
    """Let the figures that are drawn from now on be shown. Raises UserError without a display."""
    global new_figure
    from matplotlib import pyplot as plt
    from matplotlib.backends import BackendFilter, backend_registry

    files_only = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)
    try:
        plt.switch_backend(matplotlib.get_backend())
        shown = plt.get_backend().lower() not in map(str.lower, files_only)
    except ImportError:  # it needs a display, or a library that is missing
        shown = False
    if not shown:
        raise UserError("--show needs a display; use --plot FILE instead")
    new_figure = plt.figure


def show() -> None:
    """Show what was drawn since `open_window`, and wait until it is closed."""
    from matplotlib import pyplot as plt

    plt.show()


def draw_results(images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> Figure:
    """Draw test digits with the predictions: the first ones, and below them the mistakes.

    `images` (n, 28, 28), `labels` (n,), `probabilities` (n, 10).
    """
    predicted = probabilities.argmax(axis=1)
    mistakes = np.flatnonzero(predicted != labels)
    # The worst first: those where the model was most sure of the wrong digit.
    mistakes = mistakes[np.argsort(-probabilities[mistakes].max(axis=1), kind="stable")]
    columns, room = 16, 48
    blocks = [(np.arange(min(2 * columns, len(labels))), "The first test digits, and what is read")]
    blocks += [(mistakes[:room], _mistakes_title(mistakes, labels, room))]
    rows = [-(-len(chosen) // columns) for chosen, _ in blocks]
    heights = [0.45 + 1.0 * n for n in rows]  # inches
    figure = new_figure(figsize=(12, sum(heights)))
    parts = figure.subfigures(2, 1, height_ratios=heights)
    for part, high, n, (chosen, title) in zip(parts, heights, rows, blocks, strict=True):
        part.text(0.012, 1 - 0.22 / high, title, fontsize=12, fontweight="bold", va="center")
        if not n:
            continue
        axes = part.subplots(n, columns).ravel()
        part.subplots_adjust(0.01, 0.06 / high, 0.99, 1 - 0.78 / high, wspace=0.1, hspace=0.6)
        for axis in axes:
            axis.axis("off")
        for axis, i in zip(axes, chosen, strict=False):
            _draw_digit(axis, images[i], predicted[i], probabilities[i].max(), labels[i])
    return figure


def _mistakes_title(mistakes: np.ndarray, labels: np.ndarray, room: int) -> str:
    if not len(mistakes):
        return "No mistakes"
    shown = "all its" if len(mistakes) <= room else f"the {room} surest of its"
    return f"{shown[0].upper()}{shown[1:]} {len(mistakes)} mistakes in {len(labels)}"


def _draw_digit(axis: Axes, image: np.ndarray, answer: int, probability: float, label: int) -> None:
    """Draw one 28x28 digit, dark on light, with the answer above it."""
    axis.imshow(image, cmap="Greys", vmin=0, vmax=255, interpolation="nearest")
    text, color = (answer, RIGHT) if answer == label else (f"{answer}, not {label}", WRONG)
    text = f"{text}\n{percent(probability)}"
    axis.set_title(text, fontsize=8, color=color, fontweight="normal", pad=3)


def draw_training(
    history: dict[str, list[float]],
    lowest: tuple[float, float],
    labels: np.ndarray,
    probabilities: np.ndarray,
) -> Figure:
    """Draw loss and error by epoch (training, validation) and the test's confusion matrix.

    `history` as Keras gives it; `lowest` the loss that nothing can be below, of training and
    validation; `labels` (n,), `probabilities` (n, 10).
    """
    figure = new_figure(figsize=(12, 4.1), layout="constrained")
    loss, error, confusion = figure.subplots(1, 3, width_ratios=(1, 1, 1.05))
    epochs = np.arange(1, len(history["loss"]) + 1)
    for name, prefix, color, floor in (
        ("training (augmented)", "", TRAINING, lowest[0]),
        ("validation", "val_", VALIDATION, lowest[1]),
    ):
        style = {"color": color, "marker": "o", "markersize": 4, "label": name}
        loss.plot(epochs, history[prefix + "loss"], **style)
        loss.axhline(floor, color=color, linestyle=":", linewidth=1.2)
        errors = 100 - 100 * np.array(history[prefix + "accuracy"])
        error.plot(epochs, errors.clip(0.01), **style)  # a logarithm needs more than 0
    loss.set_title("Loss by epoch", loc="left")
    loss.set_xlabel("epoch\ndotted: the lowest possible (label smoothing, outliers)")
    loss.set_ylim(bottom=0)
    error.set_title("Error and accuracy by epoch", loc="left")
    error.set_xlabel("epoch\nlogarithmic scale")
    error.set_yscale("log")
    accuracy = error.secondary_yaxis("right")
    for axis, label in (
        (error.yaxis, lambda percent, _: f"{percent:g} %"),
        (accuracy.yaxis, lambda percent, _: f"{100 - percent:g} %"),
    ):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(label)
    for axis in (loss, error):
        axis.set_xlim(0.5, len(epochs) + 0.5)
        axis.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
        axis.grid(axis="y", color="#e4e7eb")
        axis.legend(frameon=False, fontsize=9, loc="upper right")
    _draw_confusion(confusion, labels, probabilities.argmax(axis=1))
    return figure


def _draw_confusion(axis: Axes, labels: np.ndarray, answers: np.ndarray) -> None:
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, answers), 1)
    mistakes = counts * (1 - np.eye(10, dtype=int))
    # Only mistakes are coloured: the diagonal would drown them.
    axis.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()) * 1.4)
    for row, column in np.ndindex(10, 10):
        if counts[row, column]:
            color = SOFT if row == column else INK
            text = str(counts[row, column])
            size = 7.5 if row == column else 9
            axis.text(column, row, text, ha="center", va="center", color=color, fontsize=size)
    axis.set_title("Test digits: what it is, what was read", loc="left")
    axis.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="is")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)


# A picture and what was read: name, grey picture, text, confidence, for each digit its box
# (x, y, width, height), 28x28 image, value and confidence, and the boxes of unread ink.
Box = tuple[int, int, int, int]
Reading = tuple[str, np.ndarray, str, float, list[tuple[Box, np.ndarray, int, float]], list[Box]]


def draw_readings(readings: list[Reading]) -> Figure:
    """Draw each picture with a box around each digit, and below it what the model saw."""
    columns = min(3, len(readings))
    rows = -(-len(readings) // columns)
    figure = new_figure(figsize=(max(5.5, 4.2 * columns), 4.6 * rows))
    cells = figure.subfigures(rows, columns, squeeze=False).ravel()
    for cell, reading in zip(cells, readings, strict=False):
        _draw_reading(cell, *reading)
    return figure


def _draw_reading(
    cell: Figure,
    name: str,
    grey: np.ndarray,
    text: str,
    confidence: float,
    found: list,
    unread: list[Box],
) -> None:
    answer = f"{text}   {percent(confidence)}" if found else "no digit found"
    large = min(15, 400 / len(answer))  # a long answer gets smaller letters, and a shorter name
    cell.text(0.05, 0.945, answer, fontsize=large, fontweight="bold", va="center")
    name = _short(_visible(Path(name).name), 50 - round(0.12 * large * len(answer)))
    right = {"va": "center", "ha": "right", "parse_math": False}  # a $ is no formula
    cell.text(0.95, 0.945, name, fontsize=9, color=SOFT, **right)
    picture = cell.add_axes((0.05, 0.27, 0.9, 0.63))
    picture.imshow(grey, cmap="gray", vmin=0, vmax=255)
    picture.set(xticks=[], yticks=[], anchor="C")
    picture.spines[:].set_visible(True)
    for box in unread:
        picture.add_patch(_rectangle(box, SOFT, linestyle="--"))
    for (x, y, width, height), _, value, sure in found:
        color = RIGHT if sure >= 0.9 else WRONG
        picture.add_patch(_rectangle((x, y, width, height), color))
        label = {"color": "white", "fontsize": 9, "fontweight": "bold", "va": "bottom"}
        label["bbox"] = {"facecolor": color, "edgecolor": "none", "pad": 1.2}
        picture.text(x - 0.5, y - 0.5, str(value), **label)
    # At least six places, so that one digit is not blown up.
    places = max(6, len(found))
    for i, (_, image, value, sure) in enumerate(found):
        width = 0.9 / places
        left = 0.5 + (i - len(found) / 2) * width
        axis = cell.add_axes((left + 0.05 * width, 0.03, 0.9 * width, 0.16))
        axis.axis("off")
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        small = 8 if places <= 6 else 6
        text = f"{value}  {percent(sure)}" if places <= 8 else str(value)
        axis.set_title(text, fontsize=small, fontweight="normal", pad=3)


def _rectangle(box: Box, color: str, **options: str) -> Rectangle:
    x, y, width, height = box
    return Rectangle((x - 0.5, y - 0.5), width, height, fill=False, color=color, lw=1.6, **options)


def _visible(text: str) -> str:
    """Return `text` with escapes for what the font lacks."""
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return one_line(text, lambda character: font.get_char_index(ord(character)))


def _short(name: str, longest: int) -> str:
    longest = min(longest, 32)
    if len(name) <= longest:
        return name
    return f"{name[: longest // 2 - 2]}…{name[-(longest // 2) :]}" if longest > 8 else ""
