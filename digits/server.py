"""The local page on which people draw: what it asks, and what it gets.

    GET  /        the page, from digits/page/
    GET  /alive   204, so that the page notices when the server is gone
    POST /read    a picture as the body -> what was read, as JSON
    POST /inside  28x28 grey values, a byte each -> what the network makes of them, as JSON

It answers only to its own page: a foreign Host (DNS rebinding) or Origin (another site's
page that posts here) is refused. Every error is JSON with a line for people.
"""

from __future__ import annotations

import base64
import ipaddress
import threading
from urllib.parse import urlsplit

import numpy as np
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, abort

from digits import quiet_keras as keras
from digits.command_line import one_line, percent
from digits.evaluation import predict
from digits.inside import FeatureMaps, evidence, strongest
from digits.reading import UNSURE, read_pictures

LARGEST = 10 * 1024 * 1024  # bytes that a picture may have
OWN_NAMES = {"127.0.0.1", "localhost", "::1"}
HEADERS = {
    # Everything comes from here; a picture that is shown before it is sent is a blob.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(model: keras.Model, host: str = "127.0.0.1") -> Flask:
    """Return the server for one network; `host` is the address it will listen on."""
    app = Flask(__name__, static_folder="page", static_url_path="/page")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.json.sort_keys = False
    one_at_a_time = threading.Lock()  # twenty pictures at once need no more memory than one
    feature_maps = FeatureMaps(model)

    @app.before_request
    def refuse_strangers() -> None:
        try:
            name = urlsplit(f"//{request.host}").hostname or ""
        except ValueError:
            name = ""
        if not is_own_name(name, host):
            abort(403, f"{one_line(name)} is not the name of this server")
        origin = request.headers.get("Origin")
        if origin and origin != f"http://{request.host}":
            abort(403, "only the page itself may ask")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def as_json(error: HTTPException) -> tuple[Response, int]:
        text = error.description
        if error.code == 413:
            text = f"a picture may have {LARGEST // 2**20} MB; make it smaller"
        return jsonify(error=text), error.code

    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    @app.get("/alive")
    def alive() -> tuple[str, int]:
        return "", 204

    @app.post("/read")
    def read() -> tuple[Response, int]:
        body = body_of_the_page()
        with one_at_a_time:
            (reading,) = read_pictures(model, [("picture", body)], keep=1)
        if reading.failed:
            return jsonify(error=reading.error), 400
        answer = reading.as_dict() | {"sure": percent(reading.confidence)}
        height, width = reading.grey.shape
        for box, found in zip(answer["boxes"], reading.answers, strict=True):
            box["seen"] = found.digit.image.ravel().tolist()  # 784 grey values
            box["percents"] = [percent(p) for p in found.probabilities]
            box["sure"] = percent(found.confidence)
            box["unsure"] = found.confidence < UNSURE
        return jsonify(width=width, height=height, certainty=reading.certainty, **answer), 200

    @app.post("/inside")
    def inside() -> Response:
        body = body_of_the_page()
        if len(body) != 784:
            abort(400, "send 784 bytes, one for each pixel")
        image = np.frombuffer(body, "uint8").reshape(28, 28)
        with one_at_a_time:
            layers = [(name, len(maps), strongest(maps)) for name, maps in feature_maps(image)]
            speaks = evidence(model, image)
        return jsonify(
            speaks=speaks.ravel().round(3).tolist(),
            layers=[
                {
                    "name": name,
                    "count": count,
                    "height": maps.shape[1],
                    "width": maps.shape[2],
                    "maps": base64.b64encode(maps.tobytes()).decode(),
                }
                for name, count, maps in layers
            ],
        )

    return app


def body_of_the_page() -> bytes:
    """Return what was posted, unless any site could post it without asking first."""
    if not request.mimetype.startswith(("image/", "application/octet-stream")):
        abort(415, "send a picture: the content type must be image/…")
    return request.get_data()


def is_own_name(name: str, host: str) -> bool:
    """Whether a browser that asks for `name` means this server, listening on `host`.

    Another site's name that was pointed here is refused. On all addresses (0.0.0.0) any
    plain address is taken, since no site can own one.
    """
    if name in OWN_NAMES or name == host:
        return True
    try:
        ipaddress.ip_address(name)
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def warm_up(model: keras.Model) -> None:
    """Ask the network once, so that the first drawing does not wait for what comes up but once."""
    predict(model, np.zeros((1, 28, 28), "uint8"))
