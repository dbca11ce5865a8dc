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
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGB")
    best, most = grey, ENOUGH * _contrast(grey)
    for name in "RGB":  # one at a time: of a huge picture all would be too much memory
        channel = picture.getchannel(name)
        contrast = _contrast(channel)
        if contrast > most:
            best, most = channel, contrast
    return np.asarray(best)


def _contrast(channel: Image.Image) -> float:
    """Return by how many grey levels the darkest and the lightest of its pixels differ."""
    step = max(1, min(channel.size) // SAMPLE)
    values = np.asarray(channel)[::step, ::step]
    return quantile(values, 0.998) - quantile(values, 0.002)
