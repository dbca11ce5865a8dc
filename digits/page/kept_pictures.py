"""Pictures that people kept with what is written on them: own/<answer>/<name>.png

That is the layout which Keras's `image_dataset_from_directory` reads, and `teach.py`: a
subfolder is named after what is written, `7` or `4431`. A picture's name comes from its content,
so the same picture is kept once, with the last answer that was given.
"""

import contextlib
import hashlib
import os
import re
from pathlib import Path

import cv2

from digits.command_line import UserError
from digits.data.picture_files import file_kind, read_grey
from digits.data.picture_folders import ENDINGS
from digits.model.saving import flush_to_disk

# Whoever reaches the page can keep pictures, to learn from and as many to measure.
MOST = 1_000  # pictures
MOST_BYTES = 500 * 2**20  # of all of them together
ANSWER = re.compile("[0-9]{1,100}")


def kept(folder: Path) -> list[Path]:
    """Return the pictures in `folder` that have an answer."""
    return [
        file
        for file in folder.glob("*/*")
        if ANSWER.fullmatch(file.parent.name) and file.suffix.lower() in ENDINGS
    ]


def names_of(folder: Path) -> list[str]:
    """Return `<answer>/<name>` of each picture in `folder` that has an answer, in their order."""
    return sorted(file.relative_to(folder).as_posix() for file in kept(folder))


def change(folder: Path, name: str, answer: str) -> None:
    """Give the kept picture `name` another answer; an empty one deletes it.

    Raises UserError if there is no such picture, if the answer is none, or if it cannot be done.
    """
    if name not in names_of(folder):
        raise UserError("this picture is not kept any more")
    file = folder / name
    try:
        if answer:
            keep(folder, answer, file.read_bytes())
        else:
            file.unlink()
            with contextlib.suppress(OSError):
                file.parent.rmdir()  # where it is empty
    except OSError as error:
        raise UserError(f"cannot change {file}: {error.strerror}") from None


def keep(folder: Path, answer: str, picture: bytes) -> str:
    """Keep the content of a picture file with the digits that are written on it; return its name.

    A drawing, which comes as a plain PGM, becomes a PNG. Raises ImageError if it is no picture,
    and UserError if the answer is none, if there are too many or too large ones, or if it cannot
    be written; then all is as it was.
    """
    if not ANSWER.fullmatch(answer):
        raise UserError("an answer is 1 to 100 digits, and nothing else")
    grey, kind = read_grey(picture), file_kind(picture)
    if kind == "ppm":
        kind, picture = "png", cv2.imencode(".png", grey)[1].tobytes()
    name = f"{hashlib.sha256(picture).hexdigest()[:16]}.{kind}"
    before = kept(folder)
    same = [file for file in before if file.name == name]
    others = [file for file in before if file not in same]
    if len(others) >= MOST:
        raise UserError(f"{folder} holds {len(before)} pictures, and the page keeps no more")
    if len(picture) + sum(file.stat().st_size for file in others) > MOST_BYTES:
        raise UserError(f"{folder} would hold more than {MOST_BYTES // 2**20} MB; delete some")
    file, waiting = folder / answer / name, folder / f".{name}.new"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        waiting.write_bytes(picture)
        flush_to_disk(waiting)
        os.replace(waiting, file)
        for old in same:
            if old != file:
                old.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise UserError(f"cannot keep it in {folder}: {error.strerror}") from None
    finally:
        for place in {file.parent, *(old.parent for old in same)}:
            with contextlib.suppress(OSError):
                place.rmdir()  # where it is empty
    return f"{answer}/{name}"
