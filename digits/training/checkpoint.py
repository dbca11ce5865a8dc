"""What a stopped training leaves behind, so that it can go on where it stopped.

After each epoch `.training/` in the output folder holds the weights with the state of the
optimizer and of the random numbers, and `state.json` with the settings and the history so
far. `state.json` names its weights and takes its place last, so that a training killed at any
instant leaves the last whole epoch.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digits.command_line import UserError, counted, first_line
from digits.model import quiet_keras as keras
from digits.model.saving import flush_to_disk

History = dict[str, list[float]]


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return all that changes in training; Keras's own files leave out the random numbers."""
    return [*model.variables, *model.optimizer.variables]


@dataclass
class Checkpoint:
    """The state of a training with these settings, in `.training/` of `folder`."""

    folder: Path
    settings: dict[str, object]
    resume: bool = False  # begin with what lies there
    kept: int = 0  # epochs of this training
    began: float = field(default_factory=time.monotonic)  # earlier by what it resumes took
    ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long the training took or takes so far, with the part that it resumes."""
        return (self.ended or time.monotonic()) - self.began

    @property
    def took(self) -> str:
        """A line that says so."""
        return f"trained {counted(self.settings['--epochs'], 'epoch')} in {self.seconds:.0f} s"

    @property
    def _place(self) -> Path:
        return self.folder / ".training"

    @property
    def _state(self) -> Path:
        return self._place / "state.json"

    def exists(self) -> bool:
        return self._state.is_file()

    def restore(self, model: keras.Model) -> History:
        """Give a compiled model the state after the last whole epoch; return the history.

        Raises UserError if there is no state, it belongs to other settings, or is damaged.
        """
        if not self.exists():
            raise UserError(f"no stopped training in {self.folder}; leave out --resume")
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            settings, history, name = state["settings"], state["history"], state["weights"]
            differing = [key for key in self.settings if settings[key] != self.settings[key]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self._state} is damaged ({error}); leave out --resume") from None
        if differing:
            texts = [f"{key} {settings[key]}, not {self.settings[key]}" for key in differing]
            raise UserError(
                f"the stopped training had {'; '.join(texts)}; give the same, "
                f"or leave out --resume (it lies in {self._place})"
            )
        model.optimizer.build(model.trainable_variables)
        try:
            with np.load(self._place / Path(name).name) as values:
                for i, variable in enumerate(_variables(model)):
                    variable.assign(values[f"arr_{i}"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise UserError(
                f"{self._place} is damaged ({first_line(error)}); leave out --resume"
            ) from None
        self.kept = len(history.get("loss", []))
        self.began -= state.get("seconds", 0)
        return history

    def keep(self, before: History) -> keras.callbacks.Callback:
        """Return what writes the state after each epoch; `before` is the history so far."""
        history = {key: list(values) for key, values in before.items()}

        class Keep(keras.callbacks.Callback):
            def on_epoch_end(keep, epoch: int, logs: dict[str, float] | None = None) -> None:
                for key, value in (logs or {}).items():
                    history.setdefault(key, []).append(float(value))
                self._write(keep.model, history, f"{os.getpid()}-{epoch + 1}.npz")
                self.kept = epoch + 1

            def on_train_end(keep, logs: dict[str, float] | None = None) -> None:
                self.ended = time.monotonic()

        return Keep()

    def _write(self, model: keras.Model, history: History, name: str) -> None:
        waiting = self._state.with_suffix(f".{os.getpid()}")
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            np.savez(self._place / name, *map(keras.ops.convert_to_numpy, _variables(model)))
            state = {"settings": self.settings, "history": history, "weights": name}
            state["seconds"] = round(self.seconds, 1)
            waiting.write_text(json.dumps(state), encoding="utf-8")
            for file in (self._place / name, waiting):
                flush_to_disk(file)
            os.replace(waiting, self._state)
            for file in self._place.iterdir():  # those of earlier epochs and trainings
                if file.name not in (name, self._state.name):
                    file.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # another training into this folder has tidied up; the next epoch is kept
        except OSError as error:
            for file in (self._place / name, waiting):  # half of it, on a disk that is full
                file.unlink(missing_ok=True)
            raise UserError(
                f"cannot save the state of the training in {self._place}: {error.strerror}"
            ) from None

    def remove(self) -> None:
        """Forget the state; the training is at its end."""
        shutil.rmtree(self._place, ignore_errors=True)
