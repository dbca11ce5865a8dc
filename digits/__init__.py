"""What the scripts share, and the way in from Python. Nothing in here imports a script.

    from digits import load_model, read

    model = load_model()                  the pair in the current folder, or the one here
    reading = read("page.jpg", model)     a Reading: text, digits, confidence, answers, error

Five rooms, each with a docstring that says what comes in, what goes out, and what its modules do.
Arrows point one way: page -> reading -> model -> data, and training -> model.

data          MNIST, people's pictures, and what is made up
model         the pair model.json + model.h5: save, check, rebuild, predict, evaluate
training      augmentation, the fit, calibration, teaching
reading       a picture -> lines of digits
page          the drawing page: its server, what it keeps and learns, and its files

and for all of them

figures       how figures look, where they go, and the drawing of test digits
command_line  errors, exit codes and arguments, the same for every script
streams       what is printed: streams that may be closed, full or noisy, and progress
places        where the scripts and the trained model are, and how they are called
__main__      python -m digits, and the commands of the installed package
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digits.model.loading import load_model
    from digits.reading.reader import read

__all__ = ["load_model", "read"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only now, so that `import digits` takes no time."""
    if name == "load_model":
        from digits.model.loading import load_model

        return load_model
    if name == "read":
        from digits.reading.reader import read

        return read
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
