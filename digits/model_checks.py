"""What a model's files may hold. Checked before anything in them is built or run.

Files come from strangers too: a description may name any class of Keras and any size, and an
HDF5 file may point to other files or unpack to terabytes. So there is a list of what is
allowed, and all else is refused, with the reason.
"""

import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from digits import quiet_keras as keras
from digits.evaluation import predict

if TYPE_CHECKING:
    from keras import Model

# Every class that a description may name, by its module: all of Keras that only computes.
# Left out: what holds code (Lambda, JaxLayer, FlaxLayer, TorchModuleWrapper), reads files or
# vocabularies (TFSMLayer, StringLookup, IntegerLookup, TextVectorization), hashes text
# (Hashing, HashedCrossing), is for sound or for boxes around things (STFTSpectrogram,
# MelSpectrogram, the initializer STFT, MaxNumBoundingBoxes), hides from the check of sizes what
# it computes (Pipeline), does nothing by itself (Layer, Wrapper), or has weights whose form
# changes with Keras's releases (quantized dtype policies).
ALLOWED = {
    "keras.layers": """
        InputLayer Identity Masking Dense EinsumDense Embedding ReversibleEmbedding
        Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose
        DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
        MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
        GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
        GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
        AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
        AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
        BatchNormalization LayerNormalization GroupNormalization RMSNormalization
        UnitNormalization SpectralNormalization
        Activation ReLU LeakyReLU PReLU ELU Softmax
        Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout
        GaussianDropout GaussianNoise ActivityRegularization
        Add Subtract Multiply Average Maximum Minimum Concatenate Dot
        Flatten Reshape Permute RepeatVector
        ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D
        UpSampling1D UpSampling2D UpSampling3D
        SimpleRNN LSTM GRU RNN SimpleRNNCell LSTMCell GRUCell StackedRNNCells
        ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional TimeDistributed
        Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
        Rescaling Normalization Resizing CenterCrop Discretization CategoryEncoding
        RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
        RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
        RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
        RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom
        RandAugment AugMix MixUp CutMix AutoContrast Equalization Solarization
        ContrastLimitedAdaptiveHistogramEqualization
    """,
    # What Keras makes of `x + y`, `x / 255`, `x[:, 0]` or `keras.ops.relu(x)` in a graph.
    "keras.src.ops.numpy": """
        Absolute Add Amax Amin Average Clip Concatenate Divide Exp ExpandDims Flip GetItem Log
        Matmul Max Maximum Mean Min Minimum Moveaxis Multiply Negative Pad Power Prod Ravel
        Reciprocal Repeat Reshape Roll Sign Split Sqrt Square Squeeze Stack Std Subtract Sum
        Swapaxes Tanh Tile Transpose TrueDivide Var
    """,
    "keras.src.ops.nn": """
        Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SoftShrink SparsePlus Silu Squareplus
        LogSigmoid LeakyRelu HardSigmoid HardSilu Elu Selu Gelu Celu Glu TanhShrink HardTanh
        HardShrink Threshold Softmax LogSoftmax Sparsemax Normalize
    """,
    "keras": "Sequential DTypePolicy",
    "keras.src.models.functional": "Functional",
    "keras.dtype_policies": "DTypePolicyMap",
    "keras.initializers": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform
        Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
    """,
    "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "None": "__keras_tensor__ __slice__ __ellipsis__",  # parts of a graph
}
ALLOWED = {module: set(names.split()) for module, names in ALLOWED.items()}

MOST_LAYERS = 200
MOST_VALUES = 10**7  # parameters in all, values of one image after a layer, and any setting
MOST_BYTES = 50 * 2**20  # of a file, and of what it unpacks to
MOST_REPEATS = 100  # of what Keras pads by, or repeats in a loop:
REPEATS = {"kernel_size", "pool_size", "strides", "dilation_rate", "power_iterations"}
REPEATS |= {"num_ops", "num_chains", "chain_depth"}
NOT_THE_MODEL = {"build_config", "compile_config", "shared_object_id"}
UNUSED = {"optimizer", "optimizer_weights"}  # groups of an HDF5 file: state of the training
SOFTMAX = 'let it end in softmax, as in Dense(10, activation="softmax")'
INPUT = "let it begin with keras.Input((28, 28, 1)) or keras.Input((28, 28))"


class Refused(ValueError):
    """Why a file or a model is refused; reads on after its name: "asks for Lambda, ..."."""


# --------------------------------------------------------------- architecture


def without_training(part: object) -> object:
    """Return a description without what does not belong to the model itself.

    `build_config` would build a layer for whatever shape it names, `compile_config` make an
    optimizer, `shared_object_id` make two layers one. An unrolled loop computes the same as one
    that is not, but may be endless. The size of a batch is that of the first one in the training,
    if the model was built by it.
    """
    if isinstance(part, list):
        return [without_training(item) for item in part]
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if key not in NOT_THE_MODEL}
        kept |= {"unroll": False} if "unroll" in kept else {}
        for shape in ("batch_shape", "build_input_shape"):
            if isinstance(kept.get(shape), list):
                kept[shape] = [None, *kept[shape][1:]]
        return {key: without_training(value) for key, value in kept.items()}
    return part


def check_description(architecture: dict) -> None:
    """Raise Refused unless this describes a model made of what is `ALLOWED`.

    KeyError, TypeError and the like if it is no description at all.
    """
    if architecture["class_name"] not in ("Sequential", "Functional"):
        raise Refused(f"asks for {_short(architecture['class_name'])} instead of a model")
    layers = sum(1 for name in _check_part(architecture) if name)
    if layers > MOST_LAYERS:
        raise Refused(f"has {layers} layers, more than {MOST_LAYERS}")
    architecture["config"]["layers"]  # a KeyError if there are none


def _check_part(part: object, key: str = "") -> Iterator[bool]:
    """Go through all of a description, and yield for each class whether it is a layer."""
    if isinstance(part, list):
        for item in part:
            yield from _check_part(item, key)
    elif isinstance(part, dict):
        name, module = part.get("class_name"), str(part.get("module"))
        if name is not None:
            if name not in ALLOWED.get(module, ()) or part.get("registered_name", name) not in (
                None,
                name,
            ):
                full = f"{module}.{name}" if module not in ("None", "keras.layers") else name
                raise Refused(
                    f"asks for {_short(full)}, which is not allowed; Keras's own layers that only "
                    "compute are"
                )
            yield module.startswith(("keras.layers", "keras.src.ops"))
        for key, value in part.items():
            yield from _check_part(value, key)
    elif isinstance(part, str):
        if key.endswith("activation") and part not in dir(keras.activations):
            raise Refused(f"asks for an activation that Keras does not have: {_short(part)}")
    elif part is not None and key != "seed":
        most = MOST_REPEATS if key in REPEATS else MOST_VALUES
        if isinstance(part, int) and abs(part) > most:
            raise Refused(f"is too large: {_short(key)} is {_short(part)}, more than {most}")


def _short(text: object) -> str:
    return str(text)[:100]


def build(architecture: dict) -> "Model":
    """Build what a checked description describes, unless it is too large: Refused.

    Within the scope, Keras only notes the shapes of the variables; they are made when it is left,
    and it is left only if they are small enough. What is noted belongs to the thread, and ends
    with it.
    """

    def build_here() -> "Model":
        scope = keras.StatelessScope()
        scope.__enter__()
        layers = architecture["config"]["layers"]
        if architecture["class_name"] == "Sequential" and layers[0]["class_name"] == "InputLayer":
            # All layers at once: Keras would build it anew with each.
            layers = [keras.layers.deserialize(layer) for layer in layers]
            model = keras.Sequential(layers, name=architecture["config"]["name"])
        else:
            model = keras.models.model_from_json(json.dumps(architecture))
        _check_sizes(model)
        scope.__exit__()
        return model

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build_here).result()


def _check_sizes(model: "Model") -> None:
    inputs, outputs = [[tensor.shape for tensor in ends] for ends in (model.inputs, model.outputs)]
    if inputs not in ([(None, 28, 28, 1)], [(None, 28, 28)]):
        raise Refused(f"takes {_named(inputs)} instead of images of 28x28 pixels; {INPUT}")
    if outputs != [(None, 10)]:
        raise Refused(f"gives {_named(outputs)} instead of ten probabilities; {SOFTMAX}")
    parameters = sum(math.prod(variable.shape) for variable in model.variables)
    if not parameters <= MOST_VALUES:
        raise Refused(f"is too large: it has {parameters} parameters")
    for layer, values in _values(model):
        if not values <= MOST_VALUES:
            raise Refused(f"is too large: {_short(layer.name)} gives {values} values an image")


def _named(shapes: list[tuple]) -> str:
    return " and ".join("x".join(map(str, shape[1:])) for shape in shapes) or "nothing"


def _values(model: "Model", times: int = 1) -> Iterator[tuple["keras.Layer", int]]:
    """Yield each layer, wherever it is used, with how many values it gives for an image."""
    calls = []
    if hasattr(model, "operations"):  # a graph, where a layer may stand in several places

        def note(layer: "keras.Layer", *args: object, **kwargs: object) -> object:
            outputs = layer(*args, **kwargs)
            calls.append((layer, args, outputs))
            return outputs

        keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=note)
    else:
        calls = [(layer, layer.input, layer.output) for layer in model.layers]
    for layer, inputs, outputs in calls:
        shapes = [tensor.shape[1:] for tensor in keras.tree.flatten(outputs)]
        if any(None in shape for shape in shapes):
            raise Refused(f"has a layer of unknown size: {_short(layer.name)}")
        values = times * sum(map(math.prod, shapes))
        if "Attention" in type(layer).__name__:  # it compares every place with every other
            heads = getattr(layer, "num_heads", getattr(layer, "num_query_heads", None))
            places = [math.prod(x.shape[1:-1]) for x in keras.tree.flatten(inputs)]
            values += times * max(places) ** 2 * (heads or shapes[0][-1])
        yield layer, values
        if hasattr(layer, "layers"):
            yield from _values(layer, times)
        elif hasattr(getattr(layer, "layer", None), "layers"):  # a model, once for each step
            yield from _values(layer.layer, times * shapes[0][0])


# ------------------------------------------------------------ what it computes


def check_probabilities(model: "Model") -> None:
    """Raise Refused unless the model gives probabilities, tried on a few images."""
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28))
    images[0] = 0
    outputs = predict(model, images)
    if not np.isfinite(outputs).all():
        raise Refused("gives no numbers (NaN); its weights are damaged, or its training failed")
    sums = outputs.sum(axis=1)
    if outputs.min() < 0 or abs(sums - 1).max() > 0.01:  # half precision is off by less
        raise Refused(
            f"gives no probabilities: its ten outputs add up to {sums[-1]:.4g} and not to 1; "
            + SOFTMAX
        )


def check_model(model: "Model") -> None:
    """Raise Refused if what `save_model` writes of this model would be refused."""
    if not model.built:
        model.build((None, 28, 28, 1))
    architecture = without_training(json.loads(model.to_json()))
    check_description(architecture)
    build(architecture)
    if model.inputs[0].shape[0] is not None:
        raise Refused("takes batches of one size only; leave the size out of its Input")
    check_probabilities(model)


# -------------------------------------------------------------------- weights


def check_weights(file: h5py.File) -> None:
    """Raise Refused unless all in an open HDF5 file lies in it and has a decent size."""
    groups, seen, total = [(file, "")], 0, 0
    while groups:
        group, path = groups.pop()
        for name in group:
            if name in UNUSED and not path:
                continue
            seen += 1
            here = f"{path}/{name}"[:100]
            if seen > 20 * MOST_LAYERS or len(path) > 500:
                raise Refused("holds too many parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"points elsewhere: {here}")
            part = group[name]
            if isinstance(part, h5py.Group):
                groups.append((part, f"{path}/{name}"))
                continue
            if not isinstance(part, h5py.Dataset) or part.dtype.kind not in "fiu":
                raise Refused(f"holds something other than numbers: {here}")
            if part.external or part.is_virtual:
                raise Refused(f"points elsewhere: {here}")
            total += part.nbytes
            if total > MOST_BYTES:
                raise Refused(f"unpacks to more than {MOST_BYTES // 2**20} MB")


def check_file(file: Path) -> None:
    """Raise Refused if it is not a plain file of a decent size."""
    if not file.is_file():
        raise Refused("is not a file")
    if file.stat().st_size > MOST_BYTES:
        raise Refused(f"is larger than {MOST_BYTES // 2**20} MB")
