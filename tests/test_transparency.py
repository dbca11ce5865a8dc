"""Transparent parts become the paper that the opaque ones were on."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import drawn_seven
from digits.data.picture_files import read_grey
from digits.reading import read_pictures

LIGHT, DARK = drawn_seven(160, 8), drawn_seven(160, 8, ink=255, paper=0)
EVERYWHERE = np.full(LIGHT.shape, 255, "uint8")


def png(colour, alpha):
    """Return a grey picture as PNG; where it is fully transparent nothing is left of its grey."""
    picture = np.dstack([np.where(alpha, colour, 0), alpha]).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(picture, "LA").save(file, "PNG")
    return file.getvalue()


def without(grey, value):
    """Make all pixels of exactly one value transparent, as picture programs do."""
    return png(grey, np.where(grey == value, 0, 255))


def rounded(grey, radius=30, blur=0.0, matte=0):
    """Give a card rounded transparent corners; where they are soft, some of the matte shows."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    alpha = cv2.morphologyEx(np.pad(EVERYWHERE, radius), cv2.MORPH_OPEN, disk)
    alpha = alpha[radius:-radius, radius:-radius]
    if blur:
        alpha = cv2.GaussianBlur(alpha, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    return png(grey * (alpha / 255) + matte * (1 - alpha / 255), alpha)


def cut_out(grey):
    """Put a sheet, turned a little, on a large transparent canvas."""
    turn = cv2.getRotationMatrix2D((80, 80), 10, 1)
    turn[:, 2] += 120
    sheet, alpha = (cv2.warpAffine(layer, turn, (400, 400)) for layer in (grey, EVERYWHERE))
    return png(sheet, np.where(alpha == 255, 255, 0))


STROKES = cv2.dilate(DARK, np.ones((13, 13)))
SOFT_LIGHT, SOFT_DARK = (cv2.GaussianBlur(grey, (0, 0), 2) for grey in (LIGHT, DARK))
TWO_INKS = np.where(np.arange(160) < 80, 60, 20) + np.zeros_like(LIGHT)


@pytest.mark.parametrize(
    ("picture", "paper"),
    [
        pytest.param(without(LIGHT, 255), 255, id="white made transparent"),
        pytest.param(without(SOFT_LIGHT, 255), 255, id="white made transparent, soft strokes"),
        pytest.param(without(SOFT_DARK, 0), 0, id="black made transparent, soft strokes"),
        pytest.param(rounded(drawn_seven(160, 8, ink=30, paper=240)), 240, id="light card"),
        pytest.param(rounded(drawn_seven(160, 8, ink=230, paper=50)), 50, id="dark card"),
        pytest.param(rounded(LIGHT, blur=1.5), 255, id="light card, cut from black"),
        pytest.param(rounded(DARK, blur=1.5, matte=255), 0, id="dark card, cut from white"),
        pytest.param(cut_out(drawn_seven(160, 8, ink=30, paper=220)), 220, id="sheet cut out"),
        pytest.param(cut_out(drawn_seven(160, 8, ink=220, paper=60)), 60, id="board cut out"),
        pytest.param(png(LIGHT, STROKES), 255, id="black with a white outline"),
        pytest.param(png(DARK, STROKES), 0, id="white with a black outline"),
        pytest.param(png(0, DARK), 255, id="black ink alone"),
        pytest.param(png(255, DARK), 0, id="white ink alone"),
        pytest.param(png(255, DARK // 3), 0, id="white ink alone, half transparent"),
        pytest.param(png(TWO_INKS, DARK), 255, id="two dark inks alone"),
    ],
)
def test_the_paper_is_what_borders_on_the_transparent_part(shipped, picture, paper):
    assert abs(int(read_grey(picture)[0, 0]) - paper) <= 20
    (reading,) = read_pictures(shipped, [("picture", picture)])
    assert reading.digits == "7"


def test_slight_transparency_of_parts_is_read(shipped):
    picture = png(LIGHT, np.where(np.arange(160) < 80, 200, 255) + np.zeros_like(LIGHT))
    (reading,) = read_pictures(shipped, [("picture", picture)])
    assert reading.digits == "7"


def test_the_same_transparency_everywhere_says_nothing():
    for alpha in (0, 100, 255):
        file = io.BytesIO()
        Image.fromarray(np.dstack([LIGHT, np.full_like(LIGHT, alpha)]), "LA").save(file, "PNG")
        np.testing.assert_array_equal(read_grey(file.getvalue()), LIGHT)
