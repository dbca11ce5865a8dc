"""Scenes, drawn by processes of their own while the network trains."""

from collections import deque
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import Queue

import cv2
import numpy as np

from digits.data.made_pages.drawing import Strokes, legible
from digits.data.made_pages.kinds import Drawn
from digits.data.made_pages.scenes import draw_scene
from digits.data.mnist import load_mnist
from digits.training.detector.windows import window

BATCH = 12  # windows; a new scene is drawn for each
FIRST, KEPT = 60, 800  # scenes that windows are taken from: so many at first, and at most
AHEAD = 4  # batches that wait
PATIENCE = 600  # seconds without a batch: the processes that draw are gone
# Of MNIST's training digits, those that say which are legible, and those up to there are drawn.
OTHERS, DRAWN = 20_000, 35_000

Scene = tuple[np.ndarray, np.ndarray, np.ndarray, float]  # see `prepared`


def load_strokes() -> Strokes:
    """Return the training digits that scenes are drawn from."""
    (x_train, y_train), _ = load_mnist(None)
    images, labels = x_train[OTHERS:DRAWN], y_train[OTHERS:DRAWN]
    kept = legible(images, labels, x_train[:OTHERS], y_train[:OTHERS])
    return Strokes(images[kept], labels[kept])


def prepared(scene: Drawn, rng: np.random.Generator) -> Scene:
    """Return grey values (height, width) uint8, marks, boxes (n, 4), and the height of digits."""
    colours = rng.dirichlet((2, 2, 2)) if rng.random() < 0.3 else (0.299, 0.587, 0.114)
    grey = (scene.picture @ np.float32(colours)).clip(0, 255).astype("uint8")
    heights = scene.boxes[:, 3] - scene.boxes[:, 1]
    if len(heights):
        return grey, scene.marks, scene.boxes, float(np.median(heights))
    found = cv2.connectedComponentsWithStats((scene.marks < 0).astype("uint8"))[2][1:]
    heights = found[:, cv2.CC_STAT_HEIGHT] if len(found) else rng.uniform(15, 90, 1)
    usual = float(np.median(heights) * np.exp(rng.normal(0, 0.3)))
    return grey, scene.marks, scene.boxes, min(max(8.0, usual), 200.0)


def batches(seed: int, workers: int) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield windows of scenes, (BATCH, SIDE, SIDE, 2), and what the network should say."""
    context = get_context("spawn")
    waiting = context.Queue(AHEAD)
    for number in range(workers):
        context.Process(target=_draw, args=((seed, number), waiting), daemon=True).start()
    while True:
        yield waiting.get(timeout=PATIENCE)


def _draw(seed: tuple[int, int], waiting: Queue) -> None:
    """Draw batches without end."""
    cv2.setNumThreads(1)
    rng, strokes = np.random.default_rng(seed), load_strokes()
    scenes: deque[Scene] = deque(maxlen=KEPT)
    while True:
        for _ in range(1 if scenes else FIRST):
            scenes.append(prepared(draw_scene(strokes, rng), rng))
        chosen = iter(lambda: scenes[rng.integers(len(scenes))], None)
        images, centres, inks = zip(*(window(chosen, rng) for _ in range(BATCH)), strict=True)
        waiting.put(
            (np.stack(images), {"centre": np.stack(centres), "ink": np.stack(inks)}),
            timeout=PATIENCE,
        )
