"""What the commands that train share: their options, and what they say when they are stopped."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from digits import command_line, places
from digits.command_line import one_line
from digits.files import claimed
from digits.model import quiet_keras as keras
from digits.training.checkpoint import Checkpoint
from digits.training.distribution import current, watched
from digits.training.fitting import BATCH_SIZE, EPOCHS

REPLACES = (
    "it replaces the trained model that comes along; --output DIR keeps that, and in a checkout "
    "git checkout -- model.json model.h5 result.png training.png brings it back"
)


def add_options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the options of a training to a parser; return it."""
    add, positive = parser.add_argument, command_line.positive_int
    add("--epochs", metavar="N", type=positive, default=EPOCHS, help="passes over the digits")
    add("--batch-size", metavar="N", type=positive, default=BATCH_SIZE, help="images in a batch")
    seed = "same seed, same weights"
    add("--seed", metavar="N", type=command_line.seed_number, default=0, help=seed)
    add("--data", metavar="PATH", help="mnist.npz, or a folder with the IDX files")
    add("--output", metavar="DIR", type=Path, default=".", help="where the files go")
    add("--resume", action="store_true", help="go on with a stopped training")
    return parser


@contextlib.contextmanager
def checkpoint_of(
    arguments: argparse.Namespace,
    argv: Sequence[str] | None,
    model: keras.Model,
    digits: int,
    command: str = places.TRAIN,
    own: str | None = None,
) -> Iterator[Checkpoint]:
    """Keep the state of a training with these arguments while the block runs; then forget it.

    It goes on only with the same `model`, number of `digits` and `own` ones. Said is where the
    model goes, and after a Ctrl-C what is kept and how to go on. `argv` is how the `command` was
    called; None is as the shell did.
    """
    settings = {"--epochs": arguments.epochs, "--batch-size": arguments.batch_size}
    settings |= {"--seed": arguments.seed, "own digits": own, "digits": digits}
    settings["model"] = f"{zlib.crc32(model.to_json().encode()):08x}"
    folder, first = command_line.whole_path(arguments.output), current().first
    checkpoint = Checkpoint(folder, settings, arguments.resume)
    if first and not arguments.resume:
        print(f"the model goes to {one_line(folder)}", file=sys.stderr)
        if folder.resolve() == places.PROJECT:
            print(REPLACES, file=sys.stderr)
        if checkpoint.exists():
            print(f"{folder} holds a stopped training; --resume goes on", file=sys.stderr)
    try:
        with claimed(folder / ".training.lock") if first else contextlib.nullcontext(True) as alone:
            if not alone:
                other = f"another training goes on in {one_line(folder)}; the one that ends last"
                print(f"{other} stays: --output DIR keeps both", file=sys.stderr)
            yield checkpoint
    except KeyboardInterrupt:
        kept = "no epoch was finished, so nothing is kept"
        if checkpoint.kept:
            words = [w for w in (sys.argv[1:] if argv is None else argv) if w != "--resume"]
            again = shlex.join([*command.split(), *words, "--resume"])
            kept = f"{checkpoint.kept} of {arguments.epochs} epochs are kept; {again} goes on"
        raise KeyboardInterrupt(kept if first else "") from None
    checkpoint.remove()


def run(main: Callable[[], int]) -> int:
    """Return the exit code of a training command, `main`; see `command_line.run`."""
    return watched(lambda: command_line.run(main))
