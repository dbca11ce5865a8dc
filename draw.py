"""Draw digits on a page in the browser and watch the network read them.

    python draw.py

It prints the address, opens the browser there, and goes on until Ctrl-C:

    draw at http://127.0.0.1:8000/ (Ctrl-C stops)
"""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import threading
import webbrowser
from pathlib import Path

from digits.command_line import UserError, only_python_on_stderr, port_number, run
from digits.model_files import find_pair, load_model

HERE = "127.0.0.1"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises UserError if it can't."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"cannot listen on {host}, port {port} ({reason}); choose another --port or --host"
        ) from None


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Draw digits in the browser and watch the network read them.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--model", metavar="DIR", type=Path, default=find_pair(), help="where the two files are"
    )
    parser.add_argument("--port", type=port_number, default=8000, help="0 takes any free one")
    parser.add_argument("--host", default=HERE, help="another address lets others in")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(argv)
    host, listening = arguments.host, listen(arguments.host, arguments.port)
    port = listening.getsockname()[1]
    model = load_model(arguments.model)
    from werkzeug.serving import make_server

    from digits.server import create_app, warm_up

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for every request
    warm_up(model)
    app = create_app(model, host)
    server = make_server(host, port, app, threaded=True, fd=listening.fileno())
    if host != HERE:
        print("draw.py: warning: whoever reaches this address can use the page", file=sys.stderr)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    print(f"draw at {address} (Ctrl-C stops)", flush=True)
    if not arguments.no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        with only_python_on_stderr():
            server.serve_forever()
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
