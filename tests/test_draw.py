"""`python draw.py`: the server keeps strangers out, and answers its own page."""

import mimetypes
import re
import signal
import socket
import sys
import urllib.request
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

import draw
from conftest import ROOT, drawn_seven, is_user_error, png
from digits.model import predict
from digits.page import qr_code, server
from digits.reading import recognition

# ---------------------------------------------------------------- the server


@pytest.fixture
def client(learner):
    return server.create_app(learner).test_client()


def test_a_picture_is_read(client):
    response = client.post("/read", data=png(drawn_seven()), content_type="image/png")
    answer = response.get_json()
    assert response.status_code == 200 and answer["digits"] == "7"
    assert (answer["width"], answer["height"]) == (100, 100)
    (box,) = answer["boxes"]
    assert len(box["seen"]) == 784 and len(box["probabilities"]) == 10
    assert box["probabilities"][7] == pytest.approx(box["confidence"], abs=1e-3)
    assert not box["unsure"]


def test_images_get_probabilities_where_the_browser_cannot_run_the_model(client, shipped):
    images = np.stack([255 - drawn_seven(28, 2), np.zeros((28, 28), "uint8")])
    kind = {"content_type": "application/octet-stream"}
    answer = client.post("/predict", data=images.tobytes(), **kind).json["probabilities"]
    np.testing.assert_allclose(answer, predict(shipped, images), atol=1e-6)
    for body, content_type, code in ((b"x" * 785, "image/x", 400), (b"", "text/plain", 415)):
        assert client.post("/predict", data=body, content_type=content_type).status_code == code


def test_scripts_are_scripts_whatever_the_system_says(learner, monkeypatch):
    monkeypatch.setitem(mimetypes.types_map, ".js", "text/plain")
    mimetypes.add_type("text/plain", ".js")
    get = server.create_app(learner).test_client().get
    assert get("/page/page.js").content_type.startswith("text/javascript")
    assert get("/page/style.css").content_type.startswith("text/css")


def test_digits_that_touch_say_that_there_may_be_another_number_of_them(client, monkeypatch):
    monkeypatch.setattr(recognition, "LEAD", 1)  # so that the network's lead counts for less
    seven, page = drawn_seven(), np.full((100, 300), 255, "uint8")
    for left in (0, 48, 200):  # the first two overlap
        page[:, left : left + 100] = np.minimum(page[:, left : left + 100], seven)
    answer = client.post("/read", data=png(page), content_type="image/png").json
    certainties = [box["certainty"] for box in answer["boxes"]]
    assert answer["digits"] == "777"
    assert certainties[0] == certainties[1] < 0.95 and certainties[2] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "code", "words"),
    [
        (b"no picture", "image/png", 400, "not an image"),
        (b"", "image/png", 400, "not an image"),
        (b"x" * (server.LARGEST + 1), "image/png", 413, "10 MB"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "picture"),
        (b"{}", "text/plain", 415, "picture"),
    ],
)
def test_bad_bodies_get_a_line(client, body, content_type, code, words):
    response = client.post("/read", data=body, content_type=content_type)
    assert response.status_code == code and words in response.get_json()["error"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8000"}, 403),
        ({"Host": "192.168.0.7:8000"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost:8000", "Origin": "http://localhost:8000"}, 200),
        ({"Host": "localhost:8000", "Origin": "https://evil.example"}, 403),
        ({"Host": "localhost:8000", "Origin": "null"}, 403),
    ],
)
def test_only_the_page_itself_may_ask(client, headers, code):
    response = client.get("/state", headers=headers)
    assert response.status_code == code
    if code == 403:
        assert response.get_json()["error"]


@pytest.mark.parametrize(
    "path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page//etc/passwd", "/model.h5"]
)
def test_no_file_of_the_disk_can_be_asked_for(client, path):
    response = client.get(path, follow_redirects=True)
    assert response.status_code == 404 and response.get_json()["error"]


def test_the_page_comes_whole_from_here(client):
    names = (file.name for file in (ROOT / "digits/page/static").iterdir())
    for path in ("/", *(f"/page/{name}" for name in names)):
        response = client.get(path, follow_redirects=True)
        assert response.status_code == 200
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        text = response.get_data(as_text=True).replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text and "https:" not in text


# ---------------------------------------------------------------- the command


def test_it_answers_twenty_at_once_says_what_https_is_and_ends_on_ctrl_c(start_page):
    process, address = start_page("--port", 0)

    def ask(count):
        picture = png(np.hstack([drawn_seven()] * count))
        request = urllib.request.Request(
            address + "read", picture, {"Content-Type": "image/png"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read().decode()

    counts = [1 + i % 5 for i in range(20)]
    with ThreadPoolExecutor(20) as pool:
        for count, answer in zip(counts, pool.map(ask, counts), strict=True):
            assert f'"digits":"{"7" * count}"' in answer
    port = int(address.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as browser:
        browser.sendall(bytes.fromhex("16030100050100000100") + b"\n")
        browser.settimeout(20)
        browser.recv(100)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err.strip() == f"draw.py: no https here: open http://...:{port}/"


def test_a_port_in_use_is_named(script):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = script("draw.py", "--no-browser", "--model", ROOT, "--port", port)
    assert is_user_error(result, str(port), "choose another --port")


def test_no_network_is_named(script):
    assert is_user_error(script("draw.py", "--model", ".", "--port", 0), "no model", "cnn.py")


@pytest.mark.parametrize(
    ("browser", "window"),
    [(webbrowser.GenericBrowser("w3m"), False), (webbrowser.BackgroundBrowser("x"), True)],
)
def test_a_text_browser_does_not_take_the_terminal(monkeypatch, browser, window):
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    assert draw.has_window() == window


def test_a_phone_is_brought_there_by_a_qr_code():
    import cv2

    address = "http://192.168.178.35:8000/"
    lines = re.sub(r"\033\[[0-9;]*m", "", qr_code.qr_code(address)).splitlines()
    halves = {" ": (255, 255), "▄": (255, 0), "▀": (0, 255), "█": (0, 0)}
    rows = [[halves[block][half] for block in line] for line in lines for half in (0, 1)]
    image = np.kron(np.array(rows, "uint8"), np.ones((8, 8), "uint8"))
    assert cv2.QRCodeDetector().detectAndDecode(image)[0] == address


@pytest.mark.parametrize(
    ("encoding", "terminal", "shown"),
    [("utf-8", True, True), ("utf-8", False, False), ("cp1252", True, False), (None, True, False)],
)
def test_the_qr_code_is_for_terminals_that_can_show_it(monkeypatch, encoding, terminal, shown):
    stderr = SimpleNamespace(encoding=encoding, isatty=lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert qr_code.can_show("▀") == shown
