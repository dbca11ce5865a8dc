"""Where the scripts and the trained model that comes along are, and how they are called.

In a checkout they lie beside this package; in an installed one, inside it.
"""

import os
import re
import tempfile
from pathlib import Path

DISTRIBUTION = "mnist-trained-and-read"  # its name for pip
PACKAGE = Path(__file__).resolve().parent
INSIDE = PACKAGE / "shipped"  # pyproject.toml puts them there
INSTALLED = INSIDE.is_dir()
PROJECT = INSIDE if INSTALLED else PACKAGE.parent
READ, DRAW, TRAIN, TEACH = (
    ("digits-read", "digits-draw", "digits-train", "digits-teach")
    if INSTALLED
    else ("python load_model.py", "python draw.py", "python cnn.py", "python teach.py")
)
INSTALL, INSTALL_TO_READ = (
    (f"pip install '{DISTRIBUTION}[all]'", f"pip install '{DISTRIBUTION}[openvino]'")
    if INSTALLED
    else ("pip install -r requirements.txt", "pip install -r requirements-openvino.txt")
)


def version() -> str:
    """Return the version that is installed; in a checkout, what pyproject.toml says."""
    from importlib import metadata

    if INSTALLED:
        return metadata.version(DISTRIBUTION)
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search('(?m)^version = "(.*)"$', text)[1]


def cache_folder() -> Path:
    """Where this project keeps what can be made or fetched again."""
    root = os.environ.get("XDG_CACHE_HOME")
    if not root:
        try:
            root = Path.home() / ".cache"
        except RuntimeError:  # a user without a home, as containers have
            root = tempfile.gettempdir()
    return Path(root) / "mnist-digits"
