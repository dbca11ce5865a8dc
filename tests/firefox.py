"""Firefox as the system brings it, driven by WebDriver BiDi, which it speaks itself."""

import json
import re
import shutil
import subprocess
import time

import pytest

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


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
