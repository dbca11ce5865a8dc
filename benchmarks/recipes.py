"""Train well-known recipes and this project's own, and compare error and time.

    python benchmarks/recipes.py --rounds 5

Each training is a process of its own, from start-up to saved files. A round is one of each recipe
in turn, so that a machine's moods fall on all of them. What was measured, and by which commands, is
kept in recipes.json beside this script, and only what is missing there is measured; delete the file
to begin anew. Two tables of docs/measured.md and docs/recipes.png are made of it, at the end of
each run: for each recipe the parameters, the seconds, their ratio to the classic recipe's of the
same round, and the test accuracy after the last epoch.

A slow recipe may have fewer rounds than the others. Two rounds of all, then three more without it:

    python benchmarks/recipes.py --rounds 2
    python benchmarks/recipes.py --rounds 5 --only "two epochs" quick default
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tables
from scores import print_table

from digits import command_line
from digits.command_line import UserError
from digits.data.mnist import load_mnist
from digits.model import load_model, save_model
from digits.model import quiet_keras as keras
from digits.model.evaluation import accuracy_line, predict

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_suffix(".json")
PLOT = ROOT / "docs/recipes.png"
HEADER = ["recipe", "parameters", "seconds", "ratio", "test accuracy", "spread", "trainings"]
SIZES = ["model", "multiply-adds", "test accuracy", "trainings", "epochs"]
OWN = {  # arguments of cnn.py
    "quick": ("--epochs", "1"),
    "default": (),
    "best": ("--epochs", "80"),
}
# Single models after the last epoch, nothing chosen on the test set; the mean of several trainings.
GITHUB = "https://github.com"
PUBLISHED = [  # model, multiply-adds, test accuracy, trainings, epochs
    (
        f"[MNIST-CNN-99.75]({GITHUB}/cdeotte/MNIST-CNN-99.75)",
        "15 million",
        "99.64 %",
        "1,500",
        "30",
    ),
    (
        f"[MnistSimpleCNN M3]({GITHUB}/ansh941/MnistSimpleCNN)",
        "173 million",
        "99.70 %",
        "30",
        "150",
    ),
    (f"[ttdoucet/mnist]({GITHUB}/ttdoucet/mnist)", "329 million", "99.74 %", "10", "11"),
]


# ------------------------------------------------------------ other recipes


def classic(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """The network of countless tutorials, two convolutions; 10 epochs in batches of 200."""
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
    """The example on keras.io, "Simple MNIST convnet"; 15 epochs in batches of 128."""
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
    """One cycle of the learning rate, Adam with little memory (0.7, 0.9), no augmentation."""
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


def small(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """The training of `cnn.py`, with 12 epochs and fewer filters: 0.36 million multiply-adds."""
    import cnn

    narrow = {16: 8, 32: 12, 64: 20, 128: 28}
    whole = cnn.convolution
    cnn.convolution = lambda filters, *how, **more: whole(narrow[filters], *how, **more)
    model = cnn.build_model()
    # Keras has seeded NumPy, and so this is another one for each seed.
    cnn.train(model, x[..., 0], y, epochs=12, batch_size=250, seed=np.random.randint(2**31))
    return model


OTHERS = {
    "classic": classic,
    "keras example": keras_example,
    "two epochs": two_epochs,
    "small": small,
}


def train_other(name: str, seed: int, folder: Path) -> None:
    """Train one of the other recipes in this process, as a script of its own would."""
    (x_train, y_train), (x_test, y_test) = load_mnist()
    keras.utils.set_random_seed(seed)
    model = OTHERS[name](x_train[..., None], y_train)
    print(accuracy_line(predict(model, x_test), y_test))
    save_model(model, folder)


# ------------------------------------------------------------------ comparing


def measure(name: str, seed: int) -> dict[str, object]:
    """Train one recipe in a process of its own; return what is kept of it."""
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
        return {
            "recipe": name,
            "seed": seed,
            "parameters": load_model(Path(folder)).count_params(),
            "seconds": round(seconds, 2),
            "accuracy": float(found[1]),
        }


def read_results() -> dict:
    """Return what is measured so far."""
    if not RESULTS.exists():
        return tables.surroundings() | {"commands": [], "runs": []}
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def compare(names: list[str], rounds: int, most: int, command: str) -> None:
    """Measure what is missing of `rounds`, at most so many trainings, and keep the `command`."""
    results = read_results()
    done = {(run["seed"], run["recipe"]) for run in results["runs"]}
    missing = [pair for pair in product(range(rounds), names) if pair not in done]
    if missing[:most] and results | tables.surroundings() != results:
        raise UserError(f"{RESULTS} was measured elsewhere; delete it to begin anew")
    if missing[:most] and command not in results["commands"]:
        results["commands"].append(command)
    for seed, name in missing[:most]:
        results["runs"].append(measure(name, seed))
        results |= tables.when()
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        seconds, accuracy = (results["runs"][-1][key] for key in ("seconds", "accuracy"))
        print(f"seed {seed}: {name}: {seconds:.0f} s, {accuracy:.2f} %", file=sys.stderr)
    print(f"{len(missing[most:])} trainings are missing", file=sys.stderr)


def command_of(name: str) -> str:
    """Return what a user types for one of this project's own recipes."""
    return " ".join(("cnn.py", *OWN[name]))


def by_recipe(results: dict) -> dict[str, list[dict]]:
    """Return the runs of each recipe that has any, in the order of the recipes."""
    runs = {name: [] for name in (*OTHERS, *OWN)}
    for training in results["runs"]:
        runs[training["recipe"]].append(training)
    return {name: kept for name, kept in runs.items() if kept}


def table(results: dict) -> list[list[str]]:
    """Return a row of `HEADER` for each recipe; spread is the standard deviation over the seeds."""
    classic = {run["seed"]: run["seconds"] for run in by_recipe(results)["classic"]}
    rows = []
    for name, runs in by_recipe(results).items():
        called = f"`{command_of(name)}`" if name in OWN else name
        ratios = [run["seconds"] / classic[run["seed"]] for run in runs if run["seed"] in classic]
        ratio = f"{np.mean(ratios):.2f}" if ratios else "-"
        accuracy = [run["accuracy"] for run in runs]
        spread = f"{np.std(accuracy, ddof=1):.2f}" if len(runs) > 1 else "-"
        seconds = f"{np.mean([run['seconds'] for run in runs]):.0f} s"
        figures = seconds, ratio, f"{np.mean(accuracy):.2f} %", spread, str(len(runs))
        rows.append([called, f"{runs[0]['parameters']:,}", *figures])
    return rows


def sizes(rows: list[list[str]]) -> list[list[str]]:
    """Return models of this project and published ones: multiply-adds of an image, and accuracy."""
    shipped = tables.cell(tables.read()["model"], "test digits right", "measured")
    small, default = (
        [row[HEADER.index(column)] for column in ("test accuracy", "trainings")]
        for row in rows
        if row[0] in ("small", "`cnn.py`")
    )
    return [
        ["the model that comes along", "2.2 million", shipped, "1", "80"],
        ["`cnn.py`", "2.2 million", *default, "4"],
        ["small", "0.36 million", *small, "12"],
        *map(list, PUBLISHED),
    ]


def write_tables(results: dict) -> None:
    """Put both tables into the documentation."""
    rows = table(results)
    source = {key: results[key] for key in ("commands", "date", "commit", "machine")}
    others = [(name, OTHERS[name].__doc__) for name in by_recipe(results) if name in OTHERS]
    notes = [" ".join(f"*{name}*: {what[0].lower()}{what[1:]}" for name, what in others)]
    tables.keep("recipes", HEADER, rows, notes=notes, **source)
    tables.keep("sizes", SIZES, sizes(rows), **source | {"commands": []})  # of the same trainings


def plot(results: dict, file: Path) -> None:
    """Draw error against time, a small mark for each training and a large one for the mean.

    The table goes into the file, too: it tells of what the plot was drawn.
    """
    lines = tables.markdown(HEADER, table(results))
    from digits import figures

    figure = figures.new_figure(figsize=(7.5, 4.2), layout="constrained")
    axis = figure.subplots()
    for name, runs in by_recipe(results).items():
        own = name in OWN
        color = figures.RIGHT if own else figures.SOFT
        seconds, error = np.array([(run["seconds"], 100 - run["accuracy"]) for run in runs]).T
        axis.plot(seconds, error, ".", color=color, alpha=0.4)
        middle = seconds.mean(), error.mean()
        axis.plot(*middle, "o", color=color, markersize=8)
        axis.annotate(
            command_of(name) if own else name,
            middle,
            xytext=(8, 6),
            textcoords="offset points",
            color=color,
            fontweight="bold" if own else "normal",
        )
    axis.set_title("Wrong test digits against the time from command to saved network", loc="left")
    axis.set_xlabel(f"seconds, {results['machine']}")
    axis.set_ylabel("test error, %")
    axis.margins(x=0.15)
    axis.set(xlim=(0, None), ylim=(0, None))
    axis.grid(color="#e4e7eb")
    figures.save(figure, file, Description="\n".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    names = [*OTHERS, *OWN]
    usual = [name for name in names if name not in ("small", "best")]
    parser.add_argument("--rounds", type=int, default=5, help="trainings of each recipe; 0 draws")
    parser.add_argument("--only", nargs="+", choices=names, default=usual, help="and classic")
    parser.add_argument("--most", type=int, default=1000, help="trainings now; the rest later")
    parser.add_argument("--train", nargs=3, help=argparse.SUPPRESS)  # one, in this process
    arguments = parser.parse_args()
    if arguments.train:
        name, seed, folder = arguments.train
        train_other(name, int(seed), Path(folder))
        return 0
    chosen = [name for name in names if name == "classic" or name in arguments.only]
    command = shlex.join(["python", "benchmarks/recipes.py", *sys.argv[1:]])
    compare(chosen, arguments.rounds, arguments.most, command)
    results = read_results()
    write_tables(results)
    plot(results, PLOT)
    print_table(HEADER, table(results))
    return 0


if __name__ == "__main__":
    sys.exit(command_line.run(main))
