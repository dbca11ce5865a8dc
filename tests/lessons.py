"""Lessons for the page that take no time, and fail in every way; each runs in a process of its own.

Their arguments are those of `training_process.lesson`.
"""

import os
import shutil
import sys
import time

from digits.command_line import UserError


def learn(own, start, output, say, pair, mistakes=(38, 39)):
    """Learn what the model in the folder `pair` knows."""
    (picture,) = own.glob("[0-9]*/*.png")
    assert (start / "model.h5").is_file()
    say("epoch", 1, 2, 0.1)
    say("left out", "/".join(picture.parts[-2:]), "read as 33, its folder says 7")
    say("left out", "own/.held_out", "no folder of digits")
    shutil.copytree(pair, output, dirs_exist_ok=True)
    (own.parent / "began.txt").write_text(str((start / "model.h5").stat().st_size))
    return mistakes


def damage(own, start, output, say, pair):
    learn(own, start, output, say, pair)
    (output / "model.h5").write_bytes(b"half a file")


def wait(own, start, output, say, pair):
    print("half an hour to go", file=sys.stderr)
    say("epoch", 1, 2, 0.1)
    (own.parent / "pid").write_text(str(os.getpid()))
    time.sleep(100)


def make_nothing(*_, pair):
    pass


def fail(*_, pair):
    raise UserError("cannot go on")


def crash(*_, pair):
    raise MemoryError("none is left")


def die(*_, pair):
    os.kill(os.getpid(), 9)
