"""Draw digits on a page in the browser and watch the model read them.

    python draw.py

It prints the address, opens the browser there, and goes on until Ctrl-C:

    draw at http://127.0.0.1:8000/ (Ctrl-C stops)
"""

from __future__ import annotations

import argparse
import errno
import logging
import signal
import socket
import sys
import threading
import webbrowser
from pathlib import Path

from digits.command_line import (
    UserError,
    one_line,
    port_number,
    run,
    web_origin,
)
from digits.model.loading import find_pair, load_model
from digits.page.addresses import address_for_people
from digits.streams import only_python_on_stderr

TRAINING = Path(__file__).resolve().with_name("cnn.py")
HERE = "127.0.0.1"
PORT = 8000


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens there, or at the first free port from PORT on if none is given.

    Raises UserError if it can't.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for trial in range(PORT, PORT + 100) if port is None else [port]:
        try:
            return socket.create_server((host, trial), family=family)
        except OSError as error:
            text = f"cannot listen on {host}, port {trial} ({error.strerror or error})"
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                break
    raise UserError(f"{text}; choose another --port or --host")


def qr_code(address: str) -> str:
    """Return a QR code that brings a phone there, two rows of modules in a line of text.

    Its colours are given too, since few cameras take light on dark, as many terminals write.
    """
    import segno

    rows = [list(row) for row in segno.make(address, error="l").matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    lines = (
        "".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"\033[30;107m{line}\033[0m" for line in lines)


def can_show(text: str) -> bool:
    """Return whether standard error is a terminal that has these characters."""
    try:
        text.encode(sys.stderr.encoding)
        return sys.stderr.isatty()
    except (AttributeError, TypeError, UnicodeEncodeError):
        return False


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Draw digits in the browser and watch the model read them."
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        type=Path,
        default=find_pair(),
        help="where model.json and model.h5 are (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        help=f"0 takes any free one (default: {PORT}, or the next that is free)",
    )
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default=HERE,
        help="another one lets others in, 0.0.0.0 whoever reaches this machine "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--origin",
        metavar="URL",
        type=web_origin,
        action="append",
        default=[],
        help="where a proxy shows the page, such as https://digits.example",
    )
    parser.add_argument(
        "--keep",
        metavar="DIR",
        type=Path,
        default="own",
        help="where corrected pictures are kept, to learn from (default: %(default)s)",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    host, listening = arguments.host, listen(arguments.host, arguments.port)
    port = listening.getsockname()[1]
    model = load_model(arguments.model)
    from werkzeug.serving import make_server

    from digits.page.learner import Learner
    from digits.page.server import create_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for every request
    learner = Learner(model, arguments.keep, [sys.executable, str(TRAINING)])
    app = create_app(learner, host, arguments.origin)
    server = make_server(host, port, app, threaded=True, fd=listening.fileno())
    if arguments.port is None and port != PORT:
        print(f"draw.py: port {PORT} is taken; taking {port}", file=sys.stderr)
    if host != HERE:
        print("draw.py: warning: whoever reaches it can use and teach it", file=sys.stderr)
    name = address_for_people(host)
    address = f"http://{f'[{name}]' if ':' in name else name}:{port}/"
    places = " or ".join([address, *(f"{origin}/" for origin in arguments.origin)])
    print(f"draw at {places} (Ctrl-C stops)", flush=True)
    if host != HERE and can_show("▀"):
        print(qr_code(next(iter(arguments.origin), address)), file=sys.stderr)
    if not arguments.no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it, too, must end a training
    try:
        with only_python_on_stderr():
            server.serve_forever()
    except KeyboardInterrupt:
        print(file=sys.stderr)
    finally:
        learner.stop()
    if learner.changes:
        learned = one_line(learner.learned)
        print(f"draw.py: --model {learned} reads with what was learned", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
