"""Training: what surrounds `model.fit`.

In: a Keras model, images (n, 28, 28) uint8 and labels (n,). Out: the model trained, calibrated or
taught, and the history of its training.

augmentation  training digits, a little different every time, and what is no digit among them
fitting       `model.fit` that can be stopped, resumed and shared
memory        whether a batch fits
checkpoint    the state of a stopped training
distribution  several devices and processes that train together
calibration   confidences that say how often they are right
comparison    how the model that comes along does, beside one just trained
teaching      a trained model learns its owner's digits
command       the options of the commands that train, and what they say when they are stopped
detector/     the training of what finds digits on pages
figures       result.png and training.png
curves        the drawing of the second
"""

from digits.training.augmentation import augmented
from digits.training.calibration import calibrate
from digits.training.checkpoint import Checkpoint, History
from digits.training.command import add_options, checkpoint_of, run
from digits.training.comparison import beside_project
from digits.training.figures import save_figures
from digits.training.fitting import EPOCHS, fit, one_cycle, start
from digits.training.memory import batch_that_fits
from digits.training.teaching import Lesson

__all__ = [
    "EPOCHS",
    "Checkpoint",
    "History",
    "Lesson",
    "add_options",
    "augmented",
    "batch_that_fits",
    "beside_project",
    "calibrate",
    "checkpoint_of",
    "fit",
    "one_cycle",
    "run",
    "save_figures",
    "start",
]
