"""What `python -m digits` says, and what the commands of the installed package start."""

import runpy
import sys
from collections.abc import Callable

from digits import own_process, places
from digits.command_line import run


def read() -> int:
    return run(lambda: _main_of("load_model.py")())


def draw() -> int:
    return run(lambda: _main_of("draw.py")())


def train() -> int:
    return _train("cnn.py")


def teach() -> int:
    return _train("teach.py")


def _train(script: str) -> int:
    own_process.take()
    from digits import training

    return training.run(_main_of(script))


def _main_of(script: str) -> Callable[[], int]:
    """Return `main` of a script, which stands above this package wherever that is installed."""
    return runpy.run_path(str(places.PROJECT / script))["main"]


def about() -> str:
    """Return what there is, and how it is called."""
    commands = {
        f"{places.READ} page.jpg": "the digits on a picture, or on many",
        places.DRAW: "a page to draw on, in the browser",
        places.TRAIN: "a model trained on MNIST, in the current folder",
        f"{places.TEACH} own": "your own digits, in folders named after what is written",
    }
    lines = [f"{command:<30}  {what}" for command, what in commands.items()]
    return "\n".join(
        [
            f"{places.DISTRIBUTION} {places.version()}: a Keras model reads handwritten digits",
            "",
            *lines,
            "",
            "Each says more with --help. From Python: from digits import load_model, read",
            f"The trained model that comes along is in {places.PROJECT}",
        ]
    )


if __name__ == "__main__":
    sys.exit(run(lambda: print(about()) or 0))
