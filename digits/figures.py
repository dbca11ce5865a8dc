"""How all figures look, where they go, and the drawing of test digits, result.png."""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from digits.command_line import UserError, first_line, percent
from digits.files import write_whole

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is its affair
try:
    # Drawing into files needs no backend, so one that is unknown must not matter.
    backend = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    import matplotlib.figure

    if backend:
        os.environ["MPLBACKEND"] = backend
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
except ModuleNotFoundError:
    raise
except Exception as error:
    raise UserError(f"Matplotlib cannot start: {first_line(error)}") from error

new_figure = Figure = matplotlib.figure.Figure  # for files; those of pyplot are for a window
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
        drawn = io.BytesIO()
        kind = path.suffix.lower()[1:]
        figure.savefig(drawn, format=kind, dpi=110, facecolor="white", metadata=metadata)
        write_whole(path, drawn.getvalue())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another place") from None


@contextlib.contextmanager
def window() -> Iterator[None]:
    """Show the figures that the block draws, at its end, and wait until they are closed.

    Raises UserError without a display, before the block.
    """
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
    try:
        yield
    finally:
        new_figure = Figure
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


def _draw_digit(
    axis: matplotlib.axes.Axes, image: np.ndarray, answer: int, probability: float, label: int
) -> None:
    """Draw one 28x28 digit, dark on light, with the answer above it."""
    axis.imshow(image, cmap="Greys", vmin=0, vmax=255, interpolation="nearest")
    text, color = (answer, RIGHT) if answer == label else (f"{answer}, not {label}", WRONG)
    text = f"{text}\n{percent(probability)}"
    axis.set_title(text, fontsize=8, color=color, fontweight="normal", pad=3)
