"""The drawing of a training, training.png: loss and error by epoch, and the confusion matrix."""

from __future__ import annotations

import numpy as np

from digits import figures
from digits.figures import INK, SOFT, TRAINING, VALIDATION, matplotlib

NOTE = (
    "Training lies above validation, as its digits are distorted and some images show no digit; "
    "it drops in the last epoch, which distorts less."
)


def draw_training(
    history: dict[str, list[float]],
    lowest: tuple[float, float],
    labels: np.ndarray,
    probabilities: np.ndarray,
) -> matplotlib.figure.Figure:
    """Draw loss and error by epoch (training, validation) and the test's confusion matrix.

    `history` as Keras gives it; `lowest` the loss that nothing can be below, of training and
    validation; `labels` (n,), `probabilities` (n, 10).
    """
    figure = figures.new_figure(figsize=(12, 4.3), layout="constrained")
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
    error.set_title("Error by epoch", loc="left")
    error.set_xlabel("epoch\nlogarithmic scale")
    error.set_yscale("log")
    error.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    error.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    error.yaxis.set_major_formatter(lambda percent, _: f"{percent:g} %")
    figure.supxlabel(NOTE, fontsize=9, color=SOFT, x=0.01, ha="left")
    for axis in (loss, error):
        axis.set_xlim(0.5, len(epochs) + 0.5)
        axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(8, integer=True, min_n_ticks=1))
        axis.grid(axis="y", color="#e4e7eb")
        axis.legend(frameon=False, fontsize=9)
    _draw_confusion(confusion, labels, probabilities.argmax(axis=1))
    return figure


def _draw_confusion(axis: matplotlib.axes.Axes, labels: np.ndarray, answers: np.ndarray) -> None:
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
    axis.set_title("Test digits: confusion matrix", loc="left")
    axis.set(xticks=range(10), yticks=range(10), xlabel="predicted", ylabel="true")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
