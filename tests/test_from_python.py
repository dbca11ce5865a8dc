"""`from digits import load_model, read`: what it takes, and what it gives back."""

import base64
import io
import itertools
import json
import re
import textwrap

import jsonschema
import numpy as np
import pytest
from PIL import Image

import digits
from conftest import ROOT, drawn_seven, png
from digits import Answer, Reading, UserError, load_model, read, read_many

SEVEN = png(drawn_seven())
BASE64 = base64.b64encode(SEVEN).decode()


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


def test_text_that_holds_a_picture_is_read(shipped):
    lines = "\n".join(textwrap.wrap(BASE64, 76))
    for text in (f"data:image/png;base64,{BASE64}", BASE64, lines, f"data:;base64,{lines}"):
        reading = read(text, shipped)
        assert reading.text == "7" and reading.name == "picture 1"
        assert read(text.encode(), shipped).text == "7"
        assert read(io.BytesIO(text.encode()), shipped).text == "7"
    urlsafe = base64.urlsafe_b64encode(SEVEN).decode().rstrip("=")
    assert read(urlsafe, shipped).text == "7"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E", "an SVG drawing"),
        ("data:image/png;base64,iVBOR", "a data URL that is cut short or damaged"),
        ("data:image/png;base64," + BASE64[:200], "a PNG that is damaged or cut short"),
        ("https://example.org/a.png?size=2", "an address, and no path; download"),
        ("no such picture " * 500, "no such file|too long"),
        ("A" * 5000, "no such file|too long"),
        ("a\0b", "not an image"),
    ],
)
def test_text_that_is_no_path_is_called_what_it_is_in_a_line(shipped, text, said):
    reading = read(text, shipped)
    assert reading.failed and len(repr(reading)) < 200
    assert re.search(said, reading.error)


def test_a_drawing_of_a_sketchpad_is_read(shipped, tmp_path):
    grey = drawn_seven()
    (tmp_path / "a.png").write_bytes(SEVEN)
    ink = np.dstack([np.zeros((100, 100, 3), "uint8"), 255 - grey])  # on a transparent layer
    nothing = {"background": None, "layers": []}
    for drawing in (
        {**nothing, "composite": grey},
        {**nothing, "composite": str(tmp_path / "a.png")},
        {"background": None, "layers": [ink], "composite": None},
        {"background": Image.fromarray(grey), "layers": [None], "composite": None},
    ):
        assert read(drawing, shipped).text == "7"
        assert [r.text for r in read([drawing, SEVEN], shipped)] == ["7", "7"]
    assert read({**nothing, "composite": None}, shipped).error == "an empty drawing"
    for wrong in ({"boxes": [[1, 2]]}, {}, {"layers": [ink, ink], "composite": None}):
        with pytest.raises(TypeError, match="picture 1 is a dict with"):
            read(wrong, shipped)


def test_arrays_of_every_kind_are_read(shipped):
    grey = drawn_seven()
    wide = np.repeat(np.repeat(grey, 2, axis=0), 2, axis=1)
    pictures = [grey / 255, grey.astype("float32"), grey.astype("int64"), grey > 127]
    pictures += [
        grey[..., None],
        wide[::2, ::2],
        memoryview(wide[::2, ::2]),
        np.asfortranarray(grey),
    ]
    pictures += [memoryview(SEVEN), memoryview(SEVEN[::-1])[::-1], np.frombuffer(SEVEN, "uint8")]
    for picture in pictures:
        assert read(picture, shipped).text == "7"


def test_a_stack_is_many_pictures(shipped, digits):
    _, (x_test, y_test) = digits
    expected = [str(label) for label in y_test[:5]]
    few = x_test[:5]
    for stack in (few, few / 255, few.astype("float32"), few[..., None], few.astype("int32")):
        assert [r.text for r in read(stack, shipped)] == expected
    with_a_blank_one = np.concatenate([few[:1].astype(float), np.ones((1, 28, 28))])
    assert [r.text for r in read(with_a_blank_one, shipped)] == [expected[0], ""]
    assert read(np.zeros((0, 28, 28), "uint8"), shipped) == []
    assert [r.error for r in read(np.array(["a.png", "b.png"]), shipped)] == ["no such file"] * 2


def test_an_upload_that_was_read_already_is_called_that(shipped, tmp_path):
    file = io.BytesIO(SEVEN)
    file.read()
    assert read(file, shipped).error.endswith("read to its end; call its seek(0) first")
    assert "empty" in read(io.BytesIO(), shipped).error
    (tmp_path / "a.png").write_bytes(SEVEN)
    with open(tmp_path / "a.png") as opened, pytest.raises(TypeError, match="as text; open it wi"):
        read(opened, shipped)
    with pytest.raises(TypeError, match="picture 2 is a file opened as text"):
        read([SEVEN, io.StringIO("7")], shipped)


def test_what_is_no_picture_is_an_error_that_says_what_is_one(shipped):
    nan = np.full((28, 28), np.nan)
    arrays = [np.zeros(9), np.zeros((0, 9)), np.zeros((9, 9, 2)), np.zeros((2, 9, 9)), nan - 1]
    for array in (*arrays, nan, np.full((28, 28), 300), np.full((9, 9), -0.5), np.array(7)):
        with pytest.raises(ValueError, match=r"it must be \(height, width\)"):
            read(array, shipped)

    class Upload:
        async def read(self):
            return SEVEN

    for picture, said in ((7, "a path"), (None, "a path"), ([7], "a path"), (Upload(), "await")):
        with pytest.raises(TypeError, match=said):
            read(picture, shipped)


def test_what_is_no_model_is_an_error_that_says_what_is_one(shipped):
    for read_it in (read, read_many):
        with pytest.raises(TypeError, match=r"such as load_model\(\) returns, not NoneType"):
            read_it([SEVEN], None)
        for threshold, said in ((90, "90"), ("high", "'high'")):
            with pytest.raises(ValueError, match=f"from 0 to 1, not {said}"):
                read_it([SEVEN], shipped, threshold=threshold)


def test_without_a_folder_it_is_the_model_that_comes_along(tmp_path, monkeypatch):
    (tmp_path / "model.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert load_model().output_shape == (None, 10)


def test_many_pictures_are_taken_as_they_are_needed(shipped):
    taken = itertools.count()
    pictures = ((next(taken) and SEVEN) or SEVEN for _ in range(1000))
    readings = read_many(pictures, shipped)
    assert next(taken) == 0  # nothing before the first is asked for
    assert [next(readings).text for _ in range(6)] == ["7"] * 6
    assert next(taken) < 200
    readings.close()


def test_what_was_read_before_something_bad_is_given(shipped):
    readings = read_many([SEVEN] * 7 + [None], shipped)
    assert [next(readings).text for _ in range(7)] == ["7"] * 7
    with pytest.raises(TypeError, match="picture 8 must be"):
        next(readings)


def test_a_mask_of_zeros_and_ones_is_a_picture(shipped):
    mask = drawn_seven() < 128
    assert [read(mask.astype(kind), shipped).text for kind in (bool, "uint8", int)] == ["7"] * 3


def test_the_threshold_says_what_is_unsure_and_changes_no_answer(shipped):
    readings = [read(drawn_seven(), shipped, threshold=t) for t in (0, 1)]
    assert [r.unsure for r in readings] == [False, True]
    assert readings[0].reasons == [] and readings[1].reasons == ["unclear digit"]
    assert readings[0].confidence == readings[1].confidence
    assert [r.unsure for r in read_many([SEVEN] * 2, shipped, threshold=1)] == [True, True]


def test_why_it_is_unsure_is_said():
    reading = Reading("a")
    reading.doubt("small", at_most=0.8)
    reading.doubt("two segmentations", 1.0)
    reading.doubt("unread ink", 0.5)
    assert reading.certainty == pytest.approx(0.4) and reading.reasons == []  # nothing is read
    reading.answers = [Answer(None, np.eye(10)[7])]
    assert reading.reasons == ["unread ink", "small"]


def test_json_is_as_its_schema_says(shipped, tmp_path):
    schema = json.loads((ROOT / "docs/reading.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    (tmp_path / "a.gif").write_bytes(SEVEN)
    Image.fromarray(drawn_seven()).save(
        tmp_path / "two.tif", save_all=True, append_images=[Image.fromarray(drawn_seven())]
    )
    pictures = [SEVEN, b"", ROOT / "docs/page.jpg", tmp_path / "two.tif", np.zeros((99, 99))]
    seen = set()
    for reading in read(pictures, shipped):
        answer = json.loads(json.dumps(reading.as_dict()))
        jsonschema.validate(answer, schema)
        seen |= set(answer)
    assert seen == set(schema["properties"])  # it describes nothing that is not there


def test_what_is_public_is_what_the_page_of_the_contract_names():
    page = (ROOT / "docs/api.md").read_text()
    for name in digits.__all__:
        assert f"`{name}" in page and getattr(digits, name)
    assert dir(digits) == digits.__all__
    assert digits.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_it_is_shown_in_a_line(shipped):
    reading = read(drawn_seven(), shipped)
    assert repr(reading).startswith("<Reading of picture 1: 7, ")
    (answer,) = reading.answers
    assert repr(answer).startswith("<Answer 7, ") and repr(answer.digit).startswith("<Digit in box")
    assert repr(read("gone.png", shipped)) == "<Reading of gone.png: no such file>"
    reading.answers *= 500
    assert len(repr(reading)) < 80
    assert len(repr(read("a" * 4000, shipped))) < 150


def test_a_folder_without_a_model_is_named_and_no_option(tmp_path):
    with pytest.raises(UserError, match=f"no model in {tmp_path}; .*another folder") as caught:
        load_model(tmp_path)
    assert "--" not in str(caught.value)
