"""The model that reads on the page, and how it learns from the pictures that people kept.

A training runs in a process of its own, and its model takes over once it is whole and passes
all checks. One that fails, or is stopped, changes nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.command_line import UserError, writable_folder
from digits.model.evaluation import predict
from digits.model.loading import load_model
from digits.model.saving import save_model
from digits.page.kept_pictures import keep, kept
from digits.page.network import as_network

if TYPE_CHECKING:
    from keras import Model

LEARNED = ".learned"  # in the folder of the pictures; hidden, so that it is no answer
EPOCH = re.compile(r"epoch (\d+) of (\d+)")
RESULTS = {  # what a training prints, and how people are told
    r"(?ms)^test accuracy (\S+ %).*^before: test accuracy (\S+ %)": "MNIST: {} right, {} before.",
    r"(?m)^own digits learned: ([^(\n]+) \(": "Yours: {}.",
    r"(?m)^own digits held out: (\d.+)": "Yours that it did not learn from: {}.",
}


class Learner:
    """A model, and what it can learn in `folder`; its methods may be called by any thread.

    `command` is the training's, to which the options --own, --model and --output are added. It
    always goes on from the model of the start, with all that is kept: what is taken out of the
    folder is forgotten, and MNIST is not, however often it learns.
    """

    def __init__(self, model: Model, folder: Path, command: Sequence[str]) -> None:
        self.model = model  # the one that reads
        self.changes = 0  # of the one that reads
        self.folder, self.command = folder, command
        self.learned = folder / LEARNED
        self._first = model
        self._network: tuple[Model | None, bytes] = None, b""  # of the one that was asked last
        self._other: Model | None = None  # the one before the last training ...
        self._went_back = False  # ... or, where people went back, the one after it
        self._training: Training | None = None
        self._failure: str | None = None
        self._results: list[str] = []
        self._lock = threading.Lock()
        warm_up(model)

    def state(self) -> dict:
        """Return what people are told: what is kept, and what a training does or came to."""
        training = self._training
        return {
            "folder": str(self.folder),
            "kept": len(kept(self.folder)),
            "model": self.changes,
            "training": training.state() if training else None,
            "failure": self._failure,
            "results": self._results,
            "learned": self._other is not None,
            "went_back": self._went_back,
        }

    def network(self) -> bytes:
        """Return the model as the browser runs it; empty if it cannot."""
        model = self.model
        if self._network[0] is not model:
            self._network = model, as_network(model) or b""
        return self._network[1]

    def keep(self, answer: str, picture: bytes) -> None:
        """Keep a picture; see `keeping.keep`."""
        with self._lock:
            keep(self.folder, answer, picture)
            self._failure = None  # of a training with less

    def start(self) -> None:
        """Start a training. Raises UserError if one is under way, or there is nothing to learn."""
        with self._lock:
            if self._training:
                raise UserError("it is learning already")
            if not kept(self.folder):
                raise UserError("nothing is kept yet")
            self._training = Training(self.command, self.folder, self._first)
            self._failure = None
            # Not a daemon, as the thread of a request is: at exit, too, it tidies up.
            finish = threading.Thread(target=self._finish, args=(self._training,), daemon=False)
            finish.start()

    def stop(self) -> None:
        """End the training that is under way, if there is one."""
        with self._lock:
            if self._training:
                self._training.stop()

    def go_back(self) -> None:
        """Read with the model before the last training; called again, with the one after it."""
        with self._lock:
            if self._other is None:
                raise UserError("it has not learned anything yet")
            self._take(self._other, back=not self._went_back)

    def _take(self, model: Model, back: bool = False) -> None:
        self.model, self._other, self._went_back = model, self.model, back
        self.changes += 1

    def _finish(self, training: Training) -> None:
        """Wait for the end of a training, and take its model if it is good."""
        failure = "a fault in the program; see the terminal"
        try:
            model, results = training.wait()
            with self._lock:
                training.refuse_if_stopped()
                save_model(model, writable_folder(self.learned))
                self._take(model)
                self._results, failure = results, None
        except UserError as error:
            failure = str(error)
        finally:
            self._training, self._failure = None, failure


class Training:
    """A training that runs in a process of its own."""

    def __init__(self, command: Sequence[str], own: Path, model: Model) -> None:
        self.began, self.stopped = time.monotonic(), False
        self.line, self.share, self.left_out = "", None, 0
        self.place = tempfile.TemporaryDirectory()
        start, self.output, results = (Path(self.place.name, x) for x in ("start", "end", "lines"))
        start.mkdir()
        save_model(model, start)
        self.results = results
        self.name = f"{Path(command[-1]).name}: "  # before messages
        options = ["--own", own, "--model", start, "--output", self.output]
        with open(results, "wb") as stdout:
            self.process = subprocess.Popen(
                [*command, *map(str, options)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env=os.environ | {"PYTHONUTF8": "1"},
                encoding="utf-8",
                errors="replace",
            )

    def state(self) -> dict:
        """Return its last line, the share of its epochs that are done, and the seconds so far."""
        shown = "" if self.place.name in self.line else self.line  # where files lie for a while
        seconds = round(time.monotonic() - self.began)
        return {"line": shown, "share": self.share, "seconds": seconds}

    def stop(self) -> None:
        """End it; what it wrote lies in a temporary folder, which goes too."""
        self.stopped = True
        self.process.kill()

    def refuse_if_stopped(self) -> None:
        """Raise UserError if somebody stopped it."""
        if self.stopped:
            raise UserError("stopped")

    def wait(self) -> tuple[Model, list[str]]:
        """Return its model and, as sentences, what came of it. Raises UserError if it failed."""
        with self.place, self.process as process:
            for line in process.stderr:
                self._note(line.strip())
            code = process.wait()
            self.refuse_if_stopped()
            if code < 0:
                raise UserError(f"something ended it (signal {-code}); is there enough memory?")
            if code:
                raise UserError(self.line or f"the training ended with code {code}")
            model = load_model(self.output)
            warm_up(model)
            return model, self._told(self.results.read_text("utf-8", "replace"))

    def _told(self, results: str) -> list[str]:
        """Return as sentences what came of it."""
        found = [(re.search(line, results), sentence) for line, sentence in RESULTS.items()]
        left_out = f"{self.left_out} of the pictures could not be used."
        return [
            *(sentence.format(*line.groups()) for line, sentence in found if line),
            *([left_out] if self.left_out else []),
        ]

    def _note(self, line: str) -> None:
        if line:
            self.line = line.removeprefix(self.name)
            self.left_out += line.startswith("left out: ")
        if epoch := EPOCH.match(line):
            done, all_of_them = map(int, epoch.groups())
            self.share = done / max(done, all_of_them)


def warm_up(model: Model) -> None:
    """Ask the model once, so that the first drawing does not wait for what comes up but once."""
    predict(model, np.zeros((1, 28, 28), "uint8"))
