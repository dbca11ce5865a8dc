"""Let a coverage-guided fuzzer look for pictures that bring the reading down.

    pip install atheris
    python tests/fuzz_pictures.py CORPUS -runs=5000

CORPUS is a folder where it keeps what led to new places in the code. The fuzzer itself takes
ever more memory, so call it again and again; other options are libFuzzer's.
"""

import io
import sys
import time
from pathlib import Path

import atheris
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(include=["digits", "PIL"]):
    from PIL import Image

    from digits.data import picture_files
    from digits.data.picture_files import ImageError, read_grey
    from digits.reading.finding import digits_in


def fill(corpus: Path) -> None:
    """Put a small picture of every kind into an empty folder."""
    corpus.mkdir(exist_ok=True)
    seven = np.full((28, 28), 255, "uint8")
    seven[6, 8:20] = seven[6:24, 19] = 0
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
        picture = Image.fromarray(seven).convert("I" if mode == "I;16" else mode)
        for kind in picture_files.KINDS:
            file = io.BytesIO()
            try:
                picture.convert(mode).save(file, kind)
            except (OSError, ValueError, KeyError):  # not every kind has every mode
                continue
            (corpus / f"{mode.replace(';', '')}.{kind.lower()}").write_bytes(file.getvalue())


def read(content: bytes) -> None:
    start = time.process_time()
    try:
        digits_in(read_grey(content))
    except ImageError as error:
        assert str(error) and "\n" not in str(error)
    assert time.process_time() - start < 5


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if not folder.is_dir() or not any(folder.iterdir()):
        fill(folder)
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
