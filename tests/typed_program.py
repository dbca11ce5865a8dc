"""A program of a user, which type checkers go through without a finding; it is never run."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import digits
from digits import Answer, Reading, UserError, load_model, read, read_many


def texts(folder: Path) -> list[str]:
    model = load_model(folder)
    return [reading.text for reading in read(sorted(folder.glob("*.png")), model)]


def main() -> None:
    try:
        model = load_model()
    except UserError as error:
        raise SystemExit(str(error)) from None
    one: Reading = read("a.png", model)
    page = np.zeros((100, 100), dtype=np.uint8)
    array: Reading = read(page, model, threshold=0.95)
    untyped: Reading = read(np.asarray(Image.open("a.png")), model)
    image: Reading = read(Image.open("a.png"), model)
    content: Reading = read(io.BytesIO(b""), model)
    with open("a.png", "rb") as file:
        opened: Reading = read(file, model)
    drawing: Reading = read({"composite": page, "layers": []}, model)
    raw: Reading = read(memoryview(b""), model)
    path: Reading = read(Path("a.png"), model)
    many: list[Reading] = read(["a.png", b"", page], model)
    stack: list[Reading] = read(list(np.zeros((5, 28, 28))), model)
    paths: list[Reading] = read(Path().rglob("*.png"), model)
    pages: list[Reading] = read((p for p in [page]), model)
    named: list[Reading] = read({"a": page}.values(), model)
    unique: list[Reading] = read({"a.png", "b.png"}, model)
    stream: Iterator[Reading] = read_many(["a.png"], model, threshold=0.5)
    for reading in stream:
        answer: Answer
        for answer in reading.answers:
            x, y, width, height = answer.box
            print(
                answer.value, answer.confidence, answer.probabilities.shape, x + y, width * height
            )
        print(reading.name, reading.digits, reading.unsure, reading.reasons, reading.error)
        print(reading.failed, reading.pages, reading.unread, reading.as_dict()["lines"])
    print(one, array, untyped, image, content, opened, drawing, raw, path, many, stack)
    print(paths, pages, named, unique, digits.__version__)


main()
