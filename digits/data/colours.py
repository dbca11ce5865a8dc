"""A coloured picture in grey: its luminance, or the colour channel of much more contrast.

Red chalk on a green board, or orange ink on grey paper, is as bright as what it is on.
"""

import numpy as np
from PIL import Image

from digits.data.statistics import quantile

ENOUGH = 2  # times the contrast of the luminance: another channel needs so much more
SAMPLE = 500  # pixels: rows and columns that the contrast is measured on, about


def to_grey(picture: Image.Image) -> np.ndarray:
    """Return an opaque picture of 8 bits a channel as grey, (height, width) uint8."""
    grey = picture.convert("L")
    if picture.mode in ("L", "1", "LA"):
        return np.asarray(grey)
    channels = [grey, *picture.convert("RGB").split()]
    contrasts = [_contrast(channel) for channel in channels]
    most = int(np.argmax(contrasts))
    return np.asarray(channels[most] if contrasts[most] > ENOUGH * contrasts[0] else grey)


def _contrast(channel: Image.Image) -> float:
    """Return by how many grey levels the darkest and the lightest of its pixels differ."""
    step = max(1, min(channel.size) // SAMPLE)
    values = np.asarray(channel)[::step, ::step]
    return quantile(values, 0.998) - quantile(values, 0.002)
