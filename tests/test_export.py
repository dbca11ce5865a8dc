"""`python draw.py --export DIR`: the page as one file, without a server of ours."""

import re
import socket
import subprocess
import sys
import time

import keras
import pytest

import draw
from conftest import ROOT
from digits.command_line import UserError
from digits.model import load_model
from digits.page.export import export_page

MOST = 1_000_000  # bytes


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the page in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    export_page(load_model(ROOT), folder / "digits")
    return folder


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


@pytest.mark.slow
@pytest.mark.parametrize("where", [from_web_host, from_disk])
def test_it_reads_in_chromium(where, site, web_host, browser):
    from playwright.sync_api import expect

    page, mistakes, posted = browser.new_page(), [], []
    page.on("pageerror", lambda error: mistakes.append(error))
    page.on("request", lambda request: request.method == "POST" and posted.append(request))
    page.goto(where(site, web_host))
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
    for absent in ("#learning", "#file", "#camera", "#keep", "#lost"):
        expect(page.locator(absent)).to_be_hidden()
    assert "draw.py" not in page.locator("main").inner_text()
    assert not mistakes and not posted
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("where", [from_web_host, from_disk])
def test_it_reads_in_firefox(where, site, web_host, firefox):
    firefox.open(where(site, web_host))
    firefox.evaluate("document.querySelectorAll('#examples button')[1].click()")
    assert firefox.reads("2026")
