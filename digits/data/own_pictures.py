"""People's own pictures, in folders named after what is written on them.

    own/7/photo.jpg        a picture of a 7
    own/4431/scan.png      a picture of a row

The layout that Keras's `image_dataset_from_directory` takes.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from digits.command_line import UserError, one_line
from digits.data.picture_files import ImageError
from digits.data.picture_folders import ENDINGS, find_pictures

LAYOUT = "a subfolder named after what is written, such as 7 or 4431, with pictures of that"
LeaveOut = Callable[[str, object], None]  # told the name of a picture, and why
Labelled = tuple[str, Path | np.ndarray, str]  # a picture's name, itself, and what is written


def say_left_out(name: str, reason: object) -> None:
    """Say in a line on stderr that a picture is left out."""
    print(f"left out: {one_line(name)}: {reason}", file=sys.stderr)


def find_own(folder: Path, leave_out: LeaveOut = say_left_out) -> list[Labelled]:
    """Return the pictures in the subfolders that are named after digits, in the order of names.

    `leave_out` is told what else is there. Raises UserError if there is no picture, or the
    folders are named like classes, 00 to 09.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; it needs {LAYOUT}") from None
    _refuse_padded(folder, [name for name in names if name.isascii() and name.isdigit()])
    pictures: list[Labelled] = []
    for name in names:
        path = os.path.join(folder, name)
        is_folder = os.path.isdir(path)
        if is_folder and name.isascii() and name.isdigit():
            for found, file in find_pictures([path]):
                if isinstance(file, ImageError):
                    leave_out(found, file)
                else:
                    pictures.append((found, file, name))
        elif is_folder or os.path.splitext(name)[1].lower() in ENDINGS:
            leave_out(path, f"it is not {LAYOUT}")
    if not pictures:
        raise UserError(f"no picture to learn from in {folder}; it needs {LAYOUT}")
    return pictures


def _refuse_padded(folder: Path, names: list[str]) -> None:
    """Raise UserError for classes 00 to 09: their digits would be cut in two, as rows of two."""
    if len(names) > 1 and all(len(name) > 1 and int(name) < 10 for name in names):
        raise UserError(
            f"{folder}: the folders {names[0]} to {names[-1]} are read as rows of "
            f"{len(names[0])} digits; for single digits, name them {int(names[0])} to "
            f"{int(names[-1])}"
        )
