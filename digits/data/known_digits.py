"""A hundred digits with what they are, to try a model on: known_digits.png.

A row for each digit: its first ten in MNIST's validation set, the last 2,500 training digits,
from which no model of `cnn.py` has learned.
"""

import functools
from pathlib import Path

import numpy as np


@functools.cache
def known_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return images (100, 28, 28) uint8 and labels (100,) uint8, the ten digits in turn."""
    from PIL import Image  # slow to import, and only now needed

    grey = np.asarray(Image.open(Path(__file__).with_suffix(".png")))
    images = grey.reshape(10, 28, 10, 28).transpose(2, 0, 1, 3).reshape(-1, 28, 28)
    return images, np.tile(np.arange(10, dtype="uint8"), 10)
