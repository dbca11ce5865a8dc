"""Build the model that a user has written, and say where Keras or a check refuses it."""

import os
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from digits.command_line import UserError
from digits.model.checks import check_before_training

if TYPE_CHECKING:
    from keras import Model


def built(build_model: Callable[[], "Model"]) -> "Model":
    """Return the model of `build_model`, checked; UserError for what Keras or a check refuses."""
    try:
        model = build_model()
        check_before_training(model)
        return model
    except ValueError as error:
        frames = traceback.extract_tb(error.__traceback__)
        if f"{os.sep}keras{os.sep}" not in frames[-1].filename:  # a bug of its own
            raise
        own = [f for f in frames if f.name == build_model.__name__]
        place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}: " if own else ""
        raise UserError(f"{place}Keras cannot build this model: {_said(error)}") from None


def _said(error: Exception) -> str:
    """The line that says what is wrong, of the many that Keras says in colours."""
    lines = re.sub(r"\x1b\[[\d;]*m", "", str(error)).splitlines()
    lines = [line.strip() for line in lines if line.strip()] or [type(error).__name__]
    return lines[1] if lines[0].startswith("Exception encountered") and lines[1:] else lines[0]
