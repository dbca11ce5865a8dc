"""The model that reads on the page, and how it learns from the pictures that people kept.

A training runs in a process of its own, and its model takes over once it is whole and passes
all checks. One that fails, or is stopped, changes nothing.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from digits.command_line import UserError, writable_folder
from digits.data.own_pictures import find_own
from digits.model.evaluation import predict
from digits.model.loading import load_model
from digits.model.saving import ARCHITECTURE, save_model
from digits.page.kept_pictures import change, keep, kept, names_of
from digits.page.network import as_network
from digits.page.training_process import Lesson, Training, lesson, warm_up
from digits.reading.own_digits import read_own

if TYPE_CHECKING:
    from keras import Model

LEARNED = ".learned"  # in the folder of the pictures; hidden, so that it is no answer
HELD_OUT = ".held_out"  # in the same: pictures that only measure what was learned
LEARNED_FROM = "pictures.txt"  # beside the model: the names of what it learned from
WORSE = 10  # more test digits read wrong than before: the model got worse


class Learner:
    """A model, and what it can learn in `folder`; its methods may be called by any thread.

    A `lesson` always goes on from the model of the start, with all that is kept: what is taken out
    of the folder is forgotten, and MNIST is not, however often it learns.
    """

    def __init__(self, model: Model, folder: Path, lesson: Lesson = lesson) -> None:
        self.model = model  # the one that reads
        self.changes = 0  # of the one that reads
        self.folder, self.lesson = folder, lesson
        self.learned = folder / LEARNED
        self.held_out = folder / HELD_OUT
        self._first = model
        self._network: tuple[Model | None, bytes] = None, b""  # of the one that was asked last
        self._other: Model | None = None  # the one before the last training ...
        self._went_back = False  # ... or, where people went back, the one after it
        self._training: Training | None = None
        self._failure: str | None = None
        self._results: list[str] = []
        self._reasons: dict[str, str] = {}  # why pictures could not be used
        self._asks = self._worse = False  # whether people are to decide, and what speaks for
        self._learned_from = self._read_learned_from()
        self._lock = threading.Lock()
        warm_up(model)

    def state(self) -> dict:
        """Return what people are told: what is kept, and what a training does or came to."""
        training, names = self._training, names_of(self.folder)
        return {
            "folder": str(self.folder),
            "kept": names,
            "held": [f"{HELD_OUT}/{name}" for name in names_of(self.held_out)],
            "reasons": self._reasons,
            "fresh": names != self._learned_from,
            "model": self.changes,
            "training": training.state() if training else None,
            "failure": self._failure,
            "results": self._results,
            "learned": self._can_go_back(),
            "went_back": self._went_back or (self._other is None and self._can_go_back()),
            "asks": self._asks,
            "worse": self._worse,
        }

    def _read_learned_from(self) -> list[str]:
        with contextlib.suppress(OSError):
            return (self.learned / LEARNED_FROM).read_text("utf-8").splitlines()
        return []

    def _can_go_back(self) -> bool:
        """Return whether there is another model: of this run, or what was learned before it."""
        return self._other is not None or (self.learned / ARCHITECTURE).is_file()

    def network(self) -> bytes:
        """Return the model as the browser runs it; empty if it cannot."""
        model = self.model
        if self._network[0] is not model:
            self._network = model, as_network(model) or b""
        return self._network[1]

    def keep(self, answer: str, picture: bytes, held_out: bool = False) -> str:
        """Keep a picture, to learn from or only to measure; see `kept_pictures.keep`."""
        with self._lock:
            name = keep(self.held_out if held_out else self.folder, answer, picture)
            self._failure = None  # of a training with less
            return f"{HELD_OUT}/{name}" if held_out else name

    def place_of(self, name: str) -> tuple[Path, str]:
        """Return the folder of a kept picture, and its name there."""
        if name.startswith(f"{HELD_OUT}/"):
            return self.held_out, name.removeprefix(f"{HELD_OUT}/")
        return self.folder, name

    def change(self, name: str, answer: str) -> None:
        """Change what is written on a kept picture, or delete it; see `kept_pictures.change`."""
        with self._lock:
            change(*self.place_of(name), answer)
            self._reasons.pop(name, None)

    def start(self) -> None:
        """Start a training. Raises UserError if one is under way, or there is nothing to learn."""
        with self._lock:
            if self._training:
                raise UserError("it is learning already")
            if not kept(self.folder):
                raise UserError("nothing is kept yet")
            self._training = Training(self.folder, self._first, self.lesson)
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
            if not self._can_go_back():
                raise UserError("it has not learned anything yet")
            if self._other is None:  # what was learned before this page was started
                self._other, self._went_back = load_model(self.learned), True
            self._take(self._other, back=not self._went_back)

    def keep_it(self) -> None:
        """Go on with what was learned."""
        self._asks = False

    def _take(self, model: Model, back: bool = False) -> None:
        self.model, self._other, self._went_back = model, self.model, back
        self.changes += 1
        self._asks = False

    def _finish(self, training: Training) -> None:
        """Wait for the end of a training, and take its model if it is good."""
        failure = "a fault in the program; see the terminal"
        try:
            model, results = training.wait()
            hand = self._hand(model)
            with self._lock:
                training.refuse_if_stopped()
                save_model(model, writable_folder(self.learned))
                text = "".join(f"{name}\n" for name in training.names)
                (self.learned / LEARNED_FROM).write_text(text, "utf-8")
                self._learned_from = training.names
                self._take(model)
                self._judge(hand, results)
                failure = None
        except UserError as error:
            failure = str(error)
        finally:
            self._reasons = training.reasons
            self._training, self._failure = None, failure

    def _hand(self, model: Model) -> tuple[int, int, int] | None:
        """Return how many held out digits were read right, how many are now, of how many."""
        if not kept(self.held_out):
            return None
        try:
            images, labels = read_own(find_own(self.held_out), self._first)
        except UserError:  # none of them can be used
            return None
        answers = (predict(which, images).argmax(axis=1) for which in (self._first, model))
        before, now = (int((answer == labels).sum()) for answer in answers)
        return before, now, len(labels)

    def _judge(self, hand: tuple[int, int, int] | None, wrong: tuple[int, int] | None) -> None:
        """Say what came of a training, and let people decide."""
        self._results = []
        if hand:
            before, now, all_of_them = hand
            self._results.append(
                f"Your hand, what was held back: {before} → {now} of {all_of_them} right."
            )
        if wrong:
            self._results.append(f"MNIST: {wrong[0]} → {wrong[1]} of 10,000 wrong.")
        forgot = bool(wrong) and wrong[1] - wrong[0] > WORSE
        self._asks, self._worse = True, forgot or (bool(hand) and hand[1] < hand[0])
