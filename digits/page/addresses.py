"""Where the page listens, and under which names and addresses this machine is reached."""

import errno
import ipaddress
import socket

from digits.command_line import UserError

HERE = "127.0.0.1"  # where only this machine reaches it
PORT = 8000
# From the ranges for documentation; nothing is sent there.
ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


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


def network_address(family: socket.AddressFamily = socket.AF_INET) -> str | None:
    """Return the address at which other devices reach this machine; None without a network.

    The system is asked from where it would send; connecting a datagram socket sends nothing.
    """
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((ELSEWHERE[family], 9))
            return asking.getsockname()[0]
    except OSError:
        return None


def listens_everywhere(host: str) -> bool:
    """Return whether `host` stands for all addresses of this machine, as 0.0.0.0 and :: do."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def address_for_people(host: str) -> str:
    """Return what people type, on this device or another, to reach who listens at `host`."""
    if not listens_everywhere(host):
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return network_address(family) or ("::1" if ":" in host else HERE)


def own_names(host: str) -> set[str]:
    """Return the names that mean this machine to a browser, for a server that listens at `host`.

    None of them can another site take: the machine's own name has no dots, .local is never
    asked of the Internet, and addresses are not asked for at all.
    """
    machine = socket.gethostname().lower().partition(".")[0]
    addresses = (network_address(family) for family in ELSEWHERE)
    return {HERE, "localhost", "::1", host, machine, f"{machine}.local", *addresses} - {None}


def is_address(name: str) -> bool:
    """Return whether a host is given by its plain address, which no site can point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
