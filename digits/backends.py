"""Keras's backends: which are installed, and which one is asked for."""

import contextlib
import importlib.util
import json
import os
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch", "openvino")  # with no choice, the first installed
READ_ONLY = BACKENDS[3:]
COMPILES = ("jax", "openvino")  # those that compile a model anew for each size of a batch


def chosen_backend() -> tuple[str, str | None]:
    """Return the backend that is asked for, and where; else the first that is installed."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "KERAS_BACKEND"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        name = json.loads(settings().read_bytes()).get("backend")
        # Keras itself writes the first one there, installed or not.
        if name and (name != BACKENDS[0] or installed()[:1] == [name]):
            return name, str(settings())
    return [*installed(), BACKENDS[0]][0], None


def installed() -> list[str]:
    """Return the backends that are; a folder of such a name is none."""
    specs = {name: importlib.util.find_spec(name) for name in BACKENDS}
    return [name for name, spec in specs.items() if spec and spec.has_location]


def settings() -> Path:
    """Return Keras's file of settings, which need not be there."""
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")), "keras.json")


def keras_environment() -> dict[str, str]:
    """Return what has to be in the environment for Keras to take the chosen backend.

    Without, it would take the first, installed or not.
    """
    backend, place = chosen_backend()
    return {} if place or backend == BACKENDS[0] else {"KERAS_BACKEND": backend}
