"""Files that are written whole or not at all, and those that a process holds while it works."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def write_whole(file: Path, content: bytes) -> None:
    """Write a file; what was there stays until all of it is written. A link is followed."""
    file = Path(os.path.realpath(file))
    waiting = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        waiting.write_bytes(content)
        os.replace(waiting, file)
    finally:
        waiting.unlink(missing_ok=True)


@contextlib.contextmanager
def claimed(file: Path) -> Iterator[bool]:
    """Hold a file for as long as the block runs; the value is whether nobody else does.

    The system lets go of it when the process ends, however it ends.
    """
    try:
        handle = open(file, "a", encoding="utf-8")  # noqa: SIM115
    except OSError:  # what cannot be written is said by whoever writes there
        yield True
        return
    alone = _lock(handle)
    try:
        yield alone
    finally:
        handle.close()
        if alone:
            with contextlib.suppress(OSError):
                file.unlink()


def _lock(handle: TextIO) -> bool:
    """Lock an open file; False if another process has it. Where files can't be locked, True."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass
    return True
