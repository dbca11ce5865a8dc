"""Draw digits on a page in the browser and watch the model read them.

    python draw.py

It prints the address, opens the browser there, and goes on until Ctrl-C:

    draw at http://127.0.0.1:8000/ (Ctrl-C stops)

`python draw.py --export DIR` writes the page as one file for any web host instead.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import webbrowser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -P and -I leave it out
from digits import own_process

own_process.take(__name__)  # first of all: quiet, and what stops it early is a line
from digits import command_line as cli
from digits.model.loading import load_model
from digits.model.locating import find_pair
from digits.page.addresses import HERE, PORT, address_for_people, listen
from digits.page.qr_code import can_show, qr_code


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = cli.new_parser("Draw digits in the browser and watch the model read them.")
    add = parser.add_argument
    pair = "where model.json and model.h5 are"
    add("--model", metavar="DIR", type=Path, default=find_pair(), help=pair)
    port = f"0 takes any free one (default: {PORT}, or the next that is free)"
    add("--port", metavar="N", type=cli.port_number, help=port)
    host = "another one lets others in, 0.0.0.0 whoever reaches this machine"
    add("--host", metavar="ADDRESS", default=HERE, help=host)
    origin = "where a proxy shows the page, such as https://digits.example"
    add("--origin", metavar="URL", type=cli.web_origin, action="append", default=[], help=origin)
    kept = "where corrected pictures are kept, to learn from"
    add("--keep", metavar="DIR", type=Path, default="own", help=kept)
    add("--no-browser", action="store_true", help="only print the address")
    add("--export", metavar="DIR", type=Path, help="write the page for a web host, and stop")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    if arguments.export:
        from digits.page.export import export_page

        file = export_page(load_model(arguments.model), arguments.export)
        print(f"saved {cli.one_line(file)}")
        return 0
    host, listening = arguments.host, listen(arguments.host, arguments.port)
    port = listening.getsockname()[1]
    model = load_model(arguments.model)
    from werkzeug.serving import make_server

    from digits.page.learner import Learner
    from digits.page.server import RequestHandler, create_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for every request
    learner = Learner(model, arguments.keep)
    app = create_app(learner, host, arguments.origin)
    how = {"threaded": True, "request_handler": RequestHandler, "fd": listening.fileno()}
    server = make_server(host, port, app, **how)
    if arguments.port is None and port != PORT:
        cli.note(f"port {PORT} is taken; taking {port}")
    if host != HERE:
        cli.note("warning: whoever reaches it can teach it, and see and delete what is kept")
    name = address_for_people(host)
    address = f"http://{f'[{name}]' if ':' in name else name}:{port}/"
    places = " or ".join([address, *(f"{origin}/" for origin in arguments.origin)])
    print(f"draw at {places} (Ctrl-C stops)", flush=True)
    if host != HERE and can_show("▀"):
        print(qr_code(next(iter(arguments.origin), address)), file=sys.stderr)
    if not arguments.no_browser and has_window():
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it, too, must end a training
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print(file=sys.stderr)
    finally:
        learner.stop()
    if learner.changes:
        learned = cli.one_line(learner.learned)
        cli.note(f"--model {learned} reads with what was learned")
    return 0


def has_window() -> bool:
    """Return whether the system's browser has a window: a text browser would take the terminal."""
    try:
        return type(webbrowser.get()) is not webbrowser.GenericBrowser
    except webbrowser.Error:
        return False


if __name__ == "__main__":
    sys.exit(cli.run(main))
