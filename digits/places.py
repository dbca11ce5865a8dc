"""Where the scripts and the trained model that comes along are, and how they are called.

In a checkout they lie beside this package; in an installed one, inside it.
"""

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
INSTALL = f"pip install {DISTRIBUTION}" if INSTALLED else "pip install -r requirements.txt"
