"""The model: the pair model.json + model.h5, and what a model says of images.

In: a folder with a pair, or a Keras model; images (n, 28, 28), 0 to 255, light ink on dark. Out: a
Keras model that has passed all checks, and probabilities (n, 10).

saving         write the pair, always whole
loading        rebuild the model from the pair
locating       which files hold a model
descriptions   descriptions of models, read as they are meant
weights        the file of weights, in any of Keras's formats
allowed        which classes and sizes a pair may hold
checks         check an architecture before it is built, and what it computes
before_training  build what a user has written, and check it
weight_checks  check a file of weights before it is read
evaluation     probabilities, accuracy, calibration error
trial          known digits: how sure a model is, and on which scale it was trained
initializers   zeros in place of the values that a file gives, and seeds
quiet_keras    Keras, imported late
"""

from digits.model.before_training import built
from digits.model.checks import check_before_training
from digits.model.evaluation import accuracy, evaluate, predict
from digits.model.loading import load_model
from digits.model.saving import save_model

__all__ = [
    "accuracy",
    "built",
    "check_before_training",
    "evaluate",
    "load_model",
    "predict",
    "save_model",
]
