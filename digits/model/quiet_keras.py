"""Keras, imported at its first use and without TensorFlow's start-up noise.

    from digits.model import quiet_keras as keras

`--help` and a wrong option answer at once, because nothing heavy is imported
before the first `keras.something`. All that may keep Keras from starting is met here.
"""

import contextlib
import importlib.util
import json
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from digits.command_line import UserError, first_line
from digits.data.mnist import cache_folder
from digits.places import INSTALL
from digits.streams import only_python_on_stderr

BACKENDS = ("tensorflow", "jax", "torch", "openvino")  # with no choice, the first installed
READ_ONLY = BACKENDS[3:]
COMPILES = ("jax", "openvino")  # those that compile a model anew for each size of a batch
UNUSED = ("matplotlib", "sklearn")  # what Keras imports where it can
UNUSED_BY_TENSORFLOW = ("scipy", "IPython")  # what TensorFlow imports where it can

_keras: ModuleType | None = None


def __getattr__(name: str) -> Any:
    if name.startswith("__"):  # what Python itself asks every module for
        raise AttributeError(name)
    return getattr(start(), name)


def start() -> ModuleType:
    """Return Keras, imported if it is not yet. Raises UserError if it cannot start."""
    global _keras
    if _keras is None:
        _keras = _import_keras()
    return _keras


def _import_keras() -> ModuleType:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Keras warns on every use of HDF5, which this project's file pair needs.
    logging.getLogger("absl").setLevel(logging.ERROR)
    # Models of Keras 3.8 and earlier took a list of one input.
    warnings.filterwarnings("ignore", "The structure of `inputs`")
    by_us = "keras" not in sys.modules
    for name in ("keras", *BACKENDS):
        if (file := _namesake(name)) and file.is_file():  # importing it would run it
            raise UserError(f"Keras cannot start: {file} is taken for {name}; rename it")
    backend, place = chosen_backend()
    if backend == "jax":
        _keep_compiled()
    try:
        # TensorFlow's C++ side writes to file descriptor 2 before its logging can be
        # told to be quiet, so the descriptor itself is closed to it during the import.
        hidden = UNUSED + (UNUSED_BY_TENSORFLOW if backend == "tensorflow" else ())
        with only_python_on_stderr(), _hidden(hidden), _temporary_folder_named():
            import keras
        if by_us:  # whatever keras.json says: what a model.json leaves open is meant so
            keras.config.set_image_data_format("channels_last")
            keras.config.set_floatx("float32")
    except Exception as error:
        raise UserError(f"Keras cannot start: {_cause(error, backend, place)}") from error
    return keras


@contextlib.contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Let libraries that are not imported yet seem to be missing.

    They are for what is not done here: pictures, sparse matrices, notebooks. Importing them takes
    a second in four, and fails with a backend of Matplotlib's (MPLBACKEND) that is not installed.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _keep_compiled() -> None:
    """Let JAX keep on disk what it compiles, which is most of the time that a picture takes."""
    folder = cache_folder() / "jax"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
            os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def check_trains() -> None:
    """Raise UserError if Keras's backend cannot train."""
    backend, _ = chosen_backend()
    if backend in READ_ONLY:
        trains = [name for name in installed() if name not in READ_ONLY]
        mend = f"set KERAS_BACKEND={trains[0]}" if trains else INSTALL
        raise UserError(f"{backend} only reads; to train, {mend}")


def chosen_backend() -> tuple[str, str | None]:
    """Return the backend that is asked for, and where; else the first that is installed."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "KERAS_BACKEND"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        name = json.loads(_settings().read_bytes()).get("backend")
        # Keras itself writes the first one there, installed or not.
        if name and (name != BACKENDS[0] or installed()[:1] == [name]):
            return name, str(_settings())
    return [*installed(), BACKENDS[0]][0], None


def installed() -> list[str]:
    """Return the backends that are; a folder of such a name is none."""
    specs = {name: importlib.util.find_spec(name) for name in BACKENDS}
    return [name for name, spec in specs.items() if spec and spec.has_location]


def _settings() -> Path:
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")), "keras.json")


@contextlib.contextmanager
def _temporary_folder_named() -> Iterator[None]:
    """Name a temporary folder where there is none: TensorFlow asks which it is, and leaves it."""
    before = tempfile.tempdir
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = os.curdir
    yield
    tempfile.tempdir = before


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
        return f"{name} is not installed; {mend}"
    if Path(traceback.extract_tb(error.__traceback__)[-1].filename).name == "config.py":
        return f"{_settings()} is damaged; mend or delete it"
    return f"{type(error).__name__}: {first_line(error)}"


_backend, _place = chosen_backend()
if _place is None and _backend != BACKENDS[0]:
    # Keras would take the first, installed or not, in the processes that this one starts as well.
    os.environ["KERAS_BACKEND"] = _backend
