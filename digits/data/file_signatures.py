"""What a file is, by its first bytes, where no picture can be read from it, and the way out."""

import re

FIRST = 1024  # bytes that tell

_AGAIN = "copy or download it again"
_DAMAGED = f"that is damaged or cut short; {_AGAIN}"
_CONVERT = "save it as PNG or JPEG"
_UNPACK = "unpack it"
_FRAME = "save one frame of it as PNG"
_TAG = rb"(\xef\xbb\xbf)?\s*<([^\0]*?<)?"  # not only the first: it may be a comment

# A pattern that the first bytes match, and what the file is; the first that matches counts.
SIGNATURES = {
    rb"\Z": f"an empty file; {_AGAIN}",
    rb"\0+\Z": f"only zeros; {_AGAIN}",
    rb"\x89PNG": f"a PNG {_DAMAGED}",
    rb"\xff\xd8\xff": f"a JPEG {_DAMAGED}",
    rb"GIF8": f"a GIF {_DAMAGED}",
    rb"RIFF....WEBP": f"a WebP {_DAMAGED}",
    rb"....ftyp(avi[fs])": f"an AVIF {_DAMAGED}",
    rb"....ftyp(he[ivc][cxms]|mif1|msf1)": f"a HEIC {_DAMAGED}",
    rb"II\*\0....CR|....ftypcrx|FUJIFILM|IIU\0|IIR[OS]": f"a camera's raw file; {_CONVERT}",
    rb"II[*+]\0|MM\0[*+]": f"a TIFF {_DAMAGED}",
    rb"P[1-6]\s": f"a PPM {_DAMAGED}",
    rb"\xff\x0a|....JXL ": f"a JPEG XL; {_CONVERT}",
    rb"\xff\x4f\xff\x51|....jP  ": f"a JPEG 2000; {_CONVERT}",
    rb"8BPS": f"a Photoshop file; {_CONVERT}",
    rb"gimp xcf": f"a GIMP file; {_CONVERT}",
    rb"\0\0\x01\0|icns": f"an icon; {_CONVERT}",
    rb"%!PS|\xc5\xd0\xd3\xc6": f"a PostScript file; {_CONVERT}",
    rb"%PDF": "a PDF; save its pages as PNG",
    rb"PK\x03\x04": f"a ZIP archive or an office document; {_UNPACK}",
    rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ": f"an archive; {_UNPACK}",
    rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ": f"a video; {_FRAME}",
    rb"\0\x05\x16\x07": "what macOS keeps beside a file; take the one without ._ before its name",
    rb"version https://git-lfs": "a git-lfs pointer; get the picture with git lfs pull",
    _TAG + rb"(?i:!doctype html|html|head|body)\b": "a web page; save the picture itself",
    _TAG + rb"(svg|!DOCTYPE svg)\b": f"an SVG drawing; {_CONVERT}",
    rb"[\t\n\r\x20-\x7e\x80-\xff]+\Z|\xff\xfe": "text; name a picture",
    rb"BM": f"a BMP {_DAMAGED}",
}


def what_it_is(first: bytes) -> str:
    """Return what a file is whose first bytes these are, and the way out; "" if unknown."""
    matches = (what for pattern, what in SIGNATURES.items() if re.match(pattern, first, re.DOTALL))
    return next(matches, "")
