"""`from digits import load_model, read`: what it takes, and what it gives back."""

import io

import numpy as np
import pytest
from PIL import Image

from conftest import drawn_seven, png
from digits import load_model, read
from digits.command_line import UserError

SEVEN = png(drawn_seven())


def test_a_picture_is_read_however_it_comes(shipped, tmp_path):
    (file := tmp_path / "a.png").write_bytes(SEVEN)
    grey = drawn_seven()
    colour = np.repeat(grey[..., None], 3, axis=2)
    with open(file, "rb") as opened, Image.open(file) as image:
        pictures = [str(file), file, SEVEN, bytearray(SEVEN), grey, colour, 255 - grey]
        pictures += [opened, io.BytesIO(SEVEN), image, Image.fromarray(colour)]
        readings = read(pictures, shipped)
        assert [r.digits for r in readings] == ["7"] * len(pictures)
        opened.seek(0)
        assert read(opened, shipped).digits == read(image, shipped).digits == "7"
        assert np.asarray(image).shape == grey.shape  # still open, and as it was
    assert read(grey, shipped).confidence == pytest.approx(readings[0].confidence, abs=1e-3)


def test_what_cannot_be_read_raises_nothing_alone_or_among_many(shipped, tmp_path):
    gone, broken = tmp_path / "gone.png", b"no picture"
    for reading in (read(gone, shipped), *read([gone, SEVEN], shipped)[:1]):
        assert reading.failed and reading.error == "no such file"
    assert [r.failed for r in read([broken, SEVEN], shipped)] == [True, False]


def test_what_is_no_picture_is_an_error_that_says_what_is_one(shipped, tmp_path):
    for array in (np.zeros((28, 28)), np.zeros((2, 28, 28), "uint8"), np.zeros(9, "uint8")):
        with pytest.raises(ValueError, match="must be uint8"):
            read(array, shipped)
    (tmp_path / "a.png").write_text("7")
    with open(tmp_path / "a.png") as opened, pytest.raises(TypeError, match="opened in binary"):
        read(opened, shipped)
    for picture in (7, None, [7]):
        with pytest.raises(TypeError, match="must be a path"):
            read(picture, shipped)


def test_it_is_shown_in_a_line(shipped):
    reading = read(drawn_seven(), shipped)
    assert repr(reading).startswith("<Reading of picture 1: 7, ")
    (answer,) = reading.answers
    assert repr(answer).startswith("<Answer 7, ") and repr(answer.digit).startswith("<Digit in box")
    assert repr(read("gone.png", shipped)) == "<Reading of gone.png: no such file>"
    reading.answers *= 500
    assert len(repr(reading)) < 80


def test_a_folder_without_a_model_is_named_and_no_option(tmp_path):
    with pytest.raises(UserError, match=f"no model in {tmp_path}; .*another folder") as caught:
        load_model(tmp_path)
    assert "--" not in str(caught.value)
