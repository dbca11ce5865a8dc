"""What --plot draws can be read, however much was read."""

import numpy as np
import pytest

from digits.reading import Answer, Reading
from digits.reading.finding import Digit
from digits.reading.plot import draw_readings
from digits.training.curves import draw_training


def reading_of(number, name="a.png", certainty=1.0):
    """A page of so many digits, twenty in a line, all of them the same 1."""
    image = np.zeros((28, 28), "uint8")
    probabilities = np.eye(10)[1]
    places = [(5 + 20 * (i % 20), 5 + 40 * (i // 20)) for i in range(number)]
    answers = [Answer(Digit((x, y, 12, 30), image, line=y // 40), probabilities) for x, y in places]
    grey = np.full((40 * (number // 20) + 50, 410), 200, "uint8")
    return Reading(name, answers, certainty, grey=grey)


def parts(figure):
    """Return the texts of each cell, and the axes of the images that the model saw."""
    figure.canvas.draw()
    texts = [[text.get_text() for text in cell.texts] for cell in figure.subfigs]
    return texts, [axis for cell in figure.subfigs for axis in cell.axes if axis.get_title()]


@pytest.mark.parametrize(("number", "readings"), [(1, 1), (7, 1), (100, 1), (1, 5), (30, 5)])
def test_many_digits_are_drawn_large_enough_and_apart(number, readings):
    _, images = parts(figure := draw_readings([reading_of(number)] * readings))
    assert len(images) == number * readings
    dots = figure.dpi * 110 / 100  # as it is saved
    assert min(axis.get_position().width for axis in images) > 0
    widths = [axis.get_window_extent().width * dots / figure.dpi for axis in images]
    assert min(widths) >= 24
    boxes = [axis.title.get_window_extent() for axis in images]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 : i + 40])


def test_an_answer_keeps_its_name_and_says_how_sure_it_is():
    long = f"{'scan' * 20}-7.png"
    readings = [reading_of(100), reading_of(3, long), reading_of(3, certainty=0.5)]
    (first, second, third), _ = parts(draw_readings(readings))
    assert "a.png" in first and ">99.9 %" in first and "".join(first).count("1" * 20) == 5
    assert any(text.startswith("scan") and text.endswith("-7.png") for text in second)
    assert "50.0 %  unsure" in third


def test_a_training_is_drawn_with_the_terms_of_the_field():
    history = {"loss": [0.9], "val_loss": [0.2], "accuracy": [0.9], "val_accuracy": [0.99]}
    figure = draw_training(history, (0.4, 0.1), np.arange(10), np.eye(10))
    matrix = figure.axes[-1]
    assert (matrix.get_xlabel(), matrix.get_ylabel()) == ("predicted", "true")
    assert len(figure.axes) == 3  # each with one axis of values
    assert "last epoch" in figure.get_supxlabel()
