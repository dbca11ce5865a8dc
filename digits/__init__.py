"""What the scripts share, and the way in from Python. Nothing in here imports a script.

    from digits import load_model, read

    model = load_model()                  the pair in the current folder, or the project's
    reading = read("page.jpg", model)     a Reading: text, digits, confidence, answers, error

mnist         the data set: find, check, cache
augment       training digits, a little different every time
hands         digits as MNIST's writers do not write them
outliers      images of what is no digit
images        a picture of handwriting -> 28x28 digits
reading       digits -> answers
own_digits    people's own digits with what they are, for the training
workers       processes that open many pictures at once
model_files   the pair model.json + model.h5: save whole, rebuild
model_checks  what the pair may hold, checked before anything is built
checkpoint    the state of a stopped training
distribution  several devices and processes that train together
evaluation    probabilities, and how many are right
figures       result.png, training.png, the picture with boxes
server        the page to draw on, in page/: what it asks, and what it gets
keeping       pictures that people corrected on the page, with what is written on them
learning      a training from them, and the model that reads
command_line  errors, exit codes and progress, the same for every script
quiet_keras   Keras, imported late and without noise
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
