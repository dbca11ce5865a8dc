"""The browsers of the system: Chromium, and Firefox by WebDriver BiDi, which it speaks itself.

And Node, which runs the page's scripts as browsers do.
"""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(not NODE, reason="needs Node: install Debian's package nodejs")
STATIC = Path(__file__).parent.parent / "digits" / "page" / "static"
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


def run_in_node(folder, script, **files):
    """Run a script in a folder with the page's scripts and these files; return what it prints."""
    shutil.copytree(STATIC, folder, dirs_exist_ok=True)
    files |= {"package.json": b'{"type": "module"}', "run.js": script.encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    done = subprocess.run([NODE, "run.js"], cwd=folder, capture_output=True, text=True)
    assert not done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def browser():
    """Chromium, started once."""
    if not CHROMIUM:
        pytest.skip("needs a browser: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


PHONE = {"has_touch": True, "is_mobile": True}


@pytest.fixture
def open_in_chromium(browser):
    """Open an address in a browser of its own; no mistake in the page's code may be left."""
    contexts, mistakes = [], []

    def open_page(address, width, height, script=None, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(error))
        page.add_init_script(script or "")
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not mistakes


def expect(locator):
    from playwright.sync_api import expect

    return expect(locator)


def axe_finds_nothing(page):
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(300)  # what fades in is there
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps(found, indent=1)[:3000]
    return True


def fingers_hit(page, controls):
    for control in page.locator(controls).all():
        size = control.bounding_box()
        assert size["width"] >= 44 and size["height"] >= 44, control.inner_html()
    return True


class Firefox:
    """As much of https://w3c.github.io/webdriver-bidi/ as it takes to open a page and to draw."""

    def __init__(self, socket):
        self.socket, self.count = socket, 0
        self.call("session.new", capabilities={})
        self.tab = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method, **params):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv(timeout=60))).get("id") != self.count:
            pass  # an event
        assert answer["type"] == "success", answer
        return answer["result"]

    def open(self, address):
        self.call("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def evaluate(self, expression):
        target = {"context": self.tab}
        answer = self.call(
            "script.evaluate", expression=expression, target=target, awaitPromise=True
        )
        return answer["result"].get("value")

    def stroke(self, kind, places):
        (x, y), *rest = places
        actions = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            *({"type": "pointerMove", "x": x, "y": y, "duration": 100} for x, y in rest),
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}}
        self.call(
            "input.performActions", context=self.tab, actions=[pointer | {"actions": actions}]
        )

    def reads(self, digits):
        for _ in range(100):
            number = self.evaluate("document.querySelector('#number').textContent").strip()
            if number == digits and not self.evaluate("document.body.classList.contains('stale')"):
                return True
            time.sleep(0.1)
        return False


@pytest.fixture
def firefox(tmp_path):
    if not FIREFOX:
        pytest.skip("needs Firefox: install Debian's package firefox-esr")
    from websockets.sync.client import connect

    command = [FIREFOX, "--headless", "--no-remote", "--profile", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--remote-debugging-port", "0"], stderr=subprocess.PIPE, text=True
    )
    lines = (re.search(r"BiDi listening on (ws://\S+)", line) for line in process.stderr)
    with connect(next(filter(None, lines))[1] + "/session", max_size=None) as socket:
        yield Firefox(socket)
    process.kill()
    process.communicate()
