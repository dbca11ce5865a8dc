"""Descriptions of models: read as they are meant, without what does not belong to the model."""

import json

from digits.model.allowed import ALLOWED, NOT_THE_MODEL, OTHER_NAMES

MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}


def as_meant(description: object) -> dict:
    """Return a description like `model.to_json()`'s, from what JSON gave, without the training.

    It may have been dumped twice, or be a bare config. ValueError, TypeError and the like for what
    is no description.
    """
    if isinstance(description, str):  # json.dump(model.to_json(), file)
        description = json.loads(description)
    if "class_name" not in description and "layers" in description:  # model.get_config()
        name = "Functional" if "input_layers" in description else "Sequential"
        description = {"class_name": name, "config": description}
    return without_training(_with_modules(description))


def _with_modules(part: object, key: str = "") -> object:
    """Return a part of a description with the modules that HDF5 files and Keras 2 leave out."""
    if isinstance(part, list):
        return [_with_modules(item, key) for item in part]
    if not isinstance(part, dict):
        return part
    part = {inner: _with_modules(value, inner) for inner, value in part.items()}
    name, config = str(part.get("class_name", "__")), part.get("config")
    if "module" in part or name.startswith("__") or not isinstance(config, dict):
        return part
    if name in MODULES:
        module = MODULES[name]
    elif key.endswith(("_initializer", "_regularizer", "_constraint")):
        module = f"keras.{key.rsplit('_', 1)[1]}s"
    elif "trainable" in config or name == "InputLayer":
        module = "keras.layers"
    else:
        is_nn = name in ALLOWED["keras.src.ops.nn"]
        module = "keras.src.ops.nn" if is_nn else "keras.src.ops.numpy"
    return {"module": module, **part}


def without_training(part: object) -> object:
    """Return a description without what does not belong to the model itself.

    `build_config` would build a layer for whatever shape it names, `compile_config` make an
    optimizer, `shared_object_id` make two layers one. An unrolled loop computes the same as one
    that is not, but may be endless. The size of a batch is that of the first one in the training,
    if the model was built by it. A list of one input or output is that one, and a class has the
    name that the newest Keras gives it.
    """
    if isinstance(part, list):
        return [without_training(item) for item in part]
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if key not in NOT_THE_MODEL}
        kept |= {"unroll": False} if "unroll" in kept else {}
        if kept.get("time_major") is False:  # Keras 2
            del kept["time_major"]
        if isinstance(kept.get("axis"), list) and len(kept["axis"]) == 1:
            kept["axis"] = kept["axis"][0]
        for shape in ("batch_shape", "build_input_shape"):
            if isinstance(kept.get(shape), list):
                kept[shape] = [None, *kept[shape][1:]]
        for key in ("class_name", "registered_name"):
            if isinstance(kept.get(key), str):
                kept[key] = OTHER_NAMES.get(kept[key], kept[key])
        for ends in ("input_layers", "output_layers"):
            if isinstance(kept.get(ends), list) and len(kept[ends]) == 1:
                kept[ends] = kept[ends][0]
        return {key: without_training(value) for key, value in kept.items()}
    return part


def by_keras_2(description: dict) -> bool:
    """Tell whether Keras 2 wrote a description; Keras 3 can build some of these."""
    return str(description.get("keras_version", "3")).startswith(("1", "2"))


def same(one: dict, other: dict) -> bool:
    """Tell whether two descriptions are of one model; Keras words them a little differently."""

    def essence(part: object) -> object:
        if isinstance(part, list):
            return [essence(item) for item in part]
        if isinstance(part, dict):
            return {
                k: essence(v) for k, v in part.items() if k not in ("module", "registered_name")
            }
        return part

    one, other = (essence(without_training(model["config"])) for model in (one, other))
    return one == other
