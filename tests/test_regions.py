"""Pictures read by extremal regions, and by both front ends: what each promises."""

import os
import threading
import time

import cv2
import numpy as np
import pytest

from digits.reading import read_pictures


@pytest.fixture
def read(shipped):
    def read(picture, front_end="regions"):
        picture = np.clip(picture, 0, 255).astype("uint8")
        return next(read_pictures(shipped, [("picture", picture)], front_end=front_end))

    return read


@pytest.fixture
def two_inks(row):
    """A page with 23745 dark on light, and 86924 light on a dark patch."""
    dark, light = np.zeros((2, 300, 420), "float32")
    row(dark, "23745", 40, 40)
    row(light, "86924", 40, 180)
    paper = np.full(dark.shape, 235.0)
    paper[150:250, 20:400] = 60
    return paper - 190 * dark + 170 * light


@pytest.mark.parametrize("front_end", ["regions", "both"])
def test_dark_and_light_ink_on_one_page(read, two_inks, front_end):
    assert read(two_inks, front_end).text == "23745 / 86924"


def test_a_pale_pen_beside_a_dark_one(read, row):
    dark, pale = np.zeros((2, 240, 420), "float32")
    row(dark, "23745", 40, 40)
    row(pale, "86924", 40, 140)
    assert read(235 - 200 * dark - 50 * pale).text == "23745 / 86924"


def test_digits_in_frames_drawn_by_hand(read, row):
    ink = np.zeros((140, 420), "float32")
    row(ink, "23745", 60, 50)
    corners = np.array([(20, 25), (190, 18), (400, 24), (396, 120), (210, 112), (24, 118)])
    cv2.polylines(ink, [corners], True, 1, 5, cv2.LINE_AA)
    assert read(235 - 180 * ink).digits == "23745"


@pytest.mark.parametrize("front_end", ["both", "regions"])
def test_a_long_strip(read, row, front_end):
    ink = np.zeros((5000, 300), "float32")
    for y in range(40, 4900, 150):
        row(ink, "2374", 40, y)
    assert read(240 - 190 * ink, front_end).digits == "2374" * len(range(40, 4900, 150))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_picture_from_a_pipe_is_read_both_ways(shipped, two_inks, tmp_path):
    """It can be opened but once; the rules alone see one polarity."""
    content = cv2.imencode(".png", two_inks)[1].tobytes()
    os.mkfifo(pipe := tmp_path / "picture")
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    (reading,) = read_pictures(shipped, [("picture", pipe)])
    writer.join()
    assert reading.text == "23745 / 86924"


def test_texture_takes_seconds_at_most(read):
    noise = np.random.default_rng(0).normal(128, 50, (700, 700))
    start = time.process_time()
    assert read(noise).unsure
    assert time.process_time() - start < 10
