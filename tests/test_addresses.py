"""The page under other names: behind a proxy, in the home network, at another port."""

import json
import socket
import threading
import urllib.error
import urllib.request
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import werkzeug.serving

import draw
from conftest import ROOT, drawn_seven, png
from digits.page import addresses, server

PUBLIC = "https://seven-8000.app.example"


def start(running):
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    return running


@pytest.fixture
def behind_proxy(learner):
    """Start the server and a reverse proxy before it; return how a browser posts a picture.

    With `keep_host` the proxy passes on the name that the browser asked for, as many are set
    up to do; without, it names the server, as nginx does by itself and Codespaces too.
    """
    started = []

    def run(keep_host, origins=()):
        app = server.create_app(learner, origins=origins)
        inner = start(werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True))

        class Proxy(BaseHTTPRequestHandler):
            def do_POST(self):
                headers = dict(self.headers) | {"X-Forwarded-Proto": "https"}
                headers["X-Forwarded-Host"] = headers["Host"]
                if not keep_host:
                    headers["Host"] = f"localhost:{inner.server_port}"
                body = self.rfile.read(int(headers["Content-Length"]))
                address = f"http://127.0.0.1:{inner.server_port}{self.path}"
                try:
                    asked = urllib.request.Request(address, body, headers, method="POST")
                    answer = urllib.request.urlopen(asked, timeout=60)
                except urllib.error.HTTPError as error:
                    answer = error
                with closing(answer):
                    self.send_response(answer.status)
                    self.end_headers()
                    self.wfile.write(answer.read())

            def log_message(self, *_):
                pass

        outer = start(ThreadingHTTPServer(("127.0.0.1", 0), Proxy))
        started.extend((inner, outer))

        def post(origin, **more):
            headers = {"Host": PUBLIC.partition("//")[2], "Content-Type": "image/png"}
            headers |= {"Origin": origin} | {k.replace("_", "-"): v for k, v in more.items()}
            address = f"http://127.0.0.1:{outer.server_port}/read"
            asked = urllib.request.Request(address, png(drawn_seven()), headers, method="POST")
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    return answer.status, json.load(answer)["digits"]
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, json.load(error)["error"]

        return post

    yield run
    for running in started:
        running.shutdown()
        running.server_close()


@pytest.mark.parametrize("keep_host", [False, True])
def test_the_page_behind_a_proxy_once_its_origin_is_named(behind_proxy, keep_host):
    code, text = behind_proxy(keep_host)(PUBLIC)
    assert code == 403 and text.endswith(f"start draw.py with --origin {PUBLIC}")
    post = behind_proxy(keep_host, [PUBLIC])
    assert post(PUBLIC) == (200, "7")
    assert post("https://evil.example")[0] == 403
    assert post("null")[0] == 403


def test_a_proxy_that_names_the_server_needs_nothing_if_the_browser_vouches(behind_proxy):
    post = behind_proxy(keep_host=False)
    assert post(PUBLIC, Sec_Fetch_Site="same-origin") == (200, "7")
    for site in ("cross-site", "same-site", "none"):
        assert post("https://evil.example", Sec_Fetch_Site=site)[0] == 403


def test_names_of_the_machine_and_no_others(learner, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "RaspberryPi.home.example")
    monkeypatch.setattr(addresses, "network_address", lambda family: "192.168.7.7")
    asks = server.create_app(learner).test_client().get
    for name in ("raspberrypi", "raspberrypi.local:8000", "RASPBERRYPI.local", "192.168.7.7:8000"):
        assert asks("/state", headers={"Host": name}).status_code == 200, name
    for name in ("raspberrypi.evil.example", "otherpi.local", "192.168.7.8", "local"):
        answer = asks("/state", headers={"Host": name})
        assert answer.status_code == 403 and f"--origin http://{name}" in answer.json["error"]
    headers = {"Host": "raspberrypi.local:8000", "Origin": "http://raspberrypi.local:8001"}
    assert asks("/state", headers=headers).status_code == 403  # another server there


def test_on_all_addresses_a_name_is_refused_still(learner):
    asks = server.create_app(learner, "0.0.0.0").test_client().get
    assert asks("/state", headers={"Host": "192.168.0.7"}).status_code == 200
    assert asks("/state", headers={"Host": "[fe80::7]:8000"}).status_code == 200
    assert asks("/state", headers={"Host": "evil.example"}).status_code == 403


@pytest.fixture
def printed(shipped, monkeypatch, capsys):
    """Return what draw.py prints before it serves."""

    def run(*arguments):
        class Server:
            def serve_forever(self):
                raise KeyboardInterrupt

        monkeypatch.setattr(draw, "load_model", lambda folder: shipped)
        monkeypatch.setattr(werkzeug.serving, "make_server", lambda *_, **__: Server())
        assert draw.main(["--no-browser", "--model", str(ROOT), *arguments]) == 0
        return capsys.readouterr()

    return run


def test_the_address_that_is_printed_works_on_another_device(printed, monkeypatch):
    monkeypatch.setattr(addresses, "network_address", lambda family: "192.168.7.7")
    assert "draw at http://192.168.7.7:" in printed("--host", "0.0.0.0", "--port", "0").out
    monkeypatch.setattr(addresses, "network_address", lambda family: None)
    assert "draw at http://127.0.0.1:" in printed("--host", "0.0.0.0", "--port", "0").out
    out = printed("--port", "0", "--origin", "HTTPS://Digits.example:443/").out
    assert out.endswith("/ or https://digits.example/ (Ctrl-C stops)\n")


def test_a_taken_port_is_not_the_end(printed, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for module in (addresses, draw):
            monkeypatch.setattr(module, "PORT", port)
        output = printed()
    other = int(output.out.split("/ (")[0].rpartition(":")[2])
    assert port < other < port + 100
    assert f": port {port} is taken; taking {other}\n" in output.err


@pytest.mark.parametrize(
    "text", ["digits.example", "ftp://x", "https://", "https://x/page", "null"]
)
def test_what_is_no_origin_is_said(text, capsys):
    with pytest.raises(SystemExit) as stopped:
        draw.parse_arguments(["--origin", text])
    assert stopped.value.code == 2 and "is not like https://" in capsys.readouterr().err
