"""What is printed: streams that may be closed or full, and progress."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress


def mend_streams() -> None:
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
        self.error: OSError | None = None  # the last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self.error = error
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self.error = error


@contextlib.contextmanager
def stdout_fails_last() -> Iterator[None]:
    """Let the block go on where stdout breaks, and raise its OSError only at the end."""
    stdout = Dropping(sys.stdout)
    with contextlib.redirect_stdout(stdout):
        yield
    if stdout.error:
        raise stdout.error


def drop_stdout() -> None:
    """Send what is still printed, and what waits to be, to the null device."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


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
