"""Which picture files are meant by the paths, patterns and folders that a user names."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from digits.command_line import cut
from digits.data.picture_files import ImageError, as_reason

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
NO_PATH = "an address, and no path; download the picture, and name the file"
# fmt: off
ENDINGS = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp",
    ".dib", ".heic", ".heif", ".hif", ".avif", ".ppm", ".pgm", ".pbm", ".pnm",
}
# fmt: on
is_junction = getattr(os.path, "isjunction", lambda path: False)  # Windows, since Python 3.12

Found = list[tuple[str, Path | ImageError]]


def find_pictures(names: Iterable[str | os.PathLike]) -> Found:
    """Return (name, path) for each picture, in order, and (name, error) for what can't be read.

    A file counts whatever its name, `-` (standard input) too. A pattern such as `*.png`, which
    not every shell expands, stands for the files that match; a folder for the pictures in it
    and below, by their endings. Why it can't be read is known for what isn't there, for a
    folder without pictures, and for one that may not be read or is only linked to.
    """
    found: Found = []
    for name in map(os.fspath, names):
        if name == "-" or _is_there(name):
            found += _below(name) if os.path.isdir(name) else [(name, Path(name))]
        elif ADDRESS.match(name):
            found.append((name, ImageError(NO_PATH)))
        elif glob.has_magic(name):
            matches = sorted(glob.glob(name, recursive=True))
            found += find_pictures(matches) or [(name, ImageError("no file matches this pattern"))]
        else:
            found.append((cut(name, 300), ImageError("no such file")))
    return found


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # opening it will say what the matter is
    return True


def _below(top: str) -> Found:
    found: Found = []
    others: Counter[str] = Counter()

    def refused(error: OSError) -> None:
        found.append((error.filename, ImageError(as_reason(error))))

    for folder, subfolders, files in os.walk(top, onerror=refused):
        # macOS adds __MACOSX to archives, and a file ._a.png beside a.png on foreign disks.
        subfolders[:] = sorted(name for name in subfolders if name != "__MACOSX")
        for name in sorted(files):
            ending = "._*" if name.startswith("._") else os.path.splitext(name)[1].lower()
            if ending in ENDINGS:
                path = os.path.join(folder, name)
                found.append((path, Path(path)))
            else:
                others[ending or "without ending"] += 1
        for path in (os.path.join(folder, name) for name in subfolders):
            if os.path.islink(path) or is_junction(path):
                found.append((path, ImageError("a linked folder; name it to have it read")))
    if not found:
        there = ", ".join(f"{count} {ending}" for ending, count in others.most_common(5))
        wanted = " ".join(sorted(ENDINGS))
        text = f"no picture in it: found {there or 'no file'}, looked for {wanted}"
        found.append((top, ImageError(text)))
    return found
