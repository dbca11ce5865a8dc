"""The local page on which people draw: what it asks, and what it gets.

    GET  /         the page, from digits/page/static/
    GET  /state    what is kept and learned, as JSON; by that the page notices a lost server too
    GET  /network  the model as the browser runs it; nothing where the browser cannot
    POST /predict  28x28 grey values, a byte each, for each image -> probabilities, as JSON
    POST /read     a picture as the body -> what was read, as JSON
    POST /preview  a picture that the browser cannot open -> a JPEG of it
    POST /keep     a picture as the body, ?answer= what is written on it, &held=1 only to measure
                   -> the state, and the name of what is kept
    GET  /kept/... a kept picture
    POST /change   ?name= of a kept picture, &answer= another one, or none to delete -> the state
    POST /learn    start a training from what is kept -> the state; also /learn/stop, /learn/back
                   and /learn/keep

It answers only to its own page: a foreign Host (DNS rebinding) or Origin (another site's
page that posts here) is refused. A proxy may give the page a name and HTTPS of its own: then
that origin is told to `create_app`, or the browser vouches that page and question have the
same (Sec-Fetch-Site, which no page can forge). Every error is JSON with a line for people.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import cv2
import numpy as np
from flask import Flask, Response, jsonify, request, send_from_directory
from werkzeug.exceptions import HTTPException, abort
from werkzeug.serving import WSGIRequestHandler

from digits.command_line import UserError, note, one_line
from digits.data.picture_files import ImageError, read_grey
from digits.model.evaluation import predict
from digits.page.addresses import HERE, is_address, listens_everywhere, own_names
from digits.page.kept_pictures import names_of
from digits.page.learner import Learner
from digits.reading import UNSURE, read_pictures

LARGEST = 10 * 1024 * 1024  # bytes that a picture may have
# Whatever the system says: with other types, browsers refuse to run or to show them.
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
TLS = b"\x16\x03"  # how a browser begins that was given an address with https
PREVIEW = 1400  # pixels of the longer side
HEADERS = {
    # Everything comes from here; a picture that is shown before it is sent is a blob.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(learner: Learner, host: str = HERE, origins: Collection[str] = ()) -> Flask:
    """Return the server for the model of `learner`.

    `host` is the address it will listen on; `origins` are others under which a proxy shows it,
    such as https://digits.example.
    """
    for ending, kind in TYPES.items():
        mimetypes.add_type(kind, ending)
    app = Flask(__name__, static_folder="static", static_url_path="/page")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.json.sort_keys = False
    one_at_a_time = threading.Lock()  # twenty pictures at once need no more memory than one

    names = own_names(host) | {urlsplit(origin).hostname for origin in origins}
    any_address = listens_everywhere(host)

    @app.before_request
    def refuse_strangers() -> None:
        try:
            name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        except ValueError:
            name = ""
        if name not in names and not (any_address and is_address(name)):
            https = request.headers.get("X-Forwarded-Proto") == "https"
            asked = f"http{'s' * https}://{request.host}"
            abort(403, f"{one_line(name)} is no name of this server; {allow(asked)}")
        origin = request.headers.get("Origin", "")
        own = {f"http://{request.host}", f"https://{request.host}", *origins}
        vouched_for = request.headers.get("Sec-Fetch-Site") == "same-origin"
        if origin and origin not in own and not vouched_for:
            abort(403, f"only the page itself may ask, not {one_line(origin)}; {allow(origin)}")

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

    @app.errorhandler(UserError)
    @app.errorhandler(ImageError)
    def as_refusal(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 409 if isinstance(error, UserError) else 400

    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    @app.get("/state")
    def state() -> Response:
        return jsonify(learner.state())

    @app.get("/network")
    def network() -> Response:
        return Response(learner.network(), mimetype="application/octet-stream")

    @app.post("/predict")
    def predict_images() -> Response:
        body = body_of_the_page()
        if len(body) % 784:
            abort(400, "send 784 bytes for each image, one for each pixel")
        images = np.frombuffer(body, "uint8").reshape(-1, 28, 28)
        with one_at_a_time:
            return jsonify(probabilities=predict(learner.model, images).tolist())

    @app.post("/read")
    def read() -> tuple[Response, int]:
        body = body_of_the_page()
        with one_at_a_time:
            (reading,) = read_pictures(learner.model, [("picture", body)], keep=1)
        if reading.failed:
            return jsonify(error=reading.error), 400
        answer = reading.as_dict() | {"confidence": reading.confidence}
        height, width = reading.grey.shape
        for box, found in zip(answer["boxes"], reading.answers, strict=True):
            box["seen"] = found.digit.image.ravel().tolist()  # 784 grey values
            box["confidence"] = found.confidence
            box["certainty"] = found.certainty
            box["unsure"] = found.certainty * found.confidence < UNSURE
        return jsonify(width=width, height=height, **answer), 200

    @app.post("/keep")
    def keep() -> Response:
        picture = body_of_the_page()
        with one_at_a_time:
            held_out = "held" in request.args
            name = learner.keep(request.args.get("answer", ""), picture, held_out)
        return jsonify(learner.state() | {"name": name})

    @app.post("/change")
    def change() -> Response:
        body_of_the_page()
        learner.change(request.args.get("name", ""), request.args.get("answer", ""))
        return state()

    @app.get("/kept/<path:name>")
    def kept_picture(name: str) -> Response:
        folder, name = learner.place_of(name)
        if name not in names_of(folder):
            abort(404, "this picture is not kept")
        return send_from_directory(folder.absolute(), name)

    @app.post("/preview")
    def preview() -> Response:
        body = body_of_the_page()
        with one_at_a_time:
            grey = read_grey(body)
        scale = min(1, PREVIEW / max(grey.shape))
        size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        return Response(cv2.imencode(".jpg", small)[1].tobytes(), mimetype="image/jpeg")

    @app.post("/learn", defaults={"do": learner.start})
    @app.post("/learn/stop", defaults={"do": learner.stop})
    @app.post("/learn/back", defaults={"do": learner.go_back})
    @app.post("/learn/keep", defaults={"do": learner.keep_it})
    def learn(do: Callable[[], None]) -> Response:
        body_of_the_page()
        do()
        return state()

    return app


class RequestHandler(WSGIRequestHandler):
    """Werkzeug's, which would print the bytes of a browser that tries https."""

    def log_error(self, *what: object) -> None:
        if self.raw_requestline.startswith(TLS):
            port = self.server.server_address[1]
            note(f"no https here: open http://...:{port}/")
        else:
            super().log_error(*what)


def allow(origin: str) -> str:
    """Return how somebody who trusts this origin lets it in."""
    return f"if you trust it, start draw.py with --origin {one_line(origin)}"


def body_of_the_page() -> bytes:
    """Return what was posted, unless any site could post it without asking first."""
    if not request.mimetype.startswith(("image/", "application/octet-stream")):
        abort(415, "send a picture: the content type must be image/…")
    return request.get_data()
