"""Check a model's description before anything in it is built or run, and what it computes after."""

import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from digits.command_line import UserError, note
from digits.model import quiet_keras as keras
from digits.model.allowed import (
    ALLOWED,
    COMPUTED,
    FLATTEN,
    INPUT,
    KINDS,
    LOOPS,
    MOST_LAYERS,
    MOST_REPEATS,
    MOST_VALUES,
    RECURRENT,
    REPEATS,
    SOFTMAX,
    Refused,
)
from digits.model.descriptions import without_training
from digits.model.evaluation import predict
from digits.model.initializers import restore_initializers, without_initializers
from digits.model.trial import raw_values_warning

if TYPE_CHECKING:
    from keras import Model


def check_description(architecture: dict) -> None:
    """Raise Refused unless this describes a model made of what is `ALLOWED`.

    KeyError, TypeError and the like if it is no description at all.
    """
    if architecture["class_name"] not in ("Sequential", "Functional"):
        name = _short(architecture["class_name"])
        raise Refused(f"is of the class {name}; {KINDS}")
    layers = sum(_check_part(architecture))
    if layers > MOST_LAYERS:
        counted = f"more than {MOST_LAYERS}; a recurrent one counts as {RECURRENT}"
        raise Refused(f"has {layers} layers, {counted}")
    architecture["config"]["layers"]  # a KeyError if there are none


def _check_part(part: object, key: str = "") -> Iterator[int]:
    """Go through all of a description, and yield for each class how many layers it counts as."""
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
                only = "Keras's own layers that only compute are"
                only += f", {COMPUTED}" if name in ("__tensor__", "__numpy__") else ""
                raise Refused(f"asks for {_short(full)}, which is not allowed; {only}")
            is_layer = module.startswith(("keras.layers", "keras.src.ops"))
            yield is_layer * (RECURRENT if "RNN" in name or name in LOOPS else 1)
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
        cheap = without_initializers(architecture)
        layers = cheap["config"]["layers"]
        if cheap["class_name"] == "Sequential" and layers[0]["class_name"] == "InputLayer":
            # All layers at once: Keras would build it anew with each.
            layers = [keras.layers.deserialize(layer) for layer in layers]
            model = keras.Sequential(layers, name=cheap["config"]["name"])
        else:
            model = keras.models.model_from_json(json.dumps(cheap))
        _check_sizes(model)
        scope.__exit__()
        restore_initializers(model, architecture)
        return model

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build_here).result()


def _check_sizes(model: "Model") -> None:
    inputs, outputs = [[tensor.shape for tensor in ends] for ends in (model.inputs, model.outputs)]
    if inputs not in ([(None, 28, 28, 1)], [(None, 28, 28)]):
        raise Refused(f"takes {_named(inputs)} instead of images of 28x28 pixels; {INPUT}")
    if outputs != [(None, 10)]:
        mend = FLATTEN if len(outputs) == 1 and len(outputs[0]) > 2 else SOFTMAX
        raise Refused(f"gives {_named(outputs)} instead of ten probabilities; {mend}")
    if not all(layer.name for layer in model.layers):
        raise Refused("has a layer without a name; leave its name out, or give it one")
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


def check_before_training(model: object) -> None:
    """Raise UserError for what would be refused once it is trained, or is no model at all.

    A line on stderr says if the model misses a scale for its grey values.
    """
    if model is None:
        raise UserError("build_model returns nothing; let it end in: return model")
    if not isinstance(model, keras.Model):
        raise UserError(f"build_model returns {_short(repr(model))}, which is no Keras model")
    if not type(model).__module__.startswith("keras."):
        raise UserError(f"build_model returns a class of its own, {type(model).__name__}; {KINDS}")
    try:
        check_model(model)
    except Refused as error:
        raise UserError(f"load_model.py would refuse this model: it {error}") from None
    if warning := raw_values_warning(model):
        note(warning)
