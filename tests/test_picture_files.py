"""Picture files of all kinds: read, or called what they are; several pages are counted."""

import io
import subprocess
import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image

import load_model
from conftest import ROOT, drawn_seven
from digits.data import file_signatures
from digits.data.picture_files import ImageError, read_grey
from digits.reading import read_pictures

pillow_heif.register_heif_opener()  # so that the tests can write it
SEVEN = Image.fromarray(drawn_seven()).convert("RGB")
BLANK = Image.new("RGB", SEVEN.size, "white")


def content(kind, image=SEVEN, more=(), **options):
    file = io.BytesIO()
    first, *others = (page.copy() for page in (image, *more))  # saving leaves settings in them
    first.save(file, kind, save_all=bool(others), append_images=others, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "PPM"])
def test_what_phones_and_other_programs_write_is_read(shipped, kind):
    (reading,) = read_pictures(shipped, [("picture", content(kind))])
    assert reading.digits == "7" and reading.pages == 1


def test_a_heic_is_turned_as_it_was_held():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = content("HEIF", SEVEN.rotate(90), exif=exif.tobytes())
    assert np.abs(read_grey(turned).astype(int) - drawn_seven()).mean() < 3


def test_without_its_reader_a_heic_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(content("HEIF"))
    with pytest.raises(ImageError, match="pillow-heif"):
        read_grey(tmp_path / "a.heic")


def test_the_reader_of_heic_is_not_loaded_for_others(tmp_path):
    SEVEN.save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"<html>")
    code = (
        "import sys; from pathlib import Path\n"
        "from digits.data.picture_files import ImageError, read_grey\n"
        "read_grey(Path(sys.argv[1]))\n"
        "try: read_grey(Path(sys.argv[2]))\n"
        "except ImageError: print('pillow_heif' in sys.modules)"
    )
    command = [sys.executable, "-c", code, tmp_path / "a.png", tmp_path / "b.png"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False\n", "")


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"", "an empty file; copy"),
        (b"\0" * 5000, "only zeros; copy"),
        (content("PNG")[:60], "a PNG that is damaged or cut short; copy"),
        (content("JPEG")[:-60], "a JPEG that is damaged or cut short; copy"),
        (content("HEIF")[:-60], "a HEIC that is damaged or cut short; copy"),
        (content("AVIF")[:-60], "an AVIF that is damaged or cut short; copy"),
        (content("TIFF")[:60], "a TIFF that is damaged or cut short; copy"),
        (b"\xef\xbb\xbf\n<!doctype HTML>\n<title>404</title>", "a web page; save the picture"),
        (b"<?xml version='1.0'?>\n<!-- -->\n<svg xmlns='x'/>", "an SVG drawing; save it as PNG"),
        (b"%PDF-1.7\n\0", "a PDF; save its pages as PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL; save it as PNG"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "a video; save one frame"),
        (b"PK\3\4\x14\0", "a ZIP archive or an office document; unpack"),
        (b"\0\5\x16\7\0\2", "what macOS keeps beside a file; take the one without"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a git-lfs pointer; get the picture"),
        (b"a note to myself\n", "text; name a picture"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(tmp_path, first, words):
    (tmp_path / "a.png").write_bytes(first)
    for source in (first, tmp_path / "a.png"):
        with pytest.raises(ImageError, match=f"not an image that can be read but {words}"):
            read_grey(source)


def test_what_nobody_knows_is_no_picture_either():
    assert file_signatures.what_it_is(b"\1\2\3") == ""
    with pytest.raises(ImageError, match=r"^not an image that can be read$"):
        read_grey(b"\1\2\3")


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG", "AVIF"])
def test_of_several_pages_the_first_is_read_and_it_is_said(shipped, kind):
    pages = content(kind, more=[BLANK, SEVEN.rotate(90)])
    (reading,) = read_pictures(shipped, [("scan", pages)])
    assert (reading.digits, reading.pages) == ("7", 3)
    assert load_model.text_line(reading).endswith("%  page 1 of 3")
    answer = reading.as_dict()
    assert (answer["page"], answer["pages"]) == (1, 3)


def test_a_single_page_is_not_counted(shipped):
    twins = content("MPO", more=[BLANK])  # as phones write JPEG
    for picture in (twins, content("TIFF")):
        (reading,) = read_pictures(shipped, [("photo", picture)])
        assert reading.pages == 1 and "page" not in reading.as_dict()
        assert "page" not in load_model.text_line(reading)


def test_a_damaged_second_page_does_not_harm_the_first(shipped):
    pages = content("TIFF", more=[BLANK])
    cut = pages[: len(pages) - BLANK.width * BLANK.height * 3 - 20]
    (reading,) = read_pictures(shipped, [("scan", cut)])
    assert reading.digits == "7"
