"""Models that plain Keras saved open, in every way that people save them, or the mend is said."""

import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from conftest import refuses
from digits.model import allowed, loading
from digits.model.evaluation import predict

layers = keras.layers
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype("uint8")


def small():
    """A model in whose description much can differ from release to release."""
    first = [keras.Input((28, 28)), layers.Rescaling(1 / 255)]
    rows = layers.Dense(8, kernel_initializer="orthogonal", name="rows")
    others = [layers.BatchNormalization(), layers.AveragePooling1D(7), layers.LSTM(6)]
    return keras.Sequential([*first, rows, *others, layers.Dense(10, activation="softmax")])


def graph():
    """A functional model, as Keras 3.8 and earlier describe its ends."""
    pixels = keras.Input((28, 28))
    x = layers.Dense(8)(pixels / 255)
    x = layers.GroupQueryAttention(4, 2, 1)(x, x)
    x = keras.ops.concatenate([x, keras.ops.ones_like(x)], axis=-1)
    return keras.Model(pixels, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))


@pytest.fixture(autouse=True)
def no_trial(monkeypatch):
    """On which scale a model was trained is tested elsewhere, and takes long to find out."""
    monkeypatch.setattr(loading, "scale_warning", lambda model: None)


@pytest.fixture(scope="module", params=[small, graph])
def saved(request, tmp_path_factory):
    """A folder with a trained model, saved in all ways, and its probabilities."""
    keras.utils.set_random_seed(0)
    folder, model = tmp_path_factory.mktemp("saved"), request.param()
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)  # sooner done
    model.fit(IMAGES, np.arange(20) % 10, verbose=0)
    (folder / "model.json").write_text(model.to_json())
    for name in ("model.h5", "model.keras"):
        model.save(folder / name)
    model.save_weights(folder / "model.weights.h5")
    (folder / "config.json").write_text(json.dumps(model.get_config()))
    return folder, predict(model, IMAGES)


ONLY_SMALL = pytest.mark.parametrize("saved", [small], indirect=True)


@pytest.fixture
def files(saved, tmp_path):
    """Take some of these files into an empty folder, each under a name given by the keyword."""

    def take(*names, **renamed):
        for name in names:
            shutil.copy(saved[0] / name, tmp_path)
        for new, name in renamed.items():
            shutil.copy(saved[0] / name, tmp_path / new.replace("_", "."))
        return tmp_path

    take.probabilities = saved[1]
    return take


def opens(place, probabilities):
    np.testing.assert_allclose(predict(loading.load_model(place), IMAGES), probabilities, atol=1e-6)


def test_whatever_holds_a_whole_model_opens_as_a_folder_or_a_file(files):
    for taken in (
        {"model_json": "model.json", "model_h5": "model.h5"},
        {"model_json": "model.json", "model_h5": "model.weights.h5"},
        {"model_json": "model.json", "model_weights_h5": "model.weights.h5"},
        {"model_json": "config.json", "model_h5": "model.h5"},
        {"mine_h5": "model.h5"},
        {"mine_keras": "model.keras"},
        {"model_h5": "model.keras"},
        {"model_json": "model.json", "model_h5": "model.keras"},
    ):
        folder = files(**taken)
        for place in (folder, *folder.iterdir()):
            opens(place, files.probabilities)
        for file in folder.iterdir():
            file.unlink()


@ONLY_SMALL
def test_json_in_json_is_read(files):
    folder = files("model.json", "model.h5")
    (folder / "model.json").write_text(json.dumps((folder / "model.json").read_text()))
    opens(folder, files.probabilities)


@ONLY_SMALL
def test_a_damaged_description_does_not_hide_a_whole_file(files):
    folder = files("model.json", "model.h5")
    (folder / "model.json").write_text("[]")
    words = r"model.json is no .*; name .*model.h5 itself to read"
    assert refuses(loading.load_model, folder, words)
    opens(folder / "model.h5", files.probabilities)


def reworded(change):
    """Return what changes the description in both files of a pair."""

    def reword(folder):
        file = folder / "model.json"
        file.write_text(change(file.read_text()))
        with h5py.File(folder / "model.h5", "r+") as h5:
            h5.attrs["model_config"] = change(h5.attrs["model_config"])

    return reword


def as_older_keras_3(text):
    description = json.loads(text)
    for ends in {"input_layers", "output_layers"} & set(description["config"]):
        description["config"][ends] = [description["config"][ends]]
    text = json.dumps(description).replace('"Orthogonal"', '"OrthogonalInitializer"')
    return text.replace('"GroupQueryAttention"', '"GroupedQueryAttention"')


def test_what_older_releases_of_keras_3_wrote_opens_without_a_word(files, capfd, recwarn):
    folder = files("model.json", "model.h5")
    reworded(as_older_keras_3)(folder)
    opens(folder, files.probabilities)
    opens(folder / "model.h5", files.probabilities)
    assert capfd.readouterr() == ("", "")
    assert not [w for w in recwarn if "structure of" in str(w.message)]


def as_keras_2(text):
    """Return a description as Keras 2 wrote it."""

    def old(part):
        if isinstance(part, list):
            return [old(item) for item in part]
        if not isinstance(part, dict):
            return part
        part = {key: old(value) for key, value in part.items() if key not in ("module", "optional")}
        if part.get("class_name") == "DTypePolicy":
            return part["config"]["name"]
        for shape in {"batch_shape"} & set(part):
            part["batch_input_shape"] = part.pop(shape)
        part |= {"time_major": False} if "recurrent_activation" in part else {}
        part |= {"axis": [2]} if "momentum" in part else {}
        part.pop("registered_name", None)
        for newer in ("quantization_config", "renorm", "renorm_clipping", "renorm_momentum"):
            part.pop(newer, None)
        return part

    return json.dumps(old(json.loads(text)) | {"keras_version": "2.15.0"})


def write_as_keras_2(folder):
    reworded(as_keras_2)(folder)
    with h5py.File(folder / "model.h5", "r+") as file:
        for group in (file, file["model_weights"]):
            group.attrs["keras_version"] = "2.15.0"


@ONLY_SMALL
def test_keras_2_opens_where_keras_3_can_build_it(files):
    folder = files("model.json", "model.h5")
    write_as_keras_2(folder)
    opens(folder, files.probabilities)


@pytest.mark.parametrize("weights_alone", [False, True])
def test_weights_of_keras_2_go_into_the_same_layers_built_anew(files, weights_alone):
    folder = files("model.json", "model.h5")
    anew = (folder / "model.json").read_text()
    write_as_keras_2(folder)
    (folder / "model.json").write_text(anew)
    if weights_alone:  # what save_weights wrote is what model.save keeps in a group
        with h5py.File(folder / "model.h5") as whole, h5py.File(folder / "w.h5", "w") as alone:
            for name in whole["model_weights"]:
                whole.copy(whole["model_weights"][name], alone)
            alone.attrs.update(whole["model_weights"].attrs)
        (folder / "w.h5").replace(folder / "model.h5")
    opens(folder, files.probabilities)


@pytest.mark.parametrize("instead", ['"TFOpLambda"', '"ConvLSTM3D"'])
@ONLY_SMALL
def test_what_keras_2_wrote_and_keras_3_cannot_build_gets_the_mend(files, instead):
    folder = files("model.json", "model.h5")
    reworded(lambda text: text.replace('"LSTM"', instead))(folder)
    write_as_keras_2(folder)
    words = r"by Keras 2, .*build the same layers with Keras 3 and"
    assert refuses(loading.load_model, folder, words)


PAIR = r'write the pair with open\("model.json", "w"\)'


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        ({"model_h5": "model.weights.h5"}, f"alone, and no model.json is beside it; {PAIR}"),
        ({"model_json": "model.json"}, f"half a model: .*model.h5 is missing; {PAIR}"),
        ({"a_keras": "model.keras", "b_h5": "model.h5"}, "2 models in .*: a.keras, b.h5; name one"),
    ],
    ids=["weights", "description", "two"],
)
@ONLY_SMALL
def test_half_a_model_gets_the_command_that_makes_the_pair(files, taken, message):
    assert refuses(loading.load_model, files(**taken), message)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b"\x80\x04\x95\x0b", "a pickle"),
    ],
)
def test_what_is_no_model_is_called_what_it_is(fresh, content, kind):
    for name in ("model.json", "model.h5"):
        (fresh / name).write_bytes(content)
        assert refuses(loading.load_model, fresh, rf"{name} is no .*it is {kind}")


def test_a_saved_model_of_tensorflow_gets_the_mend(tmp_path):
    (tmp_path / "saved_model.pb").touch()
    assert refuses(loading.load_model, tmp_path, f"is a SavedModel, .*{PAIR}")


@ONLY_SMALL
def test_the_state_of_the_training_does_not_count(files, monkeypatch):
    folder = files("model.json", "model.h5")
    with h5py.File(folder / "model.h5") as file:
        sizes = []
        file["model_weights"].visititems(lambda _, part: sizes.append(getattr(part, "nbytes", 0)))
    monkeypatch.setattr("digits.model.weight_checks.MOST_BYTES", sum(sizes))
    opens(folder, files.probabilities)


# --------------------------------------------------------------- hostile files, refused


def hostile_archive(target, config, weights):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"[" * (allowed.MOST_TEXT + 1), "unpacks to too much"),
        (b"{}", "is no whole model file"),
        (b'{"class_name": "Lambda", "config": {"layers": []}}', "is damaged or cut short"),
    ],
)
def test_hostile_archives_are_refused(tmp_path, config, message):
    hostile_archive(tmp_path / "a.keras", config, b"no HDF5")
    assert refuses(loading.load_model, tmp_path / "a.keras", f"a.keras .*{message}")


@ONLY_SMALL
def test_hostile_descriptions_are_refused_wherever_they_lie(files):
    folder = files("model.h5", "model.keras")
    with zipfile.ZipFile(folder / "model.keras") as archive:
        config, weights = (archive.read(n) for n in ("config.json", "model.weights.h5"))
    hostile_archive(folder / "model.keras", config.replace(b'"LSTM"', b'"Lambda"'), weights)
    with h5py.File(folder / "model.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"LSTM"', '"Lambda"')
    for file in folder.iterdir():
        words = f"{file.name} asks for .*Lambda, which is not allowed"
        assert refuses(loading.load_model, file, words)


def named_elsewhere(file):
    file.create_dataset("optimizer/big", (10**6, 10**6), "f4", chunks=(999, 999), compression=1)
    file["model_weights/rows"].attrs["weight_names"] = ["/optimizer/big"]


def named_often(file):
    dense = file["model_weights/rows"]
    del dense.attrs["weight_names"]
    dense["big"] = np.zeros((1000, 1000), "f4")
    for part in range(4):
        dense.attrs[f"weight_names{part}"] = np.array([b"big"] * 1000)


def linked(file):
    file["optimizer/x"] = h5py.ExternalLink("/etc/passwd", "/")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (named_elsewhere, "names what is not in it"),
        (named_often, "unpacks to more than"),
        (linked, "points"),
    ],
)
@ONLY_SMALL
def test_hostile_names_of_weights_are_refused(files, change, message):
    folder = files("model.json", "model.h5")
    with h5py.File(folder / "model.h5", "r+") as file:
        change(file)
    assert refuses(loading.load_model, folder, message)
