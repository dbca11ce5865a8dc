"""What surrounds Keras's `model.fit`: progress, Ctrl-C, --resume, several processes, one seed."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from digits.command_line import UserError, ctrl_c_waits
from digits.model import quiet_keras as keras
from digits.streams import is_terminal
from digits.training import distribution
from digits.training.checkpoint import Checkpoint, History
from digits.training.memory import keep_freed_memory

EPOCHS = 4
BATCH_SIZE = 250


def start(seed: int, batch_size: int | None = None) -> None:
    """Let the same seed give the same weights, byte for byte; call it before a model is built.

    Several processes and devices (see `distribution`) join for batches of `batch_size`; without
    one, this process trains alone. Raises UserError if that cannot be, or if Keras's backend
    cannot train.
    """
    keras.check_trains()
    keras.config.set_image_data_format("channels_last")  # whatever keras.json says
    keras.config.set_floatx("float32")
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    keras.utils.set_random_seed(seed)
    team = distribution.team()
    if batch_size:
        team.join(batch_size)
    elif team.processes > 1:
        raise UserError(f"this trains in one process; unset {distribution.PROCESSES}")


def one_cycle(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a learning rate that rises for a fifth of the steps, then falls to zero (Smith, 2018).

    It begins with a twentieth of `peak`.
    """
    warmup = max(1, steps // 5)
    rest = max(1, steps - warmup)
    return keras.optimizers.schedules.CosineDecay(
        peak / 20, rest, warmup_target=peak, warmup_steps=warmup
    )


def fit(
    model: keras.Model,
    batches: Callable[[range], Iterable[tuple]],
    validation: tuple[np.ndarray, np.ndarray],
    steps: int,
    epochs: int,
    seed: int,
    checkpoint: Checkpoint | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, History]:
    """Run `model.fit` on a compiled model so that it can be stopped, resumed and shared.

    `batches` gives the batches of a range of epochs, `steps` each; `validation` is images
    (n, 28, 28, 1) and targets (n, 10). With a `checkpoint`, each epoch's state is kept there, and
    the training begins with what lies there if it resumes. Return the trained model, which is
    another one where several devices trained it, and Keras's history of all epochs. Of several
    processes the first one returns, and the others end.
    """
    team = distribution.current()
    keep_freed_memory()
    before = checkpoint.restore(model) if checkpoint and checkpoint.resume else {}
    done = len(before.get("loss", []))
    callbacks = [*callbacks, *([checkpoint.keep(before)] if checkpoint and team.first else [])]
    # PyTorch's random numbers are no variable that a checkpoint could keep: each epoch has its own.
    seeds = (number % 2**32 for number in itertools.count(seed + done))
    callbacks += [
        keras.callbacks.LambdaCallback(
            on_train_batch_begin=lambda n, logs: n or keras.utils.set_random_seed(next(seeds))
        )
    ]
    terminal = is_terminal(sys.stderr)
    if team.first and not terminal:
        line = functools.partial(print_epoch, epochs=epochs)
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=line))
    # Keras draws its progress bar on stdout, and may lose a Ctrl-C within a step.
    with contextlib.redirect_stdout(sys.stderr), ctrl_c_waits() as stop:
        callbacks += [keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, logs: stop())]
        history = model.fit(
            team.share_of_each(batches(range(done, epochs))),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=epochs,
            callbacks=callbacks,
            verbose=int(team.first and terminal),
            shuffle=False,  # the batches are already
            validation_data=tuple(map(team.share_of, validation)),
            validation_batch_size=len(team.share_of(range(500))),
        )
    if not team.first:
        sys.exit()
    history = {key: before.get(key, []) + values for key, values in history.history.items()}
    return team.alone(model), history or before


def print_epoch(epoch: int, logs: dict[str, float], epochs: int) -> None:
    """Print a line on stderr, as a log file wants it."""
    values = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
    print(f"epoch {epoch + 1} of {epochs}: {values}", file=sys.stderr, flush=True)
