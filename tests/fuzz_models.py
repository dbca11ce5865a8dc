"""Models with one damaged or hostile layer: refused or built, at once, and nothing else happens.

    python tests/fuzz_models.py 200                 each allowed layer, mutated 200 times
    python tests/fuzz_models.py 200 LSTM Resizing   only these

Prints each mutation that takes more than 2 s or 1 GB, opens a file or starts something, and
ends with exit code 1 if there was one. One that brings Python down is named by the last line.
"""

import copy
import json
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import keras
import numpy as np

from digits.model import allowed, checks, descriptions

layers = keras.layers
SECONDS, BYTES = 2.0, 2**30

# What a layer needs, where it cannot do without arguments.
OF_NAMES = {  # the argument of each of these
    "LSTM GRU SimpleRNN GroupNormalization": 4,
    "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D": 4,
    "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D": 4,
    "AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D": 2,
    "DepthwiseConv1D DepthwiseConv2D RandomPosterization RepeatVector": 3,
    "AlphaDropout Dropout GaussianDropout GaussianNoise Rescaling RandomBrightness": 0.1,
    "SpatialDropout1D SpatialDropout2D SpatialDropout3D RandomColorDegeneration": 0.1,
    "RandomContrast RandomHue RandomRotation RandomSaturation RandomSharpness RandomZoom": 0.1,
    "Activation": "relu",
    "CategoryEncoding": 300,
    "Dense": 16,
    "Dot": 2,
    "Discretization": [10.0, 100.0],
    "Permute": [2, 1],
    "Reshape": [-1, 4],
    "Bidirectional": layers.GRU(4),
    "SpectralNormalization TimeDistributed": layers.Dense(4),
    "RNN": layers.StackedRNNCells([layers.LSTMCell(4), layers.SimpleRNNCell(3)]),
}
CONVOLUTIONS = """Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose
    ConvLSTM1D ConvLSTM2D ConvLSTM3D SeparableConv1D SeparableConv2D"""
ARGUMENTS = {name: [one] for names, one in OF_NAMES.items() for name in names.split()}
ARGUMENTS |= {name: [4, 3] for name in CONVOLUTIONS.split()} | {
    "CenterCrop": [20, 20],
    "EinsumDense": ["abc,cd->abd", [28, 8]],
    "Embedding": [256, 2],
    "GroupQueryAttention": [4, 4, 2],
    "MultiHeadAttention": [2, 4],
    "Normalization": [-1, 0.5, 2.0],
    "RandomCrop": [20, 20],
    "RandomTranslation": [0.1, 0.1],
    "Resizing": [14, 14],
    "ReversibleEmbedding": [256, 2],
}
SHAPES = [(28, 28, 1), (28, 28), (784,), (28, 4, 7, 1), (7, 4, 4, 7, 1)]
# Some of what Keras makes of operations in a graph.
OPERATIONS = {
    "Cast": lambda x: keras.ops.cast(x, "float32"),
    "Cumsum": lambda x: keras.ops.cumsum(x, axis=1),
    "GetItem": lambda x: x[:, 1:-1],
    "Mean": lambda x: keras.ops.mean(x, axis=1, keepdims=True),
    "OnesLike": keras.ops.ones_like,
    "Pad": lambda x: keras.ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]),
    "Repeat": lambda x: keras.ops.repeat(x, 2, axis=1),
    "Tile": lambda x: keras.ops.tile(x, [1, 2, 1, 1]),
    "Where": lambda x: keras.ops.where(x > 1, x, 0.0),
    "ZerosLike": keras.ops.zeros_like,
}
TWO = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}


def model_with(name: str) -> dict | None:
    """Return the description of a model with that layer in it; None for what is none itself."""
    for shape in SHAPES:
        image = keras.Input((28, 28, 1))
        x = layers.Reshape(shape)(image)
        try:
            if name in OPERATIONS:
                x = OPERATIONS[name](x)
            else:
                layer = getattr(layers, name)(*ARGUMENTS.get(name, []), name="mutated")
                attends = name in ("MultiHeadAttention", "GroupQueryAttention")
                both = name in TWO or "Attention" in name
                x = layer(x, x) if attends else layer([x, x] if both else x)
            x = layers.Flatten()(layers.Rescaling(1.0)(x))
            model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
            description = json.loads(model.to_json())
        except (ValueError, TypeError, IndexError, AttributeError):
            continue  # it takes another shape
        if run(description) == "built":
            return description
    return None


HOSTILE = [
    {"module": "keras.layers", "class_name": "Lambda", "config": {}},
    {"module": "os", "class_name": "system", "config": {"command": "true"}},
    {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "exec"},
    {"class_name": "__lambda__", "config": {"value": "eA=="}},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}},
    {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/etc"}},
    {"module": "keras.layers", "class_name": "Dense", "config": {"units": 10**9}},
    {"module": "keras.layers", "class_name": "GRU", "config": {"units": 9000, "unroll": True}},
]
VALUES = [None, True, False, -1, 0, 1, 2, 99, 1000, 10**5, 10**7, 10**9, 2**63, 0.5, -1e30]
VALUES += [float("nan"), float("inf"), "", "relu", "softmax", "/etc/passwd", "lambda x: x", "same"]
VALUES += ["float16", "int8", "channels_first", [], {}, [1, 2], [10**6] * 3, [[3, 3], [99, 99]]]
VALUES += ["x" * 10**5, [[[[[[[[[[[[]]]]]]]]]]]], *HOSTILE]
KEYS = """weights batch_shape layer cell vocabulary file unroll dtype module build_config
    compile_config registered_name stateful dilation_rate seed""".split()  # noqa: SIM905


def mutate(part: object, rng: np.random.Generator) -> None:
    """Change one thing somewhere within a description."""
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        if isinstance(part, dict) and (not keys or rng.random() < 0.1):
            part[KEYS[rng.integers(len(KEYS))]] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
            return
        key = keys[rng.integers(len(keys))]
        if isinstance(part[key], dict | list) and part[key] and rng.random() < 0.8:
            part = part[key]
        elif rng.random() < 0.1:
            del part[key]
            return
        else:
            part[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
            return


class Watch:
    """What is opened or started, and how much memory is taken, while it is on."""

    def __init__(self) -> None:
        self.on, self.seen, self.peak = False, [], 0
        sys.addaudithook(self.hear)
        threading.Thread(target=self.measure, daemon=True).start()

    def hear(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        started = event in ("os.system", "subprocess.Popen", "socket.connect", "os.exec")
        opened = event == "open" and not str(arguments[0]).startswith((sys.prefix, sys.base_prefix))
        if started or (opened and "/proc/" not in str(arguments[0])):
            self.seen.append(f"{event} {arguments[0]}")

    def measure(self) -> None:
        pages = Path("/proc/self/statm")
        while pages.exists():
            self.peak = max(self.peak, 4096 * int(pages.read_text().split()[1]))
            time.sleep(0.01)


def run(description: dict) -> str:
    try:
        description = descriptions.as_meant(description)
        checks.check_description(description)
        checks.check_probabilities(checks.build(description))
        return "built"
    except Exception as error:  # load_model makes one line of any
        return f"refused: {str(error)[:80]!r}"


def main() -> int:
    times = int(sys.argv[1])
    names = sys.argv[2:] or [*sorted(allowed.ALLOWED["keras.layers"]), *OPERATIONS]
    watch, bad = Watch(), 0
    for name in names:
        known = hasattr(layers, name) or name in OPERATIONS
        whole = model_with(name) if known else None
        if whole is None:
            print(f"{name}: no model with it")
            continue
        place = next(
            i
            for i, part in enumerate(whole["config"]["layers"])
            if part["name"] == "mutated" or (name in OPERATIONS and part["class_name"] == name)
        )
        built = 0
        for seed in range(times):
            description = copy.deepcopy(whole)
            mutate(
                description["config"]["layers"][place],
                np.random.default_rng([seed, len(name), ord(name[-3])]),
            )
            print(f"\r{name} {seed} ", end="", flush=True)
            before = watch.peak = 4096 * int(Path("/proc/self/statm").read_text().split()[1])
            watch.seen.clear()
            watch.on, start = True, time.process_time()
            result = run(description)
            watch.on, taken = False, time.process_time() - start
            built += result == "built"
            if taken > SECONDS or watch.peak - before > BYTES or watch.seen:
                bad += 1
                memory = (watch.peak - before) / 2**20
                print(f"{taken:.1f} s, {memory:.0f} MB, {watch.seen}: {result}")
        print(f"\r{name}: {built} of {times} built")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
