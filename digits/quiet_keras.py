"""Keras, imported at its first use and without TensorFlow's start-up noise.

    from digits import quiet_keras as keras

`--help` and a wrong option answer at once, because nothing heavy is imported
before the first `keras.something`.
"""

import logging
import os
import sys
import tempfile
from types import ModuleType
from typing import Any

_keras: ModuleType | None = None


def __getattr__(name: str) -> Any:
    if name.startswith("__"):  # what Python itself asks every module for
        raise AttributeError(name)
    global _keras
    if _keras is None:
        _keras = _import_keras()
    return getattr(_keras, name)


def _import_keras() -> ModuleType:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Keras warns on every use of HDF5, which this project's file pair needs.
    logging.getLogger("absl").setLevel(logging.ERROR)
    # TensorFlow's C++ side writes to file descriptor 2 before its logging can be
    # told to be quiet, so the descriptor itself is held back during the import.
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            import keras
        except BaseException:
            os.dup2(stderr, 2)
            held_back.seek(0)
            os.write(2, held_back.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    return keras
