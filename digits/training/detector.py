"""Train the detector on made scenes.

    python -m digits.training.detector --minutes 60 --resume

Scenes are drawn from MNIST's training digits while it trains, each seen some times: there is no end
to them. It can be stopped at any time: what is kept is the mean of the last weights, so the
learning rate needs no plan (Polyak and Juditsky, 1992).
"""

import sys
import time
from collections import deque
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digits.command_line import new_parser, note, positive_int, run
from digits.data.made_pages.drawing import Strokes, legible
from digits.data.made_pages.kinds import Drawn
from digits.data.made_pages.scenes import draw_scene
from digits.data.mnist import load_mnist
from digits.reading.detector.network import REACH, USUAL, build_detector, local_contrast

if TYPE_CHECKING:
    from keras import Model

SIDE, ROUND = 192, 32  # pixels: a window, and what contrast needs to see around it
BATCH = 12
FIRST, KEPT, USED = 60, 800, 36  # scenes in memory, and windows of each on average
SIZES = 10.5, 44  # pixels: heights of digits that are found; the others are ignored
RATE, WEIGHT_DECAY = 1.5e-3, 0.01
AVERAGE = 0.99  # each EVERY steps, of the mean of the weights
EVERY, SAVED = 10, 100  # steps
SPREAD = 0.11  # heights: deviation of the peak in the middle of a digit
OTHERS, DRAWN = (
    20_000,
    35_000,
)  # of these say which digits are legible, and those up to there are drawn


def main() -> int:
    parser = new_parser(__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=positive_int, default=60, help="how long it trains")
    parser.add_argument("--output", type=Path, default=".training", help="where it is kept")
    parser.add_argument("--resume", action="store_true", help="go on with what is kept there")
    parser.add_argument("--seed", type=int, default=0, help="of the scenes and of the weights")
    parser.add_argument("--workers", type=positive_int, default=1, help="processes that draw")
    arguments = parser.parse_args()
    import keras

    arguments.output.mkdir(exist_ok=True)
    keras.utils.set_random_seed(arguments.seed)
    model = build_detector()
    optimizer = keras.optimizers.AdamW(RATE, WEIGHT_DECAY, global_clipnorm=5)
    model.compile(optimizer, loss={"centre": centre_loss, "ink": ink_loss})
    kept = Kept(model, arguments.output, arguments.minutes, arguments.resume)
    windows = batches(arguments.seed + kept.steps, arguments.workers)
    model.fit(windows, steps_per_epoch=10**9, callbacks=[kept.callback()], verbose=0)
    return 0


class Kept:
    """What is kept of a training: the weights, their mean, the number of steps."""

    def __init__(self, model: "Model", folder: Path, minutes: float, resume: bool):
        self.model, self.until = model, time.monotonic() + 60 * minutes
        self.now, self.mean = folder / "detector.now.npz", folder / "detector.mean.npz"
        self.steps, self.sums, self.started = 0, np.zeros(2), time.monotonic()
        model.optimizer.build(model.trainable_variables)
        if resume and self.now.exists():
            *arrays, steps = np.load(self.now).values()
            self.steps = int(steps)
            variables = [*model.variables, *model.optimizer.variables]
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
            self.average = list(np.load(self.mean).values())
        else:
            self.average = model.get_weights()

    def callback(self):
        import keras

        return keras.callbacks.LambdaCallback(on_train_batch_end=self.after_step)

    def after_step(self, step: int, logs: dict) -> None:
        self.steps += 1
        if self.steps <= 300:  # a warm-up
            self.model.optimizer.learning_rate = RATE * self.steps / 300
        if self.steps % EVERY == 0:
            part = min(AVERAGE, self.steps / (self.steps + 10 * EVERY))
            pairs = zip(self.average, self.model.get_weights(), strict=True)
            self.average = [part * a + (1 - part) * b for a, b in pairs]
        over = time.monotonic() > self.until
        if self.steps % SAVED == 0 or over:
            losses = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
            note(f"step {self.steps}  {losses}  {time.monotonic() - self.started:.0f} s")
            variables = [*self.model.variables, *self.model.optimizer.variables]
            np.savez(self.now, *[np.asarray(v) for v in variables], self.steps)
            np.savez(self.mean, *self.average)
            self.model.reset_metrics()
        self.model.stop_training = over
        if over:
            raise SystemExit(0)


def centre_loss(truth, found):
    """Focal loss of the peaks, and the absolute error of sizes, as CenterNet's."""
    from keras import ops

    heat, sizes, there, weight = truth[..., 0], truth[..., 1:3], truth[..., 3:4], truth[..., 4]
    p = ops.clip(ops.sigmoid(found[..., 0]), 1e-4, 1 - 1e-4)
    peak = ops.cast(heat > 0.999, "float32") * weight
    hit = -peak * (1 - p) ** 2 * ops.log(p)
    miss = -weight * (1 - heat) ** 4 * p**2 * ops.log(1 - p)
    wrong = ops.sum(there * ops.abs(found[..., 1:] - sizes)) / (ops.sum(there) + 1)
    return ops.sum(hit + miss) / (ops.sum(peak) + 1) + 0.5 * wrong


def ink_loss(truth, found):
    """Cross entropy of ink and other writing, and the absolute error of the way to the middle."""
    from keras import ops

    ink, way, there, weight = truth[..., :5], truth[..., 5:7], truth[..., 7:8], truth[..., 8:]
    logit = found[..., :5]
    entropy = ops.maximum(logit, 0) - logit * ink + ops.log1p(ops.exp(-ops.abs(logit)))
    entropy = ops.mean(weight * (1 + 2 * ink) * entropy)
    wrong = ops.sum(there * ops.abs(found[..., 5:] - way)) / (ops.sum(there) + 1)
    return 4 * entropy + wrong


def load_strokes() -> Strokes:
    """Return the training digits that scenes are drawn from."""
    (images, labels), _ = load_mnist(None)
    images, labels = images[OTHERS:DRAWN], labels[OTHERS:DRAWN]
    (others, other_labels), _ = load_mnist(None)
    kept = legible(images, labels, others[:OTHERS], other_labels[:OTHERS])
    return Strokes(images[kept], labels[kept])


def start_drawing() -> None:
    """Prepare a process that draws scenes."""
    global _strokes
    cv2.setNumThreads(1)
    _strokes = load_strokes()


def drawn_scene(seed: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    return prepared(draw_scene(_strokes, rng), rng)


def prepared(scene: Drawn, rng: np.random.Generator):
    """Return grey values (height, width) uint8, marks, boxes (n, 4), and the height of digits."""
    colours = rng.dirichlet((2, 2, 2)) if rng.random() < 0.3 else (0.299, 0.587, 0.114)
    grey = (scene.picture @ np.float32(colours)).clip(0, 255).astype("uint8")
    heights = scene.boxes[:, 3] - scene.boxes[:, 1]
    if len(heights):
        return grey, scene.marks, scene.boxes, float(np.median(heights))
    rows = np.flatnonzero((scene.marks < 0).any(axis=1))
    usual = float(np.ptp(rows)) / rng.uniform(1, 4) if len(rows) else rng.uniform(15, 90)
    return grey, scene.marks, scene.boxes, min(max(8.0, usual), 200.0)


def batches(seed: int, workers: int) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield windows of scenes, (BATCH, SIDE, SIDE, 2), and what the network should say."""
    rng = np.random.default_rng(seed)
    with get_context("spawn").Pool(workers, start_drawing) as pool:
        new = pool.imap_unordered(drawn_scene, ((seed, i) for i in range(10**9)), chunksize=4)
        scenes = deque((next(new) for _ in range(FIRST)), maxlen=KEPT)
        while True:
            scenes.append(next(new))
            for _ in range(max(1, USED // BATCH)):
                chosen = [scenes[i] for i in rng.integers(len(scenes), size=BATCH)]
                images, centres, inks = zip(*(window(*s, rng) for s in chosen), strict=True)
                yield np.stack(images), {"centre": np.stack(centres), "ink": np.stack(inks)}


def window(grey, marks, boxes, height: float, rng: np.random.Generator):
    """Return a window of a scene for the network, and the two truths."""
    side = SIDE + 2 * ROUND
    scale = np.exp(rng.uniform(*np.log(SIZES))) / height
    turn = np.deg2rad(rng.normal(0, 4))
    rows, columns = grey.shape
    x, y = rng.uniform(0, columns), rng.uniform(0, rows)
    if rng.random() < 0.8:
        written = np.argwhere(marks[::3, ::3])
        if len(written):
            y, x = 3 * written[rng.integers(len(written))] + rng.uniform(-80, 80, 2) / scale
    x, y = (_inside(at, size, SIDE / scale, rng) for at, size in ((x, columns), (y, rows)))
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[cosine, -sine, side / 2 - cosine * x + sine * y],
                       [sine, cosine, side / 2 - sine * x - cosine * y]])  # fmt: skip
    edges = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    border = int(np.median(edges)) if rng.random() < 0.7 else int(rng.integers(256))
    if scale < 0.7:  # a reduced picture is averaged first
        grey = cv2.blur(grey, (round(1 / scale),) * 2)
    image = cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=border)
    image = local_contrast(_other_light(image.astype("float32"), rng))
    inner = slice(ROUND, -ROUND)
    matrix[:, 2] -= ROUND
    marks = cv2.warpAffine(marks, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST)
    size = scale * (boxes[:, 2:] - boxes[:, :2])
    return image[inner, inner], *truths(marks, size)


def _inside(at: float, size: int, side: float, rng: np.random.Generator) -> float:
    """Return the middle of a window that is mostly on the page, or has most of it."""
    if size < side:
        return size / 2 + rng.uniform(-0.5, 0.5) * (side - size)
    return min(max(at, 0.4 * side), size - 0.4 * side)


def _other_light(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a window of either polarity, in other light, blurred, with noise; uint8."""
    if rng.random() < 0.4:
        image = 255 - image
    if rng.random() < 0.5:
        image = 255 * (image / 255) ** float(np.exp(rng.normal(0, 0.4)))
    if rng.random() < 0.4:
        image = (image - 128) * rng.uniform(0.2, 1) + 128 + rng.uniform(-40, 40)
    if rng.random() < 0.25:
        uneven = cv2.resize(rng.standard_normal((4, 4), "float32"), image.shape[::-1],
                            interpolation=cv2.INTER_CUBIC)  # fmt: skip
        image = image + 25 * rng.random() * uneven
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.4:
        image = image + rng.uniform(0, 12) * rng.standard_normal(image.shape, "float32")
    return image.clip(0, 255).astype("uint8")


def truths(marks: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network should say of a window: see `build_detector`.

    "centre" (height / 4, width / 4, 5): the peaks, logarithms of height and width, 1 where these
    count, the weight; "ink" (height / 2, width / 2, 9): ink of digits, other writing, the way to
    the middle, 1 where this counts, the weight. `marks` are (height, width), multiples of 4;
    `sizes` (n, 2) are widths and heights of whole digits: what is cut by the window, covered, too
    small or too large is ignored.
    """
    rows, columns = marks.shape
    centre = np.zeros((rows // 4, columns // 4, 5), "float32")
    ink = np.zeros((rows // 2, columns // 2, 9), "float32")
    centre[..., 4] = ink[..., 8] = 1
    y4, x4 = (4.0 * np.arange(side) + 2 for side in centre.shape[:2])
    y4 = y4[:, None]
    coarse = marks[::2, ::2]
    y2, x2 = np.nonzero(coarse > 0)
    numbers = coarse[y2, x2]
    y1, x1 = np.nonzero(marks > 0)
    of = marks[y1, x1]
    for number in np.unique(of):
        mine = of == number
        y, x = y1[mine], x1[mine]
        top, bottom, left, right = y.min(), y.max() + 1, x.min(), x.max() + 1
        height, width = bottom - top, right - left
        whole_width, whole_height = sizes[number - 1]
        longest = max(height, 0.8 * width)
        cut = top == 0 or left == 0 or bottom == rows or right == columns
        hidden = height < 0.75 * whole_height or width < 0.6 * whole_width
        if cut or hidden or not SIZES[0] - 2 <= longest <= SIZES[1] + 4:
            near = (y4 > top - 4) & (y4 < bottom + 4) & (x4 > left - 4) & (x4 < right + 4)
            centre[near, 4] = 0
            if hidden or longest < SIZES[0] - 2:
                ink[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2, 8] = 0
            continue
        y0, x0 = (top + bottom) / 2, (left + right) / 2
        spread = max(1.6, SPREAD * height)
        peak = np.exp(-((y4 - y0) ** 2 + (x4 - x0) ** 2) / 2 / spread**2)
        size = np.log(height / USUAL), np.log(width / USUAL), 1
        centre[peak > max(0.35, centre[int(y0) // 4, int(x0) // 4, 0]), 1:4] = size
        peak[int(y0) // 4, int(x0) // 4] = 1
        centre[..., 0] = np.maximum(centre[..., 0], peak)
        mine = numbers == number
        way = np.stack([y0 - 2 * y2[mine] - 1, x0 - 2 * x2[mine] - 1], axis=1) / REACH
        ink[y2[mine], x2[mine], 5:8] = np.hstack([way, np.ones((len(way), 1))])
    blocks = marks.reshape(rows // 2, 2, columns // 2, 2).transpose(0, 2, 1, 3)
    ink[..., :4] = (blocks > 0).reshape(rows // 2, columns // 2, 4)
    ink[..., 4] = (blocks < 0).any(axis=(2, 3))
    return centre, ink


if __name__ == "__main__":
    sys.exit(run(main))
