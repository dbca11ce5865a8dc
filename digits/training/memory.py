"""Whether a batch fits into memory: TensorFlow ends the process where it does not."""

from __future__ import annotations

import contextlib
from pathlib import Path

from digits.command_line import UserError
from digits.model import quiet_keras as keras
from digits.model.checks import values_by_layer
from digits.training.distribution import ALONE, Team

with contextlib.suppress(ImportError):  # not on Windows
    import resource

BYTES = 5  # of memory for each value that a layer gives; 4.2 were measured, gradients included


def batch_that_fits(model: keras.Model, batch_size: int, team: Team = ALONE, **_: object) -> int:
    """Return `batch_size`. Raises UserError if a batch of it needs more memory than is free.

    Each process of a `team` takes its share.
    """
    free = free_memory()
    if not model.built or free is None:
        return batch_size
    needed = BYTES * sum(values for _, values in values_by_layer(model))
    share = len(team.share_of(range(batch_size)))
    if needed * share > free:
        raise UserError(
            f"--batch-size {batch_size} needs some {needed * share / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free; {int(batch_size * free / needed / share)} would fit"
        )
    return batch_size


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
