"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(file: Path, content: bytes) -> None:
    """Write a file; what was there stays until all of it is written. A link is followed."""
    file = Path(os.path.realpath(file))
    waiting = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        waiting.write_bytes(content)
        os.replace(waiting, file)
    finally:
        waiting.unlink(missing_ok=True)
