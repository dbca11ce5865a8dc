"""Damaged and hostile pictures give an answer or a one-line error, soon and in little memory.

FUZZ_SECONDS=1800 python -m pytest -m slow tests/test_hostile_pictures.py
"""

import io
import itertools
import os
import struct
import time
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import EpsImagePlugin, Image

from conftest import ROOT, drawn_seven
from digits import read
from digits.data.picture_files import ImageError, read_grey
from digits.reading.finding import digits_in

pillow_heif.register_heif_opener()  # to write it
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "AVIF", "HEIF")
SECONDS = float(os.environ.get("FUZZ_SECONDS", 15))


def saved(image, format):
    file = io.BytesIO()
    Image.fromarray(image).save(file, format)
    return file.getvalue()


def answer(content):
    """Read a picture; return the digits found or the error's line. Anything else is a bug."""
    for _ in range(2):  # processor time, and twice where the machine is slow for a while
        start = time.process_time()
        try:
            result = digits_in(read_grey(content))
        except ImageError as error:
            result = str(error)
            assert result and "\n" not in result
        seconds = time.process_time() - start
        if seconds < 5:
            return result
    raise AssertionError(f"{seconds:.1f} s")


def mutated(content, rng):
    """Flip, overwrite, cut, repeat or take out some bytes, most often near the headers."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 8)):
        limit = len(data) if rng.random() < 0.5 else min(len(data), 64)
        place, length = int(rng.integers(limit)), int(rng.integers(1, 9))
        match rng.integers(5):
            case 0:
                data[place] ^= 1 << int(rng.integers(8))
            case 1:
                data[place : place + length] = rng.bytes(length)
            case 2:
                data[place : place + length] = b"\xff" * length
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = data[place : place + 8 * length]
        if not data:
            break
    if rng.random() < 0.2:
        del data[int(rng.integers(len(data) + 1)) :]
    return bytes(data)


@pytest.mark.slow
def test_mutated_pictures():
    seeds = [saved(drawn_seven(), format) for format in FORMATS]
    seeds += [saved(np.dstack([drawn_seven(40, 4)] * depth), "PNG") for depth in (3, 4)]
    rng, end, count = np.random.default_rng(0), time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        content = mutated(seeds[count % len(seeds)], rng)
        try:
            answer(content)
        except BaseException:
            (ROOT / f"failing-{zlib.crc32(content):08x}").write_bytes(content)
            raise
        count += 1
    print(f"{count} mutated pictures")


@pytest.mark.parametrize("shape", [(1, 1), (1, 60_000), (60_000, 1), (2, 20_000), (8, 8)])
@pytest.mark.parametrize("paper", [255, 0])
def test_odd_shapes(shape, paper):
    assert answer(saved(np.full(shape, paper, "uint8"), "PNG")) == []
    answer(saved(np.random.default_rng(0).integers(0, 256, shape).astype("uint8"), "PNG"))


@pytest.mark.parametrize("shape", [(100, 20_000), (20_000, 100)])
def test_a_long_strip_in_uneven_light(shape):
    light = np.sin(np.add.outer(*map(np.arange, shape)) / 500)
    assert answer(saved((128 + 100 * light).astype("uint8"), "PNG")) == []


def test_two_rows_in_few_grey_values(shipped):
    picture = np.repeat([[150, 0, 150], [150, 200, 250]], [10, 20, 50], axis=1)
    content = saved(picture.astype("uint8"), "PNG")
    assert len(answer(content)) < 3 and read(content, shipped).error == "no digit found"


@pytest.mark.parametrize(("share", "seed"), [(0.01, 0), (0.08, 5)])
def test_thousands_of_specks(share, seed):
    pepper = np.random.default_rng(seed).random((600, 800)) < share
    assert len(answer(saved(np.where(pepper, 20, 230).astype("uint8"), "PNG"))) < 20_000


def test_thousands_of_strokes():
    picture = np.full((1000, 1000), 230, "uint8")
    for x, y in itertools.product(range(20, 1000, 20), repeat=2):
        cv2.line(picture, (x, y), (x + (7 * x + y) % 9 - 4, y + 12), 40, 2)
    assert len(answer(saved(picture, "PNG"))) > 2000


def png_claiming(width, height):
    """A PNG of a few bytes whose header promises any size."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 10**6))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (2**31 - 1, 2**31 - 1), (0, 5), (7000, 7000)])
def test_a_header_that_lies_about_the_size(size):
    assert isinstance(answer(png_claiming(*size)), str)


def test_only_the_first_frame_of_an_animation_is_read():
    frames = [Image.fromarray(drawn_seven()), Image.fromarray(np.full((100, 100), 255, "uint8"))]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:] * 50)
    assert len(answer(file.getvalue())) == 1


def test_a_chain_of_pages_that_hardly_ends():
    single = saved(drawn_seven(), "TIFF")
    start = struct.unpack("<I", single[4:8])[0]
    end = start + 2 + 12 * struct.unpack("<H", single[start : start + 2])[0]
    page = single[start:end]
    chain = b"".join(
        page + struct.pack("<I", len(single) + (i + 1) * (len(page) + 4)) for i in range(50_000)
    )
    next_page = struct.pack("<I", len(single))
    assert len(answer(single[:end] + next_page + single[end + 4 :] + chain)) == 1


def test_no_program_in_a_picture_is_run(monkeypatch):
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: started.append(1))
    assert "not an image" in answer(saved(drawn_seven(), "EPS"))
    assert not started
