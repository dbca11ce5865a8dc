"""Read a picture file of any kind as grey values."""

import contextlib
import io
import threading
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from digits.data.colours import to_grey
from digits.data.file_signatures import FIRST, what_it_is
from digits.data.transparency import on_its_paper

# No others: of the rest some are rare, and PostScript is a program that Pillow would run.
KINDS = ("JPEG", "PNG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM", "AVIF")
PAGED = {"TIFF", "GIF", "WEBP", "PNG", "AVIF"}  # a phone's JPEG may hold more, but no pages
MOST_PAGES = 1000  # of a TIFF; to follow its chain takes ever longer
MAX_PIXELS = 52_000_000
TOO_LARGE = f"more than {MAX_PIXELS // 10**6} megapixels; make it smaller"
MANY_PIXELS = 10_000_000  # with more, one picture at a time: each may take a gigabyte
only_one = threading.Lock()


class ImageError(Exception):
    """A file that holds no picture that can be read; the text says why."""


def read_grey(source: Path | bytes) -> np.ndarray:
    """Read a picture as (height, width) uint8, turned as its EXIF says.

    JPEG, PNG, BMP, TIFF, WebP, GIF, PPM, AVIF, and HEIC where pillow-heif is installed; grey,
    colour, palette, alpha, 16 bit, CMYK; of several pages or frames the first. Raises
    ImageError if there is no such picture.
    """
    return read_first_page(source)[0]


Source = Path | bytes | np.ndarray | Image.Image


def read_first_page(source: Source) -> tuple[np.ndarray, int]:
    """Read a picture as `read_grey` does, and return with it how many pages or frames it has.

    An array is its pixels: uint8, (height, width) grey, or with a third axis of RGB or RGBA.
    """
    with contextlib.ExitStack() as alone:  # until the picture and its decoder are gone
        return _read_first_page(source, alone)


def _read_first_page(source: Source, alone: contextlib.ExitStack) -> tuple[np.ndarray, int]:
    try:
        with _open(source) as picture:
            pixels = picture.width * picture.height
            if pixels > MAX_PIXELS:
                raise ImageError(TOO_LARGE)
            if pixels > MANY_PIXELS:
                alone.enter_context(only_one)
            ImageOps.exif_transpose(picture, in_place=True)
            return _to_grey(picture), _pages(picture)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError("no such file") from None
    except Image.DecompressionBombError:
        raise ImageError(TOO_LARGE) from None
    except MemoryError:
        raise ImageError("too little memory is free to read it") from None
    except Exception as error:  # damaged files make decoders raise all kinds
        if isinstance(error, OSError) and error.strerror:
            raise ImageError(as_reason(error)) from None
        raise ImageError(_unreadable(source)) from None


def file_kind(source: Path | bytes) -> str:
    """Return what kind of picture `read_grey` has read there, as files are named: png, jpeg."""
    with _open(source) as picture:
        return {"mpo": "jpeg"}.get(kind := picture.format.lower(), kind)


def _open(source: Source) -> Image.Image:
    if isinstance(source, Image.Image):
        return source.copy()  # it stays open, and as it is
    if isinstance(source, np.ndarray):
        return Image.fromarray(source)
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        return Image.open(file, formats=KINDS)
    except UnidentifiedImageError:
        text = _unreadable(source)
        if "HEIC" not in text:
            raise ImageError(text) from None
    try:
        import pillow_heif  # not before there is one to read
    except ImportError:
        raise ImageError("a HEIC cannot be read without pillow-heif: pip install it") from None
    return pillow_heif.HeifImageFile(file)  # known to Pillow it would be to the whole process


def _unreadable(source: Source) -> str:
    """Return what a file is that Pillow can't read, and the way out."""
    what = ""
    if isinstance(source, bytes):
        what = what_it_is(source[:FIRST])
    elif isinstance(source, Path) and source.is_file():  # a pipe can be read but once
        with open(source, "rb") as file:
            what = what_it_is(file.read(FIRST))
    return f"not an image that can be read{what and f' but {what}'}"


def _pages(picture: Image.Image) -> int:
    count = 1
    with contextlib.suppress(Exception):  # the end, or a damaged page, which harms no other
        if picture.format not in PAGED or not picture.is_animated:
            return 1
        if picture.format != "TIFF":
            return picture.n_frames
        for count in range(1, MOST_PAGES + 1):
            picture.seek(count)
    return count


def as_reason(error: OSError) -> str:
    """Return what the system says is wrong, the way other reasons are written."""
    reason = error.strerror or type(error).__name__
    return reason[0].lower() + reason[1:]


def _to_grey(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith(("I", "F")):  # 16 bit and more: use the range that is there
        values = np.asarray(picture, "float32")
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high > 255:
            low, high = 0, 65535 if high > 32 * 255 else high
        return ((values - low) * (255 / max(high - low, 1))).clip(0, 255).astype("uint8")
    if not picture.has_transparency_data:
        return to_grey(picture)
    if picture.mode not in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
    return np.asarray(on_its_paper(picture))
