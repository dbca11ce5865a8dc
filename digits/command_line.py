"""Errors, exit codes and progress, the same for every script."""

import argparse
import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rich.progress import Progress

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # a disk that takes no more


class UserError(Exception):
    """A mistake that the user can mend: one line that names the thing and the mend."""


def run(main: Callable[[], int]) -> int:
    """Call `main` and turn what stops it into an exit code.

    0 it went well, 2 a user's mistake (one line on stderr), 130 Ctrl-C.
    Anything else is a bug and keeps its traceback.
    """
    _mend_streams()
    try:
        code = main()
        sys.stdout.flush()  # a closed pipe must show here, not in Python's shutdown
        return code
    except UserError as error:
        print(f"{Path(sys.argv[0]).name}: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        kept = f": {error}" if str(error) else " before the end"
        print(f"\n{Path(sys.argv[0]).name}: stopped{kept}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough, as in `| head -1`
        drop_stdout()
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        drop_stdout()
        name = Path(sys.argv[0]).name
        print(f"{name}: cannot write the results to stdout: {error.strerror}", file=sys.stderr)
        return 2


def _mend_streams() -> None:
    """Let nothing that is printed stop the program.

    A stream that is closed (in services, with pythonw) becomes the null device, or else the
    next file that is opened would take its number, and what libraries print. What stderr
    cannot take is dropped.
    """
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115
            setattr(sys, name, stream)
            with contextlib.suppress(OSError):
                if stream.fileno() != number:
                    os.dup2(stream.fileno(), number)
                os.set_inheritable(number, True)  # as the three streams are
    if hasattr(sys.stdout, "reconfigure"):  # a name in letters that the terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr = Dropping(sys.stderr)


def is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


class Dropping:
    """A text stream that drops what it cannot write: its reader left, or its disk is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def drop_stdout() -> None:
    """Send what is still printed, and what waits to be, to the null device."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def one_line(text: object, shows: Callable[[str], Any] = str.isprintable) -> str:
    r"""`text` with a `\n` or `\u4e03` for each character that `shows` says cannot be shown.

    Those are at least control characters, and bytes of a file name that are no text.
    """
    return "".join(
        c if c.isprintable() and shows(c) else c.encode("unicode_escape").decode()
        for c in str(text)
    )


def first_line(error: Exception) -> str:
    """The first line of what `error` says, or its name if it says nothing."""
    return str(error).strip().split("\n")[0] or type(error).__name__


def counted(number: int, noun: str) -> str:
    """Return `1 epoch`, `4 epochs`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class _WithDefaults(argparse.HelpFormatter):
    """Say what an option is by default, where that is something to see."""

    def _get_help_string(self, action: argparse.Action) -> str:
        hidden = any(action.default is value for value in (None, False, argparse.SUPPRESS))
        shown = action.option_strings and not hidden and action.default != []
        return f"{action.help} (default: %(default)s)" if shown else action.help


def new_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser whose help shows the defaults."""
    return argparse.ArgumentParser(description=description, formatter_class=_WithDefaults)


def positive_int(text: str) -> int:
    """An argparse type: a whole number from 1 up."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return number


def seed_number(text: str) -> int:
    """An argparse type: what NumPy and Keras both take as a seed, 0 to 2**32 - 1."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2**32 - 1")
    return int(text)


def port_number(text: str) -> int:
    """An argparse type: a TCP port, 0 to 65535."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)


def web_origin(text: str) -> str:
    """An argparse type: where a page comes from, the way browsers write it: https://host[:port]."""
    try:
        parts = urlsplit(text.lower())
        port = {"http": 80, "https": 443}[parts.scheme]
        if not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise ValueError
        return f"{parts.scheme}://{parts.netloc.removesuffix(f':{port}')}"
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not like https://digits.example") from None


def figure_file(text: str) -> Path:
    """An argparse type: a file in which a figure can be drawn."""
    if Path(text).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png, .pdf or .svg")
    return Path(text)


def whole_path(path: Path) -> Path:
    """`path` from the root on, for messages that hold wherever they are read."""
    try:
        return Path(os.path.abspath(path))
    except FileNotFoundError:  # the current folder is gone
        return path


def writable_folder(folder: Path) -> Path:
    """The whole path of `folder`, made if it is missing, after a trial to write there.

    Raises UserError if they cannot.
    """
    folder = whole_path(folder)
    trial = folder / f".write-test-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise UserError(
            f"cannot write to folder {folder} ({error.strerror}); choose another one"
        ) from None
    return folder


@contextlib.contextmanager
def note_if_slow(text: str, seconds: float = 2.0) -> Iterator[None]:
    """Say `text` on stderr if the block takes longer than `seconds`."""
    timer = threading.Timer(seconds, print, (text,), {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C take effect only where the block calls what it is given; a second one at once.

    While TensorFlow compiles a model, it may lose a KeyboardInterrupt or make an error of it.
    Only the main thread can hear Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    pressed = False

    def press(*_: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def stop_if_pressed() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield stop_if_pressed
    finally:
        signal.signal(signal.SIGINT, before)
    stop_if_pressed()


@contextlib.contextmanager
def only_python_on_stderr() -> Iterator[None]:
    """Keep libraries written in C from writing to stderr during the block.

    libtiff, inside Pillow, would add lines of its own to ours about a damaged file.
    """
    try:
        real = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, real)
        if _descriptor(sys.stderr) == 2:  # and not, as in a notebook, elsewhere
            sys.stderr.flush()
            own = open(real, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
            stack.enter_context(contextlib.redirect_stderr(Dropping(own)))
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        stack.callback(os.dup2, real, 2)
        yield


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def progress_bar() -> "Progress":
    """A bar on stderr, used as `with progress_bar() as bar: for x in bar.track(...)`.

    It shows in a terminal, unless the results run over that too: they show how far it is.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, force_jupyter=False),
        transient=True,
        redirect_stdout=False,
        disable=not is_terminal(sys.stderr) or is_terminal(sys.stdout),
    )


def percent(fraction: float) -> str:
    """Return 0 to 1 as people read it: `99.4 %`, and never as certain as `100.0 %`."""
    text = f"{100 * fraction:.1f} %"
    return {"100.0 %": ">99.9 %", "0.0 %": "<0.1 %"}.get(text, text)
