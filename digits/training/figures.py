"""The figures of a training: result.png and training.png."""

from pathlib import Path

import numpy as np

from digits.training.augmentation import OUTLIERS


def save_figures(
    history: dict[str, list[float]],
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    folder: Path,
    smoothing: float,
) -> None:
    """Draw a training into `folder`: training.png, and its test digits in result.png.

    `smoothing` is that of the labels; the rest as in `draw_training` and `draw_results`.
    """
    from digits.figures import draw_results, save  # Matplotlib is slow to import
    from digits.training.curves import draw_training

    save(draw_results(images, labels, probabilities), folder / "result.png")
    lowest = lowest_loss(smoothing, OUTLIERS), lowest_loss(smoothing, 0)
    save(draw_training(history, lowest, labels, probabilities), folder / "training.png")


def lowest_loss(smoothing: float, outliers: float) -> float:
    """Return the loss that no model can be below: the mean entropy of the targets.

    Label smoothing leaves no digit a target of 1, and a fraction of `outliers` has ten of 0.1.
    """
    target = smoothing / 10 + (1 - smoothing) * np.eye(10)[0]
    return (1 - outliers) * -(target * np.log(target)).sum() + outliers * np.log(10)
