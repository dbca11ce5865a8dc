"""The page in Firefox: the same strokes, the same answers."""

import json
import time

import pytest

pytestmark = pytest.mark.slow


def test_mouse_and_finger_write_and_it_outlives_a_reload(firefox, address):
    firefox.open(address)
    box = json.loads(
        firefox.evaluate("JSON.stringify(document.querySelector('#paper').getBoundingClientRect())")
    )
    seven = [
        (int(box["x"] + box["width"] * x), int(box["y"] + box["height"] * y))
        for x, y in [(0.3, 0.25), (0.6, 0.25), (0.45, 0.8)]
    ]
    firefox.stroke("mouse", seven)
    assert firefox.reads("7")
    firefox.evaluate("document.querySelector('#clear').click()")
    assert firefox.reads("")
    firefox.stroke("touch", seven)
    assert firefox.reads("7")
    caption = "document.querySelector('#caption').textContent"
    firefox.evaluate("document.querySelector('#inside').open = true")
    for _ in range(50):
        if "a 7 with" in firefox.evaluate(caption):
            break
        time.sleep(0.1)
    assert "a 7 with" in firefox.evaluate(caption)
    firefox.open(address)
    assert firefox.reads("7")
