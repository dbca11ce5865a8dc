"""Keras, imported at its first use.

    from digits.model import quiet_keras as keras

`--help` and a wrong option answer at once, because nothing heavy is imported
before the first `keras.something`. All that may keep Keras from starting is met here.
"""

import contextlib
import importlib.util
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from digits.backends import (
    BACKENDS,
    COMPILES,
    READ_ONLY,
    chosen_backend,
    installed,
    keras_environment,
    settings,
)
from digits.command_line import UserError, first_line
from digits.places import INSTALL, INSTALL_TO_READ

__all__ = ["COMPILES", "check_trains", "start"]
FORKED = (
    "this process was forked from one in which Keras runs, and its threads do not survive that: "
    'start processes by spawn, as multiprocessing.get_context("spawn") does, or load the model '
    "only after the fork"
)

log = logging.getLogger("digits")
_keras: ModuleType | None = None
_process: int | None = None  # in which Keras was started
_one_at_a_time = threading.Lock()


def __getattr__(name: str) -> Any:
    if name.startswith("__"):  # what Python itself asks every module for
        raise AttributeError(name)
    return getattr(start(), name)


def start() -> ModuleType:
    """Return Keras, imported if it is not yet.

    Raises UserError if it cannot start, or was started before this process was forked.
    """
    global _keras, _process
    if _process not in (None, os.getpid()):  # first: a lock may be held for ever there
        raise UserError(FORKED)
    if _keras is None:
        _process = os.getpid()
        with _one_at_a_time:
            _keras = _keras or _import_keras()
    return _keras


def _import_keras() -> ModuleType:
    for name in ("keras", *BACKENDS):
        if (file := _namesake(name)) and file.is_file():  # importing it would run it
            raise UserError(f"Keras cannot start: {file} is taken for {name}; rename it")
    backend, place = chosen_backend()
    began = time.monotonic()
    try:
        with _environment(keras_environment()):
            import keras
    except Exception as error:
        raise UserError(f"Keras cannot start: {_cause(error, backend, place)}") from error
    seconds = time.monotonic() - began
    log.info("Keras %s started with %s in %.1f s", keras.__version__, backend, seconds)
    return keras


@contextlib.contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    """Have `more` in the environment for a while: Keras asks there alone for its backend."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def check_trains() -> None:
    """Raise UserError if Keras's backend cannot train."""
    backend, _ = chosen_backend()
    if backend in READ_ONLY:
        trains = [name for name in installed() if name not in READ_ONLY]
        mend = f"set KERAS_BACKEND={trains[0]}" if trains else INSTALL
        raise UserError(f"{backend} only reads; to train, {mend}")
    if backend not in installed():
        start()  # which says what is missing


def _namesake(name: str) -> Path | None:
    """Return the user's own file, if there is one, that is imported as the library `name`.

    It lies in the folder of the script, of the project, or the current one. A folder without
    Python files is imported as well where the library is not installed (a namespace package).
    """
    try:
        spec = importlib.util.find_spec(name)
        file = Path(spec.origin if spec.has_location else spec.submodule_search_locations[0])
    except (AttributeError, TypeError, ValueError):  # nothing of that name, or it has no file
        return None
    folder = file.parent.parent if file.name == "__init__.py" else file.parent
    own = (Path(sys.argv[0]).parent, Path(__file__).parents[2], Path())
    installed = folder.name in ("site-packages", "dist-packages")
    return file if folder.resolve() in [f.resolve() for f in own] and not installed else None


def _cause(error: Exception, backend: str, place: str | None) -> str:
    """Say in one line what kept Keras from starting, and what mends it."""
    is_attribute = isinstance(error, AttributeError)  # that a library lacks
    name = getattr(error.obj, "__name__", "") if is_attribute else getattr(error, "name", None)
    name = (name or "").split(".")[0]
    if file := _namesake(name):
        return f"{file} is taken for {name}; rename it"
    others = [other for other in installed() if other != backend]
    instead = f"set KERAS_BACKEND={[*others, BACKENDS[0]][0]}"
    if backend not in BACKENDS:
        return f"{place} asks for the backend {backend}; {instead}"
    if name and isinstance(error, ModuleNotFoundError):
        if name == backend and place and others:
            return f"{place} asks for {name}, which is not installed; {instead}"
        mend = f"pip install {name}" if backend in READ_ONLY else INSTALL
        only_reads = "" if installed() else f", or to read alone {INSTALL_TO_READ}"
        return f"{name} is not installed; {mend}{only_reads}"
    if Path(traceback.extract_tb(error.__traceback__)[-1].filename).name == "config.py":
        return f"{settings()} is damaged; mend or delete it"
    return f"{type(error).__name__}: {first_line(error)}"
