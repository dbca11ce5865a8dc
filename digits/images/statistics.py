"""Shares and quantiles of some thousand pixels, where NumPy's own spend most time on preparing."""

import numpy as np


def share(mask: np.ndarray) -> float:
    """Return the share of `mask`, bool of any shape, that is set."""
    return np.count_nonzero(mask) / mask.size


def quantile(values: np.ndarray, part: float) -> float:
    """Return the one of `values`, of any shape, below which that part of them lies."""
    at = int(part * (values.size - 1))
    # Asked for one place, not two, NumPy's partition is slow where many values are the same.
    return float(np.partition(values, (at, at), axis=None)[at])


def median(values: np.ndarray) -> float:
    """Return the one of `values`, of any shape, in the middle."""
    return quantile(values, 0.5)
