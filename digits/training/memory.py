"""The memory of a training: whether a batch fits into it, and that it is kept between steps."""

from __future__ import annotations

import contextlib
import ctypes
import math
from pathlib import Path

from digits.command_line import UserError
from digits.model import quiet_keras as keras
from digits.training.distribution import current

with contextlib.suppress(ImportError):  # not on Windows
    import resource

BYTES = 5  # of memory for each value that a layer gives; 4.2 were measured, gradients included


def batch_that_fits(model: keras.Model, batch_size: int) -> int:
    """Return `batch_size`. Raises UserError if a batch of it needs more memory than is free.

    TensorFlow ends the process where it does not fit. Each of several processes takes its share.
    """
    free = free_memory()
    if not model.built or free is None:
        return batch_size
    needed = BYTES * _values(model)
    share = len(current().share_of(range(batch_size)))
    if needed * share > free:
        raise UserError(
            f"--batch-size {batch_size} needs some {needed * share / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free; {int(batch_size * free / needed / share)} would fit"
        )
    return batch_size


def _values(model: keras.Model) -> int:
    """Return how many values the layers of a model give for one image, those of nested ones too."""
    values = 0
    for layer in model.layers:
        with contextlib.suppress(
            AttributeError, TypeError
        ):  # a layer in several places: counted in none
            outputs = keras.tree.flatten(layer.output)
            values += sum(math.prod(tensor.shape[1:]) for tensor in outputs)
        values += _values(layer) if hasattr(layer, "layers") else 0
    return values


def free_memory() -> int | None:
    """Return how many bytes this process may still take; None where the system does not say."""
    try:
        lines = "".join(Path(f"/proc/{name}").read_text() for name in ("meminfo", "self/status"))
        sizes = dict(line.split(":") for line in lines.splitlines() if line.endswith(" kB"))
        sizes = {name: 1024 * int(size.split()[0]) for name, size in sizes.items()}
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        limited = [] if limit == resource.RLIM_INFINITY else [limit - sizes["VmSize"]]
        return min([sizes["MemAvailable"], *limited])
    except (OSError, KeyError, ValueError, NameError):
        return None


def keep_freed_memory() -> None:
    """Let the C library keep what a step frees for the next one, where it is glibc.

    Otherwise it gives each large array back to the system, and the next one is cleared page by
    page: some 40,000 page faults a step. In a virtual machine that is a third of the time.
    """
    no_mapping, keep_all = (-4, 0), (-1, 2**31 - 1)  # M_MMAP_MAX, M_TRIM_THRESHOLD of malloc.h
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc
        for parameter, value in (no_mapping, keep_all):
            ctypes.CDLL(None).mallopt(parameter, value)
