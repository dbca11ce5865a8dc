"""What a file is, by its first bytes, and the way out where no picture can be read from it."""

import gzip
import re
import zlib
from pathlib import Path

FIRST = 1024  # bytes that tell

_AGAIN = "; copy or download it again"
_DAMAGED = f" that is damaged or cut short{_AGAIN}"
_CONVERT = "; save it as PNG or JPEG"
_UNPACK = "; unpack it"
_FRAME = "; save one frame of it as PNG"
_OTHER = "; name a picture"
_TAG = rb"(\xef\xbb\xbf)?\s*<([^\0]*?<)?"  # not only the first: it may be a comment

# A pattern that the first bytes match, what the file is, and what is to be done where a picture
# is wanted; the first that matches counts.
SIGNATURES = {
    rb"\Z": ("an empty file", _AGAIN),
    rb"\0+\Z": ("only zeros", _AGAIN),
    rb"\x89PNG": ("a PNG", _DAMAGED),
    rb"\xff\xd8\xff": ("a JPEG", _DAMAGED),
    rb"GIF8": ("a GIF", _DAMAGED),
    rb"RIFF....WEBP": ("a WebP", _DAMAGED),
    rb"....ftyp(avi[fs])": ("an AVIF", _DAMAGED),
    rb"....ftyp(he[ivc][cxms]|mif1|msf1)": ("a HEIC", _DAMAGED),
    rb"II\*\0....CR|....ftypcrx|FUJIFILM|IIU\0|IIR[OS]": ("a camera's raw file", _CONVERT),
    rb"II[*+]\0|MM\0[*+]": ("a TIFF", _DAMAGED),
    rb"P[1-6]\s": ("a PPM", _DAMAGED),
    rb"\xff\x0a|....JXL ": ("a JPEG XL", _CONVERT),
    rb"\xff\x4f\xff\x51|....jP  ": ("a JPEG 2000", _CONVERT),
    rb"8BPS": ("a Photoshop file", _CONVERT),
    rb"gimp xcf": ("a GIMP file", _CONVERT),
    rb"\0\0\x01\0|icns": ("an icon", _CONVERT),
    rb"%!PS|\xc5\xd0\xd3\xc6": ("a PostScript file", _CONVERT),
    rb"%PDF": ("a PDF", "; save its pages as PNG"),
    rb"PK\x03\x04": ("a ZIP archive or an office document", _UNPACK),
    rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ|.{257}ustar": ("an archive", _UNPACK),
    rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ": ("a video", _FRAME),
    rb"\0\x05\x16\x07": ("what macOS keeps beside a file", "; take the one without ._ in its name"),
    rb"\0\0[\x08-\x0e][\1-\7]": ("an IDX file", _OTHER),
    rb"\x89HDF": ("an HDF5 file", _OTHER),
    rb"\x93NUMPY": ("a NumPy array", _OTHER),
    rb"\x80[\2-\5]": ("a pickle", _OTHER),
    rb"version https://git-lfs": ("a git-lfs pointer", "; get the picture with git lfs pull"),
    _TAG + rb"(?i:!doctype html|html|head|body)\b": ("a web page", "; save the picture itself"),
    _TAG + rb"(svg|!DOCTYPE svg)\b": ("an SVG drawing", _CONVERT),
    rb"\s*\{\s*[\"}]": ("JSON", _OTHER),
    rb"\"?(label|class|\d+)\"?(,[\w.\" ]*){20}": ("a CSV table", _OTHER),
    rb"[\t\n\r\x20-\x7e\x80-\xff]+\Z|\xff\xfe": ("text", _OTHER),
    rb"BM": ("a BMP", _DAMAGED),
}


def _match(first: bytes) -> tuple[str, str]:
    matches = (what for pattern, what in SIGNATURES.items() if re.match(pattern, first, re.DOTALL))
    return next(matches, ("", ""))


def what_it_is(first: bytes) -> str:
    """Return what a file is that starts so, and how to get a picture; "" if unknown."""
    return "".join(_match(first))


def kind_of(first: bytes) -> str:
    """Return only what the file is, such as "a web page"; "" if unknown."""
    return _match(first)[0]


def first_bytes(file: Path) -> bytes:
    """Return the first bytes of a file; if it is packed with gzip, of what is in it.

    b"" for what is no file. Raises OSError if it cannot be read.
    """
    if not file.is_file():  # a pipe can be read but once
        return b""
    with open(file, "rb") as opened:
        first = opened.read(FIRST)
    if not first.startswith(b"\x1f\x8b"):
        return first
    try:
        with gzip.open(file) as opened:
            return opened.read(FIRST)
    except (EOFError, OSError, zlib.error):
        return first
