"""A QR code in the terminal, which brings a phone to the page."""

import sys


def qr_code(address: str) -> str:
    """Return a QR code of `address`, two rows of modules in a line of text.

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
