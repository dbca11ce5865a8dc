"""Make the pictures of the documentation anew: `python docs/pictures.py`.

`network.svg` shows the layers of the model that `cnn.py` builds. `page.jpg` is a page as a phone
would photograph it, written with MNIST's training digits; `steps/` shows the way from there to
digits, and `reading.png` what is read.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import cnn  # noqa: E402
import load_model  # noqa: E402
from digits.data.mnist import load_mnist  # noqa: E402
from digits.data.picture_files import read_grey  # noqa: E402
from digits.model import quiet_keras as keras  # noqa: E402
from digits.reading import finding as steps  # noqa: E402

LINES = ("31 41 59", "26 53 58", "97 93 23", "84 62 64")  # the first digits of pi
WIDTH, HEIGHT = 1200, 900  # pixels of the page
DIGIT = 112  # pixels, height of a digit
SPACING = 180  # pixels from line to line
SEED = 10
TOUCHES = 3, 6  # line and column of the digit that the next one touches
COLOURS = [(181, 111, 47), (26, 123, 224), (77, 127, 27), (43, 49, 200), (150, 70, 130)]


def make_page(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return a photo of a written page, (HEIGHT, WIDTH, 3) uint8, blue, green, red."""
    rng = np.random.default_rng(SEED)
    ink = np.zeros((HEIGHT, WIDTH), "float32")  # 0 none, 1 full
    hand = similar_digits(images, labels)
    for row, text in enumerate(LINES):
        x = 190 + int(rng.integers(0, 40))
        for column, character in enumerate(text):
            if character == " ":
                x += 70
                continue
            digit = pen_stroke(images[rng.choice(hand[int(character)])])
            y = 230 + row * SPACING - len(digit) + int(rng.integers(-5, 6))
            place = ink[y : y + len(digit), x : x + digit.shape[1]]
            np.maximum(place, digit, out=place)
            touches = (row, column) == TOUCHES
            x += digit.shape[1] + (-34 if touches else int(rng.integers(14, 34)))
    paper = np.full((HEIGHT, WIDTH, 3), (222, 238, 244), "float32")
    for y in range(SPACING // 3, HEIGHT, SPACING // 3):
        cv2.line(paper, (0, y), (WIDTH, y), (214, 196, 176), 2, cv2.LINE_AA)
    cv2.line(paper, (120, 0), (120, HEIGHT), (170, 160, 226), 2, cv2.LINE_AA)
    page = paper + ink[..., None] * (np.array((108, 52, 34), "float32") - paper)
    # A hand-held camera: a little turned and seen from below, in uneven light, with noise.
    corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], "float32")
    seen = np.array([(-60, -20), (WIDTH + 10, -70), (WIDTH + 70, HEIGHT + 30), (-90, HEIGHT + 80)])
    view = cv2.getPerspectiveTransform(corners, seen.astype("float32"))
    page = cv2.warpPerspective(page, view, (WIDTH, HEIGHT), borderValue=(222, 238, 244))
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype("float32")
    light = 1.02 - 0.3 * x / WIDTH - 0.12 * y / HEIGHT
    light -= 0.16 / (1 + np.exp((WIDTH * 0.93 - x + 0.5 * y) / 60))  # the shadow of a hand
    page = cv2.GaussianBlur(page * light[..., None], (0, 0), 0.8)
    return (page + rng.normal(0, 2.5, page.shape)).clip(0, 255).astype("uint8")


def similar_digits(images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Return for each digit where those of one hand's look are: upright, of middling strokes."""
    ink = (images > 127).reshape(len(images), -1).sum(axis=1)
    y, x = np.mgrid[-13.5:14.5, -13.5:14.5]
    slant = (images * x * y).sum(axis=(1, 2)) / (images * y**2).sum(axis=(1, 2))
    hand = []
    for digit in range(10):
        of_kind = np.flatnonzero(labels == digit)
        away = (
            abs(slant[of_kind] + 0.25) / 0.1 + abs(ink[of_kind] / np.median(ink[of_kind]) - 1) / 0.1
        )
        hand.append(of_kind[np.argsort(away)[:12]])
    return hand


def pen_stroke(image: np.ndarray) -> np.ndarray:
    """Return a digit as a pen draws it, (DIGIT, w) from 0 to 1: large, with smooth edges."""
    rows, columns = (np.flatnonzero((image > 60).any(axis=axis)) for axis in (1, 0))
    image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    image = np.pad(image, 2).astype("float32") / 255
    large = cv2.resize(image, None, fx=24, fy=24, interpolation=cv2.INTER_CUBIC)
    large = 1 / (1 + np.exp(-12 * (cv2.GaussianBlur(large, (0, 0), 12) - 0.5)))
    size = round(DIGIT * large.shape[1] / len(large)), DIGIT
    return cv2.resize(large, size, interpolation=cv2.INTER_AREA)


def draw_network(model: keras.Model) -> str:
    """Return a drawing of the layers as SVG: a column for each convolution, one for the rest."""
    columns = [((28, 28, 1), 0, ["grey values, 0 to 255"])]
    for layer in model.layers:
        what = operation(layer)
        if what.startswith(("convolution", "flatten")):
            columns.append((None, 0, []))
        _, parameters, operations = columns[-1]
        columns[-1] = (
            layer.output.shape[1:],
            parameters + layer.count_params(),
            operations + what.split("\n"),
        )
    wide, high = 147, 262
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide * len(columns)} {high}" '
        'font-family="sans-serif" font-size="13" text-anchor="middle" fill="#1f2933">',
        "<title>The layers of the model, from 28x28 pixels to ten probabilities</title>",
        f'<rect width="{wide * len(columns)}" height="{high}" rx="8" fill="#fff"/>',
    ]
    for number, (shape, parameters, operations) in enumerate(columns):
        middle = wide * (number + 0.5)
        if len(shape) == 3:
            side, depth = max(8, 2.6 * shape[0]), min(5, 1 + shape[2] // 16)
            for k in range(depth):
                x, y = middle - side / 2 + 4 * (depth / 2 - k), 60 - side / 2 - 4 * (depth / 2 - k)
                parts.append(rectangle(x, y, side, side, "#dbe9f6", "#2f6fb5"))
        else:
            parts += [
                rectangle(middle - 6, 8 + 10.5 * k, 12, 10.5, "#fde3cc", "#e07b1a")
                for k in range(shape[0])
            ]
        size = " &#215; ".join(map(str, shape))
        parts.append(f'<text x="{middle:g}" y="136" font-weight="bold">{size}</text>')
        parts += [
            f'<text x="{middle:g}" y="{158 + 18 * k}">{line}</text>'
            for k, line in enumerate(operations)
        ]
        if parameters:
            note = f'fill="#52606d" font-size="12">{parameters:,} parameters</text>'
            parts.append(f'<text x="{middle:g}" y="{high - 10}" {note}')
        if number:
            x = wide * number
            arrow = f"M{x - 9} 60h18m-5 -4l5 4l-5 4"
            parts.append(f'<path d="{arrow}" fill="none" stroke="#52606d"/>')
    return "\n".join([*parts, "</svg>\n"])


def operation(layer: keras.Layer) -> str:
    """Return what a layer does, in a word or a few."""
    settings = layer.get_config()
    size = " &#215; ".join(map(str, settings.get("kernel_size") or settings.get("pool_size") or ()))
    return {
        "Rescaling": "rescaling by 1/255",
        "Conv2D": f"convolution {size}",
        "MaxPooling2D": f"max pooling {size}",
        "BatchNormalization": "batch normalization",
        "Activation": "ReLU",
        "Flatten": "flatten",
        "Dropout": f"dropout {settings.get('rate')}",
        "Dense": "dense\nsoftmax",
    }[type(layer).__name__]


def rectangle(x: float, y: float, width: float, height: float, fill: str, stroke: str) -> str:
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} fill="{fill}" stroke="{stroke}"/>'


def draw_steps(grey: np.ndarray) -> dict[str, np.ndarray]:
    """Return a picture of each step from a page to its digits, as `digits_in` takes them."""
    image, _ = steps.to_working_size(grey)
    darker, lighter = next(steps.estimate_background(image))
    contrast, noise = steps.choose_polarity(darker, lighter)
    paper = 255 - (contrast * 255 / np.quantile(contrast, 0.995)).clip(0, 255).astype("uint8")
    rulings, mask = cv2.cvtColor(paper, cv2.COLOR_GRAY2BGR), np.zeros(image.shape, "uint8")
    lines = steps.find_rulings(*steps.threshold(contrast, noise))
    rulings[lines] = COLOURS[1]
    contrast = np.where(lines, 0, contrast)
    border = steps.find_border(*steps.threshold(contrast, noise))
    ink, components, _ = steps.threshold(np.where(border, 0, contrast), noise)
    for component in components:
        component.crop(mask)[component.mask] = 1
    components, height = steps.find_digits(components)
    components = [c for c in components if steps.is_stroke(c, ink, image)]
    ink, _ = steps.deskew(ink, components, height) or (ink, None)
    level, height = steps.find_digits(steps.hysteresis_threshold(ink))
    lines = steps.in_lines(level, height)
    in_order = [component for line in lines for component in line]
    of_line = [number for number, line in enumerate(lines) for _ in line]
    touching = [part for line in lines for part in steps.segment(line, ink) if part[1]]
    return {
        "grey": image,
        "background": paper,
        "rulings": rulings,
        "threshold": 255 - 255 * mask,
        "components": coloured(mask.shape, components, range(len(components))),
        "lines": coloured(ink.shape, in_order, of_line),
        "segmentation": draw_lattice(*touching[0], ink),
        "normalization": tiles([steps.normalize_digit(c.mask, c.crop(ink)) for c in in_order[:12]]),
    }


def draw_lattice(component: steps.Component, lattice: list, ink: np.ndarray) -> np.ndarray:
    """Return what a component may be, as one digit and cut, each as the model would see it."""
    parts = [component, *(part for *_, part in lattice)]
    return tiles([steps.normalize_digit(part.mask, part.crop(ink)) for part in parts])


def tiles(images: list[np.ndarray]) -> np.ndarray:
    """Return 28x28 images in a row, four times as large."""
    row = np.hstack([np.pad(image, 1, constant_values=128) for image in images])
    return row.repeat(3, axis=0).repeat(3, axis=1)


def coloured(shape: tuple[int, int], components: list, numbers: list[int] | range) -> np.ndarray:
    """Return components in colours, by their number, (*shape, 3) uint8."""
    image = np.full((*shape, 3), 255, "uint8")
    for component, number in zip(components, numbers, strict=True):
        component.crop(image)[component.mask] = COLOURS[number % len(COLOURS)]
    return image


if __name__ == "__main__":
    (HERE / "network.svg").write_text(draw_network(cnn.build_model()), encoding="utf-8")
    (images, labels), _ = load_mnist(None)
    page = HERE / "page.jpg"
    cv2.imwrite(str(page), make_page(images, labels), [cv2.IMWRITE_JPEG_QUALITY, 82])
    (HERE / "steps").mkdir(exist_ok=True)
    for name, image in draw_steps(read_grey(page)).items():
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(HERE / "steps" / f"{name}.png"), small if len(image) > 400 else image)
    load_model.main([str(page), "--plot", str(HERE / "reading.png")])
