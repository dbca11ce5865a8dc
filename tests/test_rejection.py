"""What stands around a component decides whether it is a digit."""

import cv2
import numpy as np
import pytest

from digits.reading import Answer
from digits.reading.finding import Digit
from digits.reading.rejection import reject_outliers

SURE, LETTER = 0.99, 0.2


def row(*components, pitch=30):
    """Return the answers on a row: each component's value, confidence, height, and its part."""
    answers = []
    for i, (value, confidence, height, *part) in enumerate(components):
        digit = Digit((pitch * i, 50 - height, 20, height), np.zeros((28, 28), "uint8"))
        probabilities = np.full(10, (1 - confidence) / 9)
        probabilities[value] = confidence
        answers.append(Answer(digit, probabilities, 1.0, *part))
    return answers


def box():
    """Return a drawing of an empty box, as the model sees one."""
    image = np.zeros((28, 28), "uint8")
    return cv2.rectangle(image, (5, 4), (22, 23), 255, 2)


def read(answers):
    return "".join(str(answer.value) for answer in answers)


@pytest.mark.parametrize(("height", "text", "unread"), [(66, "957", 2), (48, "91517", 0)])
def test_walls_of_boxes_are_no_ones(height, text, unread):
    wall = (1, SURE, height)
    digits, rest = reject_outliers(
        row((9, SURE, 40), wall, (5, SURE, 40), wall, (7, SURE, 40), pitch=60)
    )
    assert read(digits) == text and len(rest) == unread


def test_ones_alone_may_have_any_height():
    assert read(reject_outliers(row((1, SURE, 40), (1, SURE, 70), (1, SURE, 40)))[0]) == "111"


@pytest.mark.parametrize("upright", [1, 7])
def test_of_a_word_what_looks_like_a_one_tells_nothing(upright):
    word = [(upright, SURE, 40)] * 3 + [(0, LETTER, 40), (6, SURE, 40)]
    digits, _ = reject_outliers(row(*word))
    assert read(digits) == ("" if upright == 1 else "7776")


def test_of_a_word_a_component_that_was_cut_tells_once():
    letter = (0, LETTER, 40)
    cut = [(2, SURE, 40, 1 / 3)] * 3
    assert read(reject_outliers(row(*cut, letter, (4, SURE, 40)))[0]) == "2224"
    assert read(reject_outliers(row(*cut, letter))[0]) == ""


@pytest.mark.parametrize("full", [False, True])
def test_empty_boxes_say_nothing_of_a_digit_beside_them(full):
    page = row((5, SURE, 30), *[(0, LETTER, 40)] * 4)
    for answer in page[1:]:
        answer.digit.image = box()
        if full:
            cv2.line(answer.digit.image, (8, 8), (19, 19), 255, 3)
    digits, unread = reject_outliers(page)
    assert read(digits) == ("" if full else "5") and not unread
