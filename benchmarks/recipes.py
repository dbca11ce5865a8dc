"""Train well-known recipes and this project's own, and compare error and time.

    python benchmarks/recipes.py
    python benchmarks/recipes.py --seeds 3 --only classic default best

Each training is a process of its own, from start-up to saved files, and they run in turn,
so that a machine's moods fall on all of them. Printed is, for each recipe, the parameters,
the time as a ratio to the classic recipe's of the same round, and the test accuracy after
the last epoch; `recipes.png` shows error against time.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from digits import quiet_keras as keras
from digits.command_line import positive_int, run
from digits.evaluation import accuracy_line, predict
from digits.mnist import load_mnist
from digits.model_files import load_model, save_model

ROOT = Path(__file__).parent.parent
OWN = {  # arguments of cnn.py
    "quick": ("--epochs", "1"),
    "default": (),
    "best": ("--epochs", "30"),
}


# ------------------------------------------------------------ other recipes


def classic(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """The network of countless tutorials: 10 epochs in batches of 200."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=10, batch_size=200, verbose=0)
    return model


def keras_example(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """The example on keras.io, "Simple MNIST convnet": 15 epochs in batches of 128."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=15, batch_size=128, validation_split=0.1, verbose=0)
    return model


def two_epochs(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """A fast one: Adam with little memory (0.7, 0.9), one cycle of the rate, two epochs."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / (255 * 0.3081), offset=-0.1307 / 0.3081),
            layers.Conv2D(24, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    steps = 2 * -(-len(x) // 256)
    rate = keras.optimizers.schedules.CosineDecay(
        4e-4, steps - 3 * steps // 10, warmup_target=1e-2, warmup_steps=3 * steps // 10
    )
    optimizer = keras.optimizers.Adam(rate, beta_1=0.7, beta_2=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, batch_size=256, verbose=0)
    return model


OTHERS = {"classic": classic, "keras example": keras_example, "two epochs": two_epochs}


def train_other(name: str, seed: int, folder: Path) -> None:
    """Train one of the other recipes in this process, as a script of its own would."""
    (x_train, y_train), (x_test, y_test) = load_mnist()
    keras.utils.set_random_seed(seed)
    model = OTHERS[name](x_train[..., None], y_train)
    print(accuracy_line(predict(model, x_test), y_test))
    save_model(model, folder)


# ------------------------------------------------------------------ comparing


def measure(name: str, seed: int) -> tuple[int, float, float]:
    """Train one recipe in a process of its own; return parameters, seconds, error in %."""
    with tempfile.TemporaryDirectory() as folder:
        if name in OWN:
            command = [str(ROOT / "cnn.py"), *OWN[name], "--seed", str(seed), "--output", folder]
        else:
            command = [__file__, "--train", name, str(seed), folder]
        start = time.monotonic()
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
        seconds = time.monotonic() - start
        found = re.search(r"test accuracy ([\d.]+) %", done.stdout)
        if done.returncode or not found:
            raise RuntimeError(f"{name} failed:\n{done.stdout}{done.stderr}")
        return load_model(Path(folder)).count_params(), seconds, 100 - float(found[1])


def compare(names: list[str], seeds: int) -> dict[str, np.ndarray]:
    """Return for each recipe an array (seeds, 3): parameters, seconds, error in %."""
    results = defaultdict(list)
    for seed in range(seeds):
        for name in names:
            results[name].append(measure(name, seed))
            _, seconds, error = results[name][-1]
            print(f"seed {seed}: {name}: {seconds:.0f} s, {100 - error:.2f} %", file=sys.stderr)
    return {name: np.array(rows) for name, rows in results.items()}


def command_of(name: str) -> str:
    """Return what a user types for one of this project's own recipes."""
    return " ".join(("cnn.py", *OWN[name]))


def table(results: dict[str, np.ndarray]) -> str:
    """Return a table in Markdown; the spread is the standard deviation over the seeds."""
    lines = [
        "| recipe | parameters | time | test accuracy | spread | seeds |",
        "|---|---|---|---|---|---|",
    ]
    reference = results.get("classic", next(iter(results.values())))[:, 1]
    for name, rows in results.items():
        called = f"`{command_of(name)}`" if name in OWN else name
        spread = f"{rows[:, 2].std(ddof=1):.2f}" if len(rows) > 1 else "-"
        lines.append(
            f"| {called} | {rows[0, 0]:,.0f} | {np.mean(rows[:, 1] / reference):.2f} "
            f"| {100 - rows[:, 2].mean():.3f} % | {spread} | {len(rows)} |"
        )
    return "\n".join(lines)


def plot(results: dict[str, np.ndarray], file: Path) -> None:
    """Draw error against time, a small mark for each training and a large one for the mean."""
    from digits import figures

    figure = figures.new_figure(figsize=(7.5, 4.2), layout="constrained")
    axis = figure.subplots()
    for name, rows in results.items():
        own = name in OWN
        color = figures.RIGHT if own else figures.SOFT
        axis.plot(rows[:, 1], rows[:, 2], ".", color=color, alpha=0.4)
        time_, error = rows[:, 1].mean(), rows[:, 2].mean()
        axis.plot(time_, error, "o", color=color, markersize=8)
        axis.annotate(
            command_of(name) if own else name,
            (time_, error),
            xytext=(8, 6),
            textcoords="offset points",
            color=color,
            fontweight="bold" if own else "normal",
        )
    axis.set_title("Wrong test digits against the time from command to saved network", loc="left")
    axis.set_xlabel("seconds, on two cores")
    axis.set_ylabel("test error, %")
    axis.margins(x=0.15)
    axis.set(xlim=(0, None), ylim=(0, None))
    axis.grid(color="#e4e7eb")
    figures.save(figure, file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [*OTHERS, *OWN]
    parser.add_argument("--seeds", type=positive_int, default=5, help="trainings of each recipe")
    parser.add_argument(
        "--only", nargs="+", choices=names, default=[n for n in names if n != "best"]
    )
    parser.add_argument("--plot", type=Path, default="recipes.png", help="error against time")
    parser.add_argument("--train", nargs=3, help=argparse.SUPPRESS)  # one, in this process
    arguments = parser.parse_args()
    if arguments.train:
        name, seed, folder = arguments.train
        train_other(name, int(seed), Path(folder))
        return 0
    results = compare(arguments.only, arguments.seeds)
    print(table(results))
    plot(results, arguments.plot)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
