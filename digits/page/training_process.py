"""A lesson in a process of its own, which says how far it is and ends with its parent."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits import own_process
from digits.command_line import UserError, first_line
from digits.model.evaluation import predict
from digits.model.loading import load_model
from digits.model.saving import save_model
from digits.page.kept_pictures import names_of

if TYPE_CHECKING:
    from keras import Model

# What a lesson is called with: the folders of the pictures, of the model that it begins with and of
# the one that it saves, and what it says by. It returns how many test digits were read wrong before
# and are now.
Say = Callable[..., None]
Lesson = Callable[[Path, Path, Path, Say], "tuple[int, int] | None"]


def lesson(own: Path, start: Path, output: Path, say: Say) -> tuple[int, int]:
    """Teach the model in `start` the pictures in `own`; save it in `output`."""
    from digits import training  # slow to import, and only here needed
    from digits.data import find_own, load_mnist
    from digits.model import quiet_keras as keras
    from digits.reading import read_own

    def leave_out(name: str, reason: object) -> None:
        say("left out", "/".join(Path(name).parts[-2:]), str(reason))

    def after_epoch(epoch: int, logs: dict[str, float]) -> None:
        say("epoch", epoch + 1, training.EPOCHS, 1 - logs["val_accuracy"])

    pictures = find_own(own, leave_out)
    training.start(seed=0)
    (x_train, y_train), (x_test, y_test) = load_mnist()
    model = load_model(start)
    taught = training.Lesson(model, read_own(pictures, model, leave_out), x_test)
    report = keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
    taught.train(x_train, y_train, callbacks=[report])
    save_model(model, output)
    return taught.mistakes(y_test)


class Training:
    """A `lesson` that runs in a process of its own."""

    def __init__(self, own: Path, model: Model, lesson: Lesson = lesson) -> None:
        self.began, self.stopped = time.monotonic(), False
        self.names = names_of(own)  # of the pictures that it learns from
        self.line, self.share = "", None
        self.errors: list[float] = []  # on the validation set, by epoch
        self.reasons: dict[str, str] = {}  # why pictures were left out, by their names
        self._failure: str | None = None
        self._mistakes: tuple[int, int] | None = None
        self.place = tempfile.TemporaryDirectory()
        start, self.output = (Path(self.place.name, name) for name in ("start", "end"))
        for folder in (start, self.output):
            folder.mkdir()
        save_model(model, start)
        context = multiprocessing.get_context("spawn")  # TensorFlow's threads survive no fork
        self._heard, said = context.Pipe(duplex=False)
        what = lesson, (own.absolute(), start, self.output), said
        self.process = context.Process(target=_run, args=what)
        self.process.start()
        said.close()  # that end is the process's alone, and closed when it ends

    def state(self) -> dict:
        """Return its last line, the share of its epochs that are done, and the seconds so far."""
        shown = "" if self.place.name in self.line else self.line  # where files lie for a while
        seconds = round(time.monotonic() - self.began)
        return {"line": shown, "share": self.share, "seconds": seconds, "errors": self.errors}

    def stop(self) -> None:
        """End it; what it wrote lies in a temporary folder, which goes too."""
        self.stopped = True
        self.process.kill()

    def refuse_if_stopped(self) -> None:
        """Raise UserError if somebody stopped it."""
        if self.stopped:
            raise UserError("stopped")

    def wait(self) -> tuple[Model, tuple[int, int] | None]:
        """Return its model, and how many test digits were read wrong before and are now.

        Raises UserError if it failed.
        """
        with self.place:
            with self._heard, contextlib.suppress(EOFError, OSError):  # it is at its end, somehow
                while True:
                    self._note(*self._heard.recv())
            self.process.join()
            self.refuse_if_stopped()
            if self._failure:
                raise UserError(self._failure)
            if code := self.process.exitcode:
                killed = f"(signal {-code}); is there enough memory?"
                raise UserError(f"something ended it {killed if code < 0 else f'(code {code})'}")
            model = load_model(self.output)
            warm_up(model)
            return model, self._mistakes

    def _note(self, what: str, *said: object) -> None:
        if what == "line":
            (self.line,) = said
        elif what == "epoch":
            done, epochs, error = said
            self.share = done / epochs
            self.errors.append(round(error, 5))
        elif what == "left out":
            name, reason = said
            if name in self.names:
                self.reasons[name] = reason
        elif what == "failed":
            self._failure, trace = said
            print(trace, end="", file=sys.stderr)
        elif what == "mistakes":
            (self._mistakes,) = said


def _run(lesson: Lesson, folders: tuple[Path, Path, Path], pipe: Connection) -> None:
    """Hold a lesson in this process; what it says, and its lines on stderr, go into the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by the process that began it
    own_process.take()
    end = threading.Thread(target=_end_with_the_parent, args=(folders[-1].parent,), daemon=True)
    end.start()
    one_at_a_time = threading.Lock()

    def say(*said: object) -> None:
        with one_at_a_time:
            pipe.send(said)

    with contextlib.redirect_stderr(_Lines(say)):
        try:
            say("mistakes", lesson(*folders, say))
        except UserError as error:
            say("failed", str(error), "")
        except Exception as error:
            text = f"{type(error).__name__}: {first_line(error)}"
            say("failed", text, traceback.format_exc())


def _end_with_the_parent(place: Path) -> None:
    """A parent that was killed can neither end this process nor tidy up."""
    multiprocessing.parent_process().join()
    shutil.rmtree(place, ignore_errors=True)
    os._exit(1)


class _Lines(io.TextIOBase):
    """A stream that says each line that is written to it, without the name of the script."""

    def __init__(self, say: Say) -> None:
        self._say, self._begun = say, ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, lines):
            self._say("line", line.strip().removeprefix(f"{Path(sys.argv[0]).name}: "))
        return len(text)


def warm_up(model: Model) -> None:
    """Ask the model once, so that the first drawing does not wait for what comes up but once."""
    predict(model, np.zeros((1, 28, 28), "uint8"))
