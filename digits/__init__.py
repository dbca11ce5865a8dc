"""Digits on pictures, read by a Keras model: docs/api.md has an example of each.

    from digits import load_model, read

    model = load_model()                  the one that comes along, or load_model("folder")
    reading = read("page.jpg", model)     a Reading: text, digits, confidence, answers, error

What `__all__` lists is public; everything else is what the scripts share. Nothing in here imports
a script. Five rooms, each with a docstring that says what comes in, what goes out, and what its
modules do. Arrows point one way: page -> reading -> model -> data, and training -> model.

data          MNIST, people's pictures, and what is made up
model         the pair model.json + model.h5: save, check, rebuild, predict, evaluate
training      augmentation, the fit, calibration, teaching
reading       a picture -> lines of digits
page          the drawing page: its server, what it keeps and learns, and its files

and for all of them

figures       how figures look, where they go, and the drawing of test digits
command_line  errors, exit codes and arguments, the same for every script
own_process   what the commands do to their own process, and a library never
streams       what is printed: streams that may be closed or full, and progress
files         files written whole or not at all
backends      which of Keras's backends there are
places        where the scripts and the trained model are, and how they are called
__main__      python -m digits, and the commands of the installed package
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digits.command_line import ModelWarning, UserError
    from digits.model.loading import load_model
    from digits.reading.reader import read, read_many
    from digits.reading.results import Answer, Reading

    __version__: str

__all__ = [
    "Answer",
    "ModelWarning",
    "Reading",
    "UserError",
    "__version__",
    "load_model",
    "read",
    "read_many",
]
_HOMES = {
    "Answer": "reading.results",
    "ModelWarning": "command_line",
    "Reading": "reading.results",
    "UserError": "command_line",
    "load_model": "model.loading",
    "read": "reading.reader",
    "read_many": "reading.reader",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only now, so that `import digits` takes no time."""
    if name == "__version__":
        from digits.places import version

        return version()
    if name in _HOMES:
        return getattr(importlib.import_module(f"digits.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
