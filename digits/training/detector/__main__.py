"""Train the detector on made scenes.

    python -m digits.training.detector --minutes 60 --resume

Scenes are drawn from MNIST's training digits while it trains, each seen some times: there is no end
to them. It can be stopped at any time: what is kept is the mean of the last weights (Polyak and
Juditsky, 1992). In the second half of its minutes the learning rate falls.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits.command_line import new_parser, note, note_if_slow, positive_int, run
from digits.data.made_pages.scenes import draw_scene
from digits.model.loading import load_model
from digits.reading.detector.deciding import candidates_on
from digits.reading.detector.finding import look
from digits.reading.detector.network import (
    build_detector,
    network_of,
    restore_detector,
    save_detector,
)
from digits.training.detector.calibration import fit_calibration
from digits.training.detector.drawing import batches, load_strokes, prepared
from digits.training.detector.losses import centre_loss, ink_loss
from digits.training.memory import keep_freed_memory

if TYPE_CHECKING:
    from keras import Model

RATE, LAST, WEIGHT_DECAY = 1.5e-3, 1.5e-4, 0.01
WARM_UP = 300  # steps
AVERAGE = 0.99  # each EVERY steps, of the mean of the weights
EVERY, SAVED = 10, 100  # steps
CALIBRATION, SCENES = 10**6, 200  # the seed of the scenes to calibrate on, and their number


def main() -> int:
    parser = new_parser(__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=positive_int, default=60, help="how long it trains")
    parser.add_argument("--output", type=Path, default=".training", help="where it is kept")
    parser.add_argument(
        "--resume", action="store_true", help="go on with what is kept there, or comes along"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the scenes and of the weights")
    parser.add_argument("--workers", type=positive_int, default=1, help="processes that draw")
    parser.add_argument("--ship", action="store_true", help="calibrate what is kept, and use it")
    arguments = parser.parse_args()
    import keras

    if arguments.ship:
        return ship(arguments.output / "detector.mean.npz")

    arguments.output.mkdir(exist_ok=True)
    keras.utils.set_random_seed(arguments.seed)
    model = build_detector()
    optimizer = keras.optimizers.AdamW(RATE, WEIGHT_DECAY, global_clipnorm=5)
    # Compiled as a whole, with the memory of one step kept for the next, it takes half the time.
    keep_freed_memory()
    losses = {"centre": centre_loss, "ink": ink_loss}
    model.compile(optimizer, loss=losses, jit_compile=True)
    kept = Kept(model, arguments.output, arguments.minutes, arguments.resume)
    windows = batches(arguments.seed + kept.steps, arguments.workers)
    model.fit(windows, steps_per_epoch=10**9, callbacks=[kept.callback()], verbose=0)
    return 0


def ship(file: Path) -> int:
    """Calibrate a training's mean weights and write them beside the code that reads with them."""
    model = build_detector()
    model.set_weights(list(np.load(file).values()))
    digits = load_model()
    strokes = load_strokes()

    def found():
        for i in range(SCENES):
            rng = np.random.default_rng((CALIBRATION, i))
            scene = draw_scene(strokes, rng)
            grey, *_ = prepared(scene, rng)
            yield scene, candidates_on(look(grey, network_of(model)), digits, np.zeros(7))

    with note_if_slow(f"calibrating on {SCENES} scenes ..."):
        save_detector(model, fit_calibration(found()))
    return 0


class Kept:
    """What is kept of a training: the weights, their mean, the number of steps."""

    def __init__(self, model: "Model", folder: Path, minutes: float, resume: bool):
        self.model, self.minutes = model, minutes
        self.now, self.mean = folder / "detector.now.npz", folder / "detector.mean.npz"
        self.steps, self.started = 0, time.monotonic()
        model.optimizer.build(model.trainable_variables)
        if resume and self.now.exists():
            *arrays, steps = np.load(self.now).values()
            self.steps = int(steps)
            for variable, array in zip(self._variables(), arrays, strict=True):
                variable.assign(array)
            self.average = list(np.load(self.mean).values())
        else:
            if resume:
                restore_detector(model)
            self.average = model.get_weights()

    def _variables(self) -> list:
        return [*self.model.variables, *self.model.optimizer.variables]

    def callback(self):
        import keras

        return keras.callbacks.LambdaCallback(on_train_batch_end=self.after_step)

    def after_step(self, step: int, logs: dict) -> None:
        self.steps += 1
        left = 1 - (time.monotonic() - self.started) / 60 / self.minutes
        part_of_rate = min(1, self.steps / WARM_UP, 2 * left)
        self.model.optimizer.learning_rate = max(LAST, RATE * part_of_rate)
        if self.steps % EVERY == 0:
            part = min(AVERAGE, self.steps / (self.steps + 10 * EVERY))
            pairs = zip(self.average, self.model.get_weights(), strict=True)
            self.average = [part * a + (1 - part) * b for a, b in pairs]
        if self.steps % SAVED == 0 or left < 0:
            losses = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
            note(f"step {self.steps}  {losses}  {time.monotonic() - self.started:.0f} s")
            np.savez(self.now, *map(np.asarray, self._variables()), self.steps)
            np.savez(self.mean, *self.average)
            self.model.reset_metrics()
        if left < 0:
            raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(run(main))
