"""The page as one file that any web host serves, and that opens from a disk too.

Browsers load neither modules nor data from a disk. So all of it goes into index.html: the scripts
as data URLs in an import map, and the model in base64; so too what finds digits on photos, if it
is trained.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from digits.command_line import UserError, writable_folder
from digits.files import write_whole
from digits.page.detector import detector_bytes
from digits.page.network import as_network

if TYPE_CHECKING:
    from keras import Model

STATIC = Path(__file__).with_name("static")
PAGE = "index.html"


def export_page(model: Model, folder: Path) -> Path:
    """Write the page with `model` into `folder`; return the file.

    Raises UserError if the browser cannot run the model, or if the file cannot be written.
    """
    network = as_network(model)
    if network is None:
        raise UserError(
            "this model has layers that the browser cannot run; the page needs python draw.py"
        )
    file = writable_folder(folder) / PAGE
    try:
        write_whole(file, _whole_page(network, detector_bytes(model)).encode())
    except OSError as error:
        raise UserError(f"cannot write {file} ({error.strerror}); choose another folder") from None
    return file


def _whole_page(network: bytes, detector: bytes | None) -> str:
    page, style = ((STATIC / name).read_text("utf-8") for name in (PAGE, "style.css"))
    scripts = {file.name: _bare(file.read_text("utf-8")) for file in STATIC.glob("*.js")}
    imports = {name: _data_url("text/javascript", text) for name, text in scripts.items()}
    carried = {"exported": network} | ({"detector": detector} if detector else {})
    replaced = {
        '<link rel="stylesheet" href="page/style.css">': f"<style>{style}</style>",
        "page/icon.svg": _data_url("image/svg+xml", (STATIC / "icon.svg").read_text("utf-8")),
        '<script type="module" src="page/page.js"></script>': "\n".join(
            [
                *(
                    f'<script type="text/plain" id="{name}">{_base64(content)}</script>'
                    for name, content in carried.items()
                ),
                f'<script type="importmap">{json.dumps({"imports": imports})}</script>',
                '<script type="module">import "page.js";</script>',
            ]
        ),
    }
    for old, new in replaced.items():
        page = page.replace(old, new)
    return page


def _bare(script: str) -> str:
    """Return a script that imports `name.js` and not `./name.js`: a data URL has no folder."""
    return re.sub(r'from "\./', 'from "', script)


def _data_url(kind: str, text: str) -> str:
    return f"data:{kind};base64,{_base64(text.encode())}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
