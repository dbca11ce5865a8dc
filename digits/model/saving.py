"""Save the pair `model.json` (architecture) and `model.h5` (weights), always whole.

`model.h5` carries the architecture too, and `model.json` a checksum of it, which tell whether the
two belong together.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from digits.command_line import UserError, first_line
from digits.model.initializers import without_seeds

if TYPE_CHECKING:
    from keras import Model

ARCHITECTURE, WEIGHTS = "model.json", "model.h5"
WAITING = ".model.json.new"  # waits for its turn; hidden, so that nobody mistakes it
CHECKSUM = "sha256_of_model_h5"  # a key of model.json; plain Keras passes over it
# What newer releases of Keras write and older ones refuse. At these values, the defaults, it
# says nothing, and is left out.
NEWER = {
    "optional": False,
    "quantization_config": None,
    "input_axes": None,
    "output_axes": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}


def save_model(model: "Model", folder: Path) -> None:
    """Write `model.json` and `model.h5` into `folder` so that a whole pair lies there always.

    Both are written in full beside the old pair first, under names of this process. Then
    model.h5 takes its place, and model.json after it; stopped between these two,
    `load_model` still finds the new architecture waiting. model.json carries the SHA-256 of
    model.h5, so that a damaged byte is noticed. Where the two are links, they are followed.
    """
    mark = os.getpid()
    weights, description = real(folder / WEIGHTS), real(folder / ARCHITECTURE)
    h5 = weights.with_name(f".model-{mark}.h5")
    text = description.with_name(f".model-{mark}.json")
    try:
        # A full disk shows here, as a plain error; HDF5 would report it in many lines.
        h5.write_bytes(bytes(9 * model.count_params() + 200_000))
        with _without_advice():
            model.save(h5, include_optimizer=False)
        architecture = _portable(without_seeds(json.loads(model.to_json())))
        architecture.pop("compile_config", None)  # of the training, not of the model
        with h5py.File(h5, "r+") as file:
            inner = json.loads(file.attrs["model_config"])
            file.attrs["model_config"] = json.dumps(_portable(without_seeds(inner)))
        architecture[CHECKSUM] = sha256(h5)
        text.write_text(json.dumps(architecture, indent=2) + "\n", encoding="utf-8")
        for file in (h5, text):
            flush_to_disk(file)
        with _alone(description.parent):
            waiting = description.with_name(WAITING)
            _finish_saving(waiting, weights, description)
            os.replace(text, waiting)
            os.replace(h5, weights)
            with contextlib.suppress(FileNotFoundError):  # where no lock keeps others out
                os.replace(waiting, description)
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise UserError(f"cannot save the model in {folder}: {reason}") from None
    finally:
        for file in (h5, text):
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Leave out one line of Keras's log: that HDF5, which the pair needs, is legacy."""
    log = logging.getLogger("absl")

    def is_other(record: logging.LogRecord) -> bool:
        return "HDF5" not in record.getMessage()

    log.addFilter(is_other)
    try:
        yield
    finally:
        log.removeFilter(is_other)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other trainings from renaming files in `folder`; ends with the process, at the latest.

    Where there are no such locks (Windows, some network drives), it does without.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _finish_saving(waiting: Path, weights: Path, description: Path) -> None:
    """Let the architecture that a stopped saving left waiting take its place."""
    with contextlib.suppress(OSError, ValueError):
        if json.loads(waiting.read_bytes())[CHECKSUM] == sha256(weights):
            os.replace(waiting, description)


def real(file: Path) -> Path:
    """The file that a link leads to, there or not; any other is itself."""
    return Path(os.path.realpath(file)) if file.is_symlink() else file


def sha256(file: Path) -> str:
    checksum = hashlib.sha256()
    with file.open("rb") as opened:
        while part := opened.read(2**20):
            checksum.update(part)
    return checksum.hexdigest()


def _portable(description: object) -> object:
    """Return a description from `model.to_json()` without what older Keras 3 cannot read."""
    if isinstance(description, list):
        return [_portable(item) for item in description]
    if isinstance(description, dict):
        kept = ((k, v) for k, v in description.items() if k not in NEWER or v != NEWER[k])
        return {key: _portable(value) for key, value in kept}
    return description


def flush_to_disk(file: Path) -> None:
    """Wait until what was written is safe from a power cut."""
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())
