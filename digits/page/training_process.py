"""A training in a process of its own, and what it prints meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.command_line import UserError
from digits.model.evaluation import predict
from digits.model.loading import load_model
from digits.model.saving import save_model
from digits.page.kept_pictures import names_of

if TYPE_CHECKING:
    from keras import Model

EPOCH = re.compile(r"epoch (\d+) of (\d+)")  # what a training prints
ACCURACY = re.compile(r"val_accuracy ([\d.]+)")
LEFT_OUT = re.compile(r"left out: (.*?): (.*)")
WRONG = re.compile(r"(?m)^(before: |)test accuracy .*\((\d+) of")


class Training:
    """A training that runs in a process of its own."""

    def __init__(self, command: Sequence[str], own: Path, model: Model) -> None:
        self.began, self.stopped = time.monotonic(), False
        self.names = names_of(own)  # of the pictures that it learns from
        self.line, self.share = "", None
        self.errors: list[float] = []  # on the validation set, by epoch
        self.reasons: dict[str, str] = {}  # why pictures were left out, by their names
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
            lines = self.results.read_text("utf-8", "replace")
            wrong = {before: int(count) for before, count in WRONG.findall(lines)}
            return model, (wrong["before: "], wrong[""]) if len(wrong) == 2 else None

    def _note(self, line: str) -> None:
        if line:
            self.line = line.removeprefix(self.name)
        if epoch := EPOCH.match(line):
            done, all_of_them = map(int, epoch.groups())
            self.share = done / max(done, all_of_them)
        if accuracy := ACCURACY.search(line):
            self.errors.append(round(1 - float(accuracy[1]), 5))
        if left_out := LEFT_OUT.match(line):
            self.reasons["/".join(Path(left_out[1]).parts[-2:])] = left_out[2]


def warm_up(model: Model) -> None:
    """Ask the model once, so that the first drawing does not wait for what comes up but once."""
    predict(model, np.zeros((1, 28, 28), "uint8"))
