"""Errors, exit codes and arguments, the same for every script."""

import argparse
import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from digits.streams import drop_stdout

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # a disk that takes no more


class UserError(Exception):
    """A mistake that the user can mend: one line that names the thing and the mend."""


class ModelWarning(UserWarning):
    """What is odd about a model that is used all the same."""


def run(main: Callable[[], int]) -> int:
    """Call `main` as a command, which owns its process; turn what stops it into an exit code.

    0 it went well, 2 a user's mistake (one line on stderr), 130 Ctrl-C.
    Anything else is a bug and keeps its traceback.
    """
    from digits import own_process

    own_process.take()
    own_process.hear_ctrl_c()
    try:
        code = main()
        sys.stdout.flush()  # a closed pipe must show here, not in Python's shutdown
        return code
    except UserError as error:
        note(one_line(error))
        return 2
    except ImportError as error:
        if (line := own_process.missing(error)) is None:
            raise
        note(line)
        return 2
    except KeyboardInterrupt as error:
        print(file=sys.stderr)  # after the terminal's ^C
        note(f"stopped{f': {error}' if str(error) else ' before the end'}")
        return 130
    except BrokenPipeError:  # the reader has seen enough, as in `| head -1`
        drop_stdout()
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        drop_stdout()
        note(f"cannot write the results to stdout: {error.strerror}")
        return 2


def note(text: str) -> None:
    """Say something on stderr, after the name of the script."""
    print(f"{Path(sys.argv[0]).name}: {text}", file=sys.stderr)


def one_line(text: object, shows: Callable[[str], Any] = str.isprintable) -> str:
    r"""`text` with a `\n` or `\u4e03` for each character that `shows` says cannot be shown.

    Those are at least control characters, and bytes of a file name that are no text.
    """
    return "".join(
        c if c.isprintable() and shows(c) else c.encode("unicode_escape").decode()
        for c in str(text)
    )


def cut(text: str, most: int = 100) -> str:
    """Return `text` in so many characters at most, for a line."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


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


def fraction(text: str) -> float:
    """An argparse type: a number from 0 to 1."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1, such as 0.95")


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
    """An argparse type: a file in which a figure can be drawn; its folder is made if need be."""
    if Path(text).suffix.lower() not in (".png", ".pdf", ".svg"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png, .pdf or .svg")
    return writable_folder(Path(text).parent) / Path(text).name


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


def percent(fraction: float) -> str:
    """Return 0 to 1 as people read it: `99.4 %`, and never as certain as `100.0 %`."""
    text = f"{100 * fraction:.1f} %"
    return {"100.0 %": ">99.9 %", "0.0 %": "<0.1 %"}.get(text, text)
