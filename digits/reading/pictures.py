"""What `read` takes, in all the forms that pictures have in programs -> a name and a content."""

import base64
import binascii
import inspect
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import numpy as np
from PIL import Image

from digits.command_line import cut
from digits.data.file_signatures import FIRST, kind_of
from digits.data.picture_files import ImageError, as_reason
from digits.data.picture_folders import ADDRESS, NO_PATH


class Readable(Protocol):
    """A file opened in binary mode, an upload."""

    def read(self) -> bytes: ...


Picture = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | Readable
    | np.ndarray
    | Image.Image
    | Mapping[str, Any]
)
# Not Iterable: that an array is, too, and type checkers could not tell one picture from many.
Pictures = Sequence[Picture] | Iterator[Picture] | Set[Picture] | ValuesView[Picture]
Content = Path | bytes | np.ndarray | Image.Image | ImageError  # what a picture comes down to
Source = tuple[str, Content]  # with its name

KINDS = (
    "a path, bytes, a file opened in binary mode, an image of Pillow's, an array, a data URL or "
    "a sketchpad's dict"
)
ARRAYS = "(height, width) or (height, width, 3 or 4), uint8, or numbers from 0 to 255 or 0 to 1"
LAYERS = ("composite", "layers", "background")  # of Gradio's sketchpad and image editor
ONE = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, Mapping)
SHORTEST = 100  # characters of base64 that can be a picture
NO_PICTURE = ("", "text", "only zeros", "an empty file")  # what letters by chance come to


def sources_of(pictures: Picture | Pictures) -> tuple[bool, Iterator[Source]]:
    """Return whether it is one picture, and a source for each.

    TypeError for what is no picture, ValueError for an array that is none, when its turn comes.
    """
    array = _as_array(pictures)
    if array is not None and not _holds_many(array):
        return True, iter([_of_array(array, "picture 1")])
    if array is None and (isinstance(pictures, ONE) or hasattr(pictures, "read")):
        return True, iter([_source(pictures, "picture 1")])
    if array is not None:
        pictures = _alike(array)
    if not isinstance(pictures, Iterable):
        raise TypeError(f"a picture must be {KINDS}, not {type(pictures).__name__}")
    return False, (_source(picture, f"picture {n}") for n, picture in enumerate(pictures, 1))


def _source(picture: Picture, name: str) -> Source:
    if isinstance(picture, str):
        return _of_text(picture, name)
    if isinstance(picture, os.PathLike):
        return os.fsdecode(picture), Path(os.fsdecode(picture))
    if isinstance(picture, Image.Image):
        return name, picture
    if isinstance(picture, Mapping):
        return _of_drawing(picture, name)
    if hasattr(picture, "read"):
        return name, _content_of(picture, name)
    if (array := _as_array(picture)) is not None:
        return _of_array(array, name)
    if isinstance(picture, bytes | bytearray | memoryview):
        return name, _of_bytes(bytes(picture))
    raise TypeError(f"{name} must be {KINDS}, not {type(picture).__name__}")


def _of_text(text: str, name: str) -> Source:
    """A path; or what text is pasted or posted in its place."""
    if ADDRESS.match(text):
        return cut(text), ImageError(NO_PATH)
    if content := _held_by(text):
        return name, content
    return text if os.path.exists(text) else cut(text), Path(text)


def _of_bytes(content: bytes) -> bytes | ImageError:
    """The content of a file; or what text is posted in its place."""
    is_text = content[:5].lower() == b"data:" or kind_of(content[:FIRST]) == "text"
    return (is_text and _held_by(content.decode("latin-1"))) or content


def _held_by(text: str) -> bytes | ImageError | None:
    """What a data URL or base64 text holds; None for any other text."""
    text = text.strip()
    if text[:5].lower() == "data:":
        head, _, data = text.partition(",")
        content = unquote_to_bytes(data)
        if head.rstrip().lower().endswith(";base64"):
            content = _from_base64(content.decode("latin-1"))
        return content or ImageError("a data URL that is cut short or damaged")
    content = _from_base64(text) if len(text) >= SHORTEST else b""
    return None if kind_of(content[:FIRST]) in NO_PICTURE else content


def _from_base64(text: str) -> bytes:
    """Return what base64 text holds, that of URLs too; b"" for anything else."""
    text = re.sub(r"\s", "", text).translate(str.maketrans("-_", "+/")).rstrip("=")
    with suppress(binascii.Error, ValueError):
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    return b""


def _of_drawing(drawing: Mapping[str, Any], name: str) -> Source:
    """The picture in a sketchpad's dict: all of its layers in one, or the only one."""
    keys = cut(", ".join(map(str, drawing)))
    if not any(key in drawing for key in LAYERS):
        raise TypeError(
            f"{name} is a dict with {keys or 'nothing in it'}; it must be {KINDS}, which has "
            f"{LAYERS[0]} or {LAYERS[1]}"
        )
    layers = [layer for layer in drawing.get("layers") or () if layer is not None]
    whole, background = drawing.get("composite"), drawing.get("background")
    if whole is None and len(layers) > 1:
        raise TypeError(f"{name} is a dict with {len(layers)} layers and no composite of them")
    part = next((p for p in (whole, *layers, background) if p is not None), None)
    return (name, ImageError("an empty drawing")) if part is None else _source(part, name)


def _content_of(file: Readable, name: str) -> Content:
    try:
        content = file.read()
    except UnicodeDecodeError:  # opened as text
        content = ""
    except OSError as error:
        return ImageError(as_reason(error))
    if inspect.iscoroutine(content):
        content.close()
        raise TypeError(f"{name} is read asynchronously; give what await picture.read() returns")
    if isinstance(content, str):
        raise TypeError(f'{name} is a file opened as text; open it with open(path, "rb")')
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError(f"{name} must be {KINDS}; its read() gives {type(content).__name__}")
    if not content:
        with suppress(Exception):  # without a position, it is empty
            if file.tell():
                return ImageError("an open file that was read to its end; call its seek(0) first")
    return _of_bytes(bytes(content))


def _as_array(value: object) -> np.ndarray | None:
    """Return an array, a tensor or a buffer of several dimensions as an array."""
    if isinstance(value, memoryview):
        return np.asarray(value) if value.ndim > 1 else None
    is_array = hasattr(value, "__array__") and not isinstance(value, Image.Image)
    return np.asarray(value) if is_array else None


def _holds_many(array: np.ndarray) -> bool:
    """Whether it is a stack of pictures, or a column of paths."""
    paths = array.dtype.kind in "OU" and array.ndim == 1
    return paths or array.ndim == 4 or (array.ndim == 3 and array.shape[1:] == (28, 28))


def _alike(stack: np.ndarray) -> np.ndarray:
    """A stack whose pictures are all on one scale, a blank one among them too."""
    if stack.dtype.kind == "f" and stack.min(initial=0) >= 0 and 1 < stack.max(initial=0) <= 255:
        return stack.round().astype("uint8")
    return stack


def _of_array(array: np.ndarray, name: str) -> Source:
    shape, kind = array.shape, array.dtype.kind
    if len(shape) == 1 and array.dtype == "uint8" and array.size:  # as cv2.imencode gives it
        return name, _of_bytes(array.tobytes())
    given = f"{name} is an array of {array.dtype}, {shape}"
    if not array.size or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))):
        raise ValueError(f"{given}; it must be {ARRAYS}")
    if shape[2:] == (1,):
        array = array[..., 0]
    if array.dtype == "uint8" and array.max() != 1:  # else a mask
        return name, array
    if kind not in "biuf":
        raise ValueError(f"{given}; it must be {ARRAYS}")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # NaN too
        raise ValueError(f"{given}, from {low:.6g} to {high:.6g}; it must be {ARRAYS}")
    scale = 255 if kind == "b" or high <= 1 else 1
    return name, (array.astype("float32") * scale).round().astype("uint8")
