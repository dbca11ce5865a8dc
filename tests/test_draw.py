"""`python draw.py`: the server keeps strangers out, and the page reads what is drawn."""

import io
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT, drawn_seven, hear_ctrl_c, is_user_error
from digits import server

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
needs_browser = pytest.mark.skipif(
    not CHROMIUM, reason="needs a browser: install Debian's package chromium"
)


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


# ---------------------------------------------------------------- the server


@pytest.fixture
def client(shipped):
    return server.create_app(shipped).test_client()


def test_a_picture_is_read(client):
    response = client.post("/read", data=png(drawn_seven()), content_type="image/png")
    answer = response.get_json()
    assert response.status_code == 200 and answer["digits"] == "7"
    assert (answer["width"], answer["height"]) == (100, 100)
    (box,) = answer["boxes"]
    assert len(box["seen"]) == 784 and len(box["probabilities"]) == 10


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
        ({}, 204),
        ({"Host": "localhost:8000"}, 204),
        ({"Host": "[::1]:8000"}, 204),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8000"}, 403),
        ({"Host": "192.168.0.7:8000"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "localhost:8000", "Origin": "http://localhost:8000"}, 204),
        ({"Host": "localhost:8000", "Origin": "https://evil.example"}, 403),
        ({"Host": "localhost:8000", "Origin": "null"}, 403),
    ],
)
def test_only_the_page_itself_may_ask(client, headers, code):
    response = client.get("/alive", headers=headers)
    assert response.status_code == code
    if code == 403:
        assert response.get_json()["error"]


def test_on_all_addresses_a_name_is_refused_still():
    assert server.is_own_name("192.168.0.7", "0.0.0.0")
    assert not server.is_own_name("evil.example", "0.0.0.0")


@pytest.mark.parametrize(
    "path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page//etc/passwd", "/model.h5"]
)
def test_no_file_of_the_disk_can_be_asked_for(client, path):
    response = client.get(path, follow_redirects=True)
    assert response.status_code == 404 and response.get_json()["error"]


def test_the_page_comes_whole_from_here(client):
    for path in ("/", "/page/page.js", "/page/style.css", "/page/icon.svg"):
        response = client.get(path, follow_redirects=True)
        assert response.status_code == 200
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        text = response.get_data(as_text=True).replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text or path == "/page/page.js"


# ---------------------------------------------------------------- the command


def start(*arguments):
    command = [sys.executable, str(ROOT / "draw.py"), "--no-browser", "--model", str(ROOT)]
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    line = process.stdout.readline()
    assert line.startswith("draw at http://127.0.0.1:"), process.stderr.read()
    return process, line.split()[2]


@pytest.fixture(scope="module")
def address():
    process, address = start("--port", 0)
    yield address
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0 and not err.strip()  # Ctrl-C ends it cleanly


def test_twenty_at_once_are_not_mixed_up(address):
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


def test_a_port_in_use_is_named(script):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = script("draw.py", "--no-browser", "--model", ROOT, "--port", port)
    assert is_user_error(result, str(port), "choose another --port")


def test_no_network_is_named(script):
    assert is_user_error(script("draw.py", "--model", ".", "--port", 0), "no network", "cnn.py")


# ------------------------------------------------------------------- the page

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
FOUR = [[(0.3, 0.2), (0.25, 0.55), (0.75, 0.55)], [(0.62, 0.25), (0.6, 0.85)]]
TWO = [(0.28, 0.3), (0.4, 0.18), (0.6, 0.2), (0.68, 0.35), (0.55, 0.55), (0.3, 0.8), (0.75, 0.8)]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(error))
    page.goto(address)
    yield page
    page.close()
    assert not mistakes


def stroke(page, points, left=0.2, width=0.4):
    """Draw with the mouse; `left` and `width` are shares of the field."""
    box = page.locator("#paper").bounding_box()
    places = [
        (box["x"] + box["width"] * (left + width * x), box["y"] + box["height"] * y)
        for x, y in points
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def reads(page, digits):
    """Wait until the page shows these digits, one card for each."""
    from playwright.sync_api import expect

    expect(page.locator("#number")).to_have_text(digits)
    expect(page.locator("#digits li")).to_have_count(len(digits))
    return True


@needs_browser
def test_a_drawn_seven_is_read_and_announced(page):
    stroke(page, SEVEN)
    assert reads(page, "7")
    assert page.locator("#spoken").inner_text().startswith("7, ")
    assert page.locator("#digits li .bars i").count() == 10


@needs_browser
def test_two_digits_undo_and_clear(page):
    for line in FOUR:
        stroke(page, line, 0.05, 0.35)
    stroke(page, TWO, 0.5, 0.35)
    assert reads(page, "42")
    page.keyboard.press("Control+z")
    assert reads(page, "4")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Clear").click()
    assert reads(page, "") and page.locator("#hint").is_visible()
    assert page.get_by_role("button", name="Undo").is_disabled()


GIVE = """([way, bytes, name, type]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
    if (way === "drop") dispatchEvent(new DragEvent(way, { dataTransfer: transfer }));
    else dispatchEvent(new ClipboardEvent(way, { clipboardData: transfer }));
}"""


@needs_browser
def test_a_picture_is_dropped_pasted_or_chosen(page):
    for way in ("drop", "paste"):
        page.evaluate(GIVE, [way, list(png(drawn_seven())), "seven.png", "image/png"])
        assert reads(page, "7")
        page.get_by_role("button", name="Clear").click()
        assert reads(page, "")
    page.set_input_files("#file", {"name": "7.png", "mimeType": "", "buffer": png(drawn_seven())})
    assert reads(page, "7")


@needs_browser
def test_what_is_no_picture_is_said_and_drawing_goes_on(page):
    page.evaluate(GIVE, ["drop", [1, 2, 3], "x.txt", "text/plain"])
    page.get_by_role("alert").get_by_text("not an image").wait_for()
    stroke(page, SEVEN)
    assert reads(page, "7") and page.get_by_role("alert").is_hidden()


PRESS = """pressure => {
    const paper = document.querySelector("#paper"), { x, y } = paper.getBoundingClientRect();
    paper.setPointerCapture = () => {};  // no real pen, nothing to capture
    for (const [type, across] of [["down", 50], ["move", 150], ["up", 150]])
        paper.dispatchEvent(new PointerEvent("pointer" + type, { pointerType: "pen", pressure,
            button: 0, clientX: x + across, clientY: y + 80 }));
    const { data } = paper.getContext("2d").getImageData(0, 0, paper.width, paper.height);
    return data.filter((v, i) => i % 4 === 3 && v > 128).length;
}"""


@needs_browser
def test_a_pen_that_presses_harder_draws_wider(page):
    soft = page.evaluate(PRESS, 0.2)
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate(PRESS, 0.9) > 1.5 * soft > 0


@needs_browser
def test_a_dot_is_no_digit(page):
    stroke(page, [(0.5, 0.5), (0.5, 0.5)])
    page.locator("#remark").get_by_text("no digit found").wait_for()


@needs_browser
def test_nothing_is_cut_off_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    stroke(page, SEVEN)
    assert reads(page, "7")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
@needs_browser
def test_a_lost_server_is_said_and_found_again(browser):
    process, address = start("--port", 0)
    port = address.rstrip("/").rpartition(":")[2]
    page = browser.new_page()
    page.goto(address)
    process.kill()
    process.communicate()
    stroke(page, SEVEN)
    page.get_by_role("alert").get_by_text("does not answer").wait_for()
    process, _ = start("--port", port)
    assert reads(page, "7") and page.get_by_role("alert").is_hidden()
    page.close()
    process.kill()
    process.communicate()
