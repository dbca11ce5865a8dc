"""How the model that comes with the project does, beside one just trained."""

import numpy as np

from digits.command_line import UserError, one_line
from digits.model.evaluation import accuracy_line, predict
from digits.model.loading import load_model
from digits.places import PROJECT


def beside_project(images: np.ndarray, labels: np.ndarray) -> list[str]:
    """Return a line with the accuracy of the pair in the project's folder; none if none is there.

    `images` (n, 28, 28), `labels` (n,). A training in a checkout puts its own pair there: ask
    before it does.
    """
    try:
        probabilities = predict(load_model(PROJECT), images)
    except UserError:
        return []
    return [f"the model in {one_line(PROJECT)} before: {accuracy_line(probabilities, labels)}"]
