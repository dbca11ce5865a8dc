"""The learned detector: its scenes say which ink is whose, and its maps become digits again."""

import numpy as np
import pytest

from digits.data.made_pages.drawing import Hand, Page, Strokes
from digits.data.made_pages.scenes import draw_scene
from digits.reading.detector import network
from digits.reading.detector.finding import Level, cut_out, peaks
from digits.reading.detector.network import REACH, USUAL, build_detector, local_contrast
from digits.training.detector.drawing import prepared
from digits.training.detector.windows import truths, window


@pytest.fixture(scope="module")
def strokes() -> Strokes:
    """Rings: an empty 0 is a digit that any pen can follow."""
    y, x = np.indices((28, 28)) - 13.5
    ring = 255 * (abs(np.hypot(y, 0.8 * x) - 8) < 1.6)
    return Strokes(ring[None].astype("uint8"), np.array([0]))


def level_of(page: Page) -> Level:
    """What a perfect network would see on a page."""
    grey = (255 * page.pixels.mean(axis=2)).astype("uint8")
    sizes = np.array([(right - left, bottom - top) for left, top, right, bottom in page.boxes])
    centre, ink = truths(page.marks, sizes)
    finer = ink.repeat(2, axis=0).repeat(2, axis=1)
    digits = (page.marks > 0).astype("float32")
    size, way = USUAL * np.exp(centre[..., 1:3]), REACH * finer[..., 5:7]
    return Level(1.0, grey, centre[..., 0], size, digits, finer[..., 4], way)


@pytest.mark.parametrize("gap", [0.4, 0.02, -0.06])
def test_touching_digits_come_apart(strokes, gap):
    page = Page(np.ones((96, 256, 3), "float32"), right=np.inf, lines=[""])
    hand = Hand(strokes, np.random.default_rng(0), 30, 0.1, (0, 0, 0), 0, gap, unsteady=0)
    page.number(hand, 30, 60, 4)
    found = sorted(peaks([level_of(page)]), key=lambda peak: peak.x)
    assert len(found) == 4
    for peak, box in zip(found, page.boxes, strict=True):
        cut = cut_out(peak, [level_of(page)], found)
        assert cut.image[13:15, 13:15].max() == 0, "the hole of the ring is empty"
        assert cut.image.max() > 200
        assert np.abs(cut.box - box).max() < 5


def test_contrast_is_that_of_any_light():
    rng = np.random.default_rng(0)
    picture = rng.integers(100, 200, (64, 64)).astype("uint8")
    darker = (0.5 * picture).astype("uint8")
    assert np.abs(local_contrast(picture) - local_contrast(darker)).max() < 0.1
    assert np.abs(local_contrast(picture) + local_contrast(255 - picture)).max() < 1e-3


def test_a_scene_has_a_box_and_ink_for_each_digit(strokes):
    numbers = set()
    for seed in range(12):
        scene = draw_scene(strokes, np.random.default_rng(seed))
        assert scene.marks.shape == scene.picture.shape[:2]
        assert scene.marks.max() <= len(scene.boxes)
        numbers.add(len(scene.boxes))
    assert len(numbers) > 3


def test_the_network_gets_windows_and_gives_maps_of_their_size(strokes):
    rng = np.random.default_rng(1)
    scenes = iter([prepared(draw_scene(strokes, rng), rng) for _ in range(9)])
    image, centre, ink = window(scenes, rng)
    maps = build_detector()(image[None], training=False)
    assert maps["centre"].shape[1:3] == centre.shape[:2]
    assert maps["ink"].shape[1:3] == ink.shape[:2]


def test_what_was_trained_reads_the_same_without_batch_normalisation(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    model = build_detector()
    for layer in model.layers:
        if layer.name.endswith("_normalised"):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    monkeypatch.setattr(network, "WEIGHTS", file := tmp_path / "detector.npz")
    network.save_detector(model, np.zeros((2, 7)), file)
    contrast = rng.normal(size=(1, 64, 64, 2)).astype("float32")
    trained, folded = model(contrast), network.load_detector.__wrapped__()(contrast)
    for name, found in trained.items():
        scale = np.abs(found).max()
        assert np.abs(np.asarray(found) - np.asarray(folded[name])).max() < 0.01 * scale
    network.restore_detector(other := build_detector())
    assert np.allclose(other.get_weights()[-1], model.get_weights()[-1])
