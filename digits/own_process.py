"""What a command does to its own process, and a library never to that of its host.

A script takes its process over before it imports anything large:

    own_process.take(__name__)

From then on libraries are quiet, and what stops it early, Ctrl-C or a package that is missing,
ends it in a line. Imported from another program, a script takes nothing.
"""

import contextlib
import faulthandler
import importlib.util
import logging
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType

from digits import backends, places
from digits.command_line import ModelWarning, first_line, note
from digits.streams import Dropping, mend_streams

UNUSED = {"matplotlib", "sklearn"}  # what Keras imports where it can
UNUSED_BY_TENSORFLOW = {"scipy", "IPython"}  # what TensorFlow imports where it can
ALWAYS = ("numpy", "cv2", "PIL", "h5py", "keras")  # what every script imports
SOME = {  # what some scripts need and an installation may leave out, and what it goes with
    "matplotlib": "matplotlib",
    "flask": "flask segno",
    "segno": "flask segno",
}
FOR_PIP = {"cv2": "opencv-python-headless", "PIL": "pillow", "werkzeug": "flask"}  # other names
_taken = False


def take(name: str = "__main__") -> None:
    """Take over this process, once, if `name` is that of its main module."""
    global _taken
    if _taken or name != "__main__":
        return
    _taken = True
    mend_streams()
    sys.excepthook = _say_what_stopped_it
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)  # until `hear_ctrl_c`
    _only_python_on_stderr()
    _quiet()
    _settings()


def hear_ctrl_c() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, now that somebody will catch it."""
    if signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _stop(*_: object) -> None:
    """End at once: an exception among imports comes out as many lines, or as another one."""
    print(file=sys.stderr)  # after the terminal's ^C
    note("stopped before the end")
    sys.stderr.flush()
    os._exit(130)


def _only_python_on_stderr() -> None:
    """Keep libraries written in C from writing to stderr.

    TensorFlow does before its logging can be told to be quiet, and libtiff, inside Pillow, would
    add lines of its own to ours about a damaged file.
    """
    try:
        real = os.dup(2)
        if sys.stderr.fileno() != 2:  # it is elsewhere, as in a notebook
            raise OSError
    except (AttributeError, OSError, ValueError):
        return
    sys.stderr.flush()
    how = {"encoding": sys.stderr.encoding, "errors": "backslashreplace"}
    sys.stderr = Dropping(open(real, "w", 1, **how))  # noqa: SIM115
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    if faulthandler.is_enabled():
        faulthandler.enable(real)


def _quiet() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Keras warns on every use of HDF5, which this project's file pair needs; where Matplotlib
    # keeps its fonts is its affair.
    for name in ("absl", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("digits").addHandler(_Notes())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    warnings.simplefilter("always", ModelWarning)
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: object) -> None:
        if issubclass(category, ModelWarning):
            note(str(message))
        else:
            shown(message, category, *where)

    warnings.showwarning = show


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            note(record.getMessage())


def _settings() -> None:
    # Pillow keeps pictures in blocks. Blocks as large as this the system takes back at once when
    # they are freed; a row of huge pictures would take twice the memory without.
    os.environ.setdefault("PILLOW_BLOCK_SIZE", "64m")
    os.environ.update(backends.keras_environment())
    if importlib.util.find_spec("jax"):
        # What it compiles is most of the time that a picture takes.
        folder = places.cache_folder() / "jax"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
                os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    try:
        tempfile.gettempdir()
    except FileNotFoundError:  # TensorFlow asks which it is, and leaves it
        tempfile.tempdir = os.curdir
    by_tensorflow = backends.chosen_backend()[0] == backends.BACKENDS[0]
    sys.meta_path.insert(0, _Hidden(UNUSED | (UNUSED_BY_TENSORFLOW if by_tensorflow else set())))


class _Hidden:
    """Let libraries seem to be missing while Keras is imported.

    They are for what is not done here: pictures, sparse matrices, notebooks. Importing them takes
    a second in four, and fails with a backend of Matplotlib's (MPLBACKEND) that is not installed.
    Who only looks for them, as PyTorch does, may find them.
    """

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        starts = "keras" in sys.modules and not hasattr(sys.modules["keras"], "Model")
        return ModuleSpec(name, self) if starts and name in self.names else None

    def create_module(self, spec: ModuleSpec) -> None:
        raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is ever executed."""


def _say_what_stopped_it(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Python's own excepthook, but for a package that is missing: that is a line."""
    line = missing(error) if isinstance(error, ImportError) else None
    if line is None:
        sys.__excepthook__(kind, error, trace)
        return
    note(line)
    sys.stderr.flush()
    os._exit(2)


def missing(error: ImportError) -> str | None:
    """Say in a line which packages are missing, or do not start, and what mends it.

    None for an import that no package is to blame for.
    """
    lines = [frame.line or "" for frame in traceback.extract_tb(error.__traceback__)]
    imports = [line.split()[1] for line in lines if line.startswith(("import ", "from "))]
    names = [name.split(".")[0] for name in (error.name, *imports[::-1]) if name]
    ours = {"digits", "cnn", "teach", "load_model", "draw", *sys.stdlib_module_names}
    name = next((name for name in names if name not in ours), None)
    if name is None:
        return None
    if not isinstance(error, ModuleNotFoundError):
        again = f"pip install --force-reinstall {FOR_PIP.get(name, name)}"
        again = f"pip uninstall opencv-python, then {again}" if name == "cv2" else again
        return f"{name} cannot start: {first_line(error)}; {again}"
    others = [o for o in ALWAYS if o != name and importlib.util.find_spec(o) is None]
    names = [FOR_PIP.get(n, n) for n in (name, *others)]
    install = f"pip install {SOME[names[0]]}" if names[0] in SOME else places.INSTALL
    whole = f"{', '.join(names[:-1])} and {names[-1]} are" if others else f"{names[0]} is"
    outside = sys.prefix == sys.base_prefix
    return f"{whole} not installed; {'activate .venv, or ' if outside else ''}{install}"
