"""Teach a trained model your own digits, and save it.

    python teach.py own

FOLDER holds pictures in folders named after what is written: own/7/a.jpg, own/4431/b.jpg. The
last lines that it prints:

    test accuracy 99... % (... of 10000 wrong)
    before: test accuracy 99.65 % (35 of 10000 wrong)
    own digits learned: 49 of 50 right, 31 before (5 of 0, 5 of 1, ...)
    own digits held out: not measured: too few; of 250 own digits or more a fifth is held out
    trained 4 epochs in ... s
    saved model.json and model.h5 in ...
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -P and -I leave it out
from digits import own_process

own_process.take(__name__)  # first of all: quiet, and what stops it early is a line
from digits import command_line as cli
from digits import places, training
from digits.data import find_own, load_mnist
from digits.model import load_model, save_model
from digits.model.locating import find_pair
from digits.reading import read_own


def main(argv: list[str] | None = None) -> int:
    parser = cli.new_parser("Teach a trained model your own digits, among some of MNIST's.")
    own = "with pictures in folders named 7, or 4431, as is written on them"
    parser.add_argument("own", metavar="FOLDER", type=Path, help=own)
    pair = "where the model that is taught is"
    parser.add_argument("--model", metavar="DIR", default=find_pair(), help=pair)
    arguments = training.add_options(parser).parse_args(argv)
    folder = cli.writable_folder(arguments.output)
    pictures = find_own(arguments.own)  # no wait for a typing error
    training.start(arguments.seed)
    (x_train, y_train), (x_test, y_test) = load_mnist(arguments.data)
    model = load_model(arguments.model)
    lesson = training.Lesson(model, read_own(pictures, model), x_test)
    own = f"{arguments.own} ({lesson.checksum})"
    how = argv, model, len(x_train), places.TEACH, own
    with training.checkpoint_of(arguments, *how) as checkpoint:
        sizes = arguments.epochs, arguments.batch_size, arguments.seed
        lesson.train(x_train, y_train, *sizes, checkpoint=checkpoint)
        save_model(model, folder)
        lines = lesson.report(y_test)
    print(*lines, checkpoint.took, sep="\n")
    print(f"saved model.json and model.h5 in {cli.one_line(folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(training.run(main))
