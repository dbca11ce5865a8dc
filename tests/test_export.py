"""`python draw.py --export DIR`: the page as one file, without a server of ours."""

import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import keras
import numpy as np
import pytest

import draw
from conftest import ROOT, drawn_seven, png
from digits.command_line import UserError
from digits.model import load_model
from digits.page.export import export_page
from digits.reading.detector import network
from digits.reading.detector.network import build_detector, save_detector

MOST = 2_000_000  # bytes


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the page in a folder of its own; its detector has random weights."""
    folder = tmp_path_factory.mktemp("site")
    save_detector(build_detector(), np.zeros((2, 7)), folder / "detector.npz")
    with detector_in(folder / "detector.npz"):
        export_page(load_model(ROOT), folder / "digits")
    (folder / "detector.npz").unlink()
    return folder


@contextmanager
def detector_in(file):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(network, "WEIGHTS", file)
        network.load_detector.cache_clear()
        yield
    network.load_detector.cache_clear()


@pytest.fixture(scope="module")
def web_host(site):
    """The address of the page on a plain static server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    process = subprocess.Popen(command, cwd=site, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/digits/"
    process.kill()
    process.communicate()


def test_it_is_one_small_file_that_needs_nothing_else(site):
    (file,) = (file for file in site.rglob("*") if file.is_file())
    assert file.name == "index.html" and file.stat().st_size < MOST
    text = re.sub(r"base64,[\w+/=]*", "", file.read_text("utf-8"))
    text = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r'(?:src|href)="(?!data:|#)|https?:|url\(', text)


def test_the_command_says_what_it_wrote(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert draw.main(["--export", "site"]) == 0
    assert capfd.readouterr() == (f"saved {tmp_path}/site/index.html\n", "")


def test_a_model_that_the_browser_cannot_run_is_no_page(tmp_path):
    layers = keras.layers
    first = [layers.Input((28, 28, 1)), layers.Flatten(), layers.LayerNormalization()]
    with pytest.raises(UserError, match="cannot run"):
        export_page(keras.Sequential([*first, layers.Dense(10, "softmax")]), tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").write_text("a file is in its place")
    with pytest.raises(UserError, match=r"^[^\n]*site[^\n]*choose another[^\n]*\Z"):
        draw.main(["--export", "site"])


def from_disk(site, _):
    return (site / "digits" / "index.html").as_uri()


def from_web_host(_, web_host):
    return web_host


@pytest.fixture
def opened(site, web_host, browser):
    """Open the page; at the end there was no mistake in its scripts, and nothing was sent."""
    page, mistakes, posted = browser.new_page(), [], []
    page.on("pageerror", lambda error: mistakes.append(error))
    page.on("request", lambda request: request.method == "POST" and posted.append(request))

    def open_at(where):
        page.goto(where(site, web_host))
        return page

    yield open_at
    assert not mistakes and not posted
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("where", [from_web_host, from_disk])
def test_it_reads_in_chromium(where, opened):
    from playwright.sync_api import expect

    page = opened(where)
    for button, digits in ((1, "2026"), (2, r"48 16\s*307")):
        page.locator("#examples button").nth(button).click()
        expect(page.locator("#number")).to_have_text(re.compile(rf"^\s*{digits}\s*$"))
        page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.reload()
    expect(page.locator("#number")).to_have_text(re.compile("48"))
    page.locator(".card").first.click()
    page.get_by_label("Another digit").select_option("9")
    expect(page.locator("#number")).to_have_text(re.compile(r"^\s*98 16\s*307\s*$"))
    for absent in ("#learning", "#keep", "#lost"):
        expect(page.locator(absent)).to_be_hidden()
    assert "draw.py" not in page.locator("main").inner_text()


LONGEST = """
let last = performance.now();
window.longest = 0;
setInterval(() => {
  const now = performance.now();
  [longest, last] = [Math.max(longest, now - last), now];
}, 10);
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", [from_web_host, from_disk])
def test_a_photo_is_read_and_the_page_goes_on(where, opened):
    page = opened(where)
    page.evaluate(LONGEST)
    seven = {"name": "seven.png", "mimeType": "image/png", "buffer": png(drawn_seven(600))}
    page.set_input_files("#file", seven)
    page.locator("#waiting", has_text=re.compile(r"\d %")).wait_for()
    page.locator("#waiting").wait_for(state="hidden", timeout=120_000)
    assert page.locator("#remark").inner_text() and not page.locator("#trouble").inner_text()
    assert page.evaluate("longest") < 1000  # ms
    heic = {"name": "a.heic", "mimeType": "image/heic", "buffer": b"no picture"}
    page.set_input_files("#file", heic)
    page.get_by_text("a.heic: not a picture that this browser opens").wait_for()


@pytest.mark.slow
def test_without_a_detector_no_picture_is_offered(tmp_path, browser):
    with detector_in(tmp_path / "none.npz"):
        file = export_page(load_model(ROOT), tmp_path)
    page = browser.new_page()
    page.goto(file.as_uri())
    page.locator("#examples button").nth(1).click()
    page.locator("#number", has_text="2026").wait_for()
    assert page.locator("#bring").is_hidden()
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("where", [from_web_host, from_disk])
def test_it_reads_in_firefox(where, site, web_host, firefox):
    firefox.open(where(site, web_host))
    firefox.evaluate("document.querySelectorAll('#examples button')[1].click()")
    assert firefox.reads("2026")


BRING = """
const canvas = Object.assign(document.createElement("canvas"), { width: 600, height: 600 });
const context = canvas.getContext("2d");
context.fillStyle = "#fff";
context.fillRect(0, 0, 600, 600);
canvas.toBlob((blob) => {
  const data = new DataTransfer();
  data.items.add(new File([blob], "a.png"));
  document.querySelector("#file").files = data.files;
  document.querySelector("#file").dispatchEvent(new Event("change"));
});
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", [from_web_host, from_disk])
def test_a_photo_is_read_in_firefox(where, site, web_host, firefox):
    firefox.open(where(site, web_host))
    firefox.evaluate(BRING)
    for _ in range(600):
        time.sleep(0.1)
        if "found" in firefox.evaluate("document.querySelector('#remark').textContent"):
            break
    assert firefox.evaluate("document.querySelector('#remark').textContent") == "No digit found."
    assert not firefox.evaluate("document.querySelector('#trouble').textContent")
