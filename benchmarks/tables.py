"""Write what the benchmarks measured into the documentation.

    python benchmarks/tables.py

Each benchmark hands its table to `keep`, where its `--docs` asks for it. The tables stand in
tables.json, each with its command, date, commit and machine, and from there they come into the
pages, between `<!-- table: NAME -->` and `<!-- end -->`. The README's few figures are cells of
them. This script by itself writes all pages anew.
"""

import importlib.metadata
import json
import platform
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(__file__).with_suffix(".json")
PAGES = ("README.md", "docs/measured.md", "docs/made-pages.md")
MARKED = re.compile(r"<!-- table: ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)
README = (  # what stands there, and the table, the row and the column that it comes from
    (
        "MNIST's test digits read right by the model that comes along",
        "model",
        "test digits right",
        "measured",
    ),
    ("and by a model of `python cnn.py`", "recipes", "`cnn.py`", "test accuracy"),
    ("strangers' photos of one digit read right", "people", "one digit, photo", "right"),
    ("strangers' drawings of one digit read right", "people", "one digit, drawn", "right"),
    (
        "their photos of rows, lists or tables read without a mistake",
        *("people", "photos of rows, lists, tables", "right"),
    ),
    (
        "their photos of sums, equations or sudokus read without a mistake",
        *("people", "photos of sums, equations, sudokus", "right"),
    ),
    (
        "of all answers to strangers' pictures that are at least 90 % sure, right",
        "people",
        "answers that are at least 90 % sure",
        "right",
    ),
    ("seconds that `python cnn.py` takes, on two slow cores", "recipes", "`cnn.py`", "seconds"),
    ("parameters of the model", "model", "parameters", "measured"),
)


def keep(name: str, header: list[str], rows: list[list[object]], **more: object) -> None:
    """Keep a table under its name, with where it comes from, and write the pages anew."""
    cells = [[str(cell) for cell in row] for row in rows]
    table = {"header": header, "rows": cells, "commands": [command()]}
    write({**read(), name: table | when() | surroundings() | more})


def read() -> dict[str, dict]:
    """Return what is kept, by name."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def write(tables: dict[str, dict]) -> None:
    FILE.write_text(json.dumps(tables, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for page in PAGES:
        (ROOT / page).write_text(filled(page, tables), encoding="utf-8")


def filled(page: str, tables: dict[str, dict]) -> str:
    """Return the text of a page with all of its tables as they are kept."""

    def fill(found: re.Match) -> str:
        name = found[1]
        if name not in {*tables, "in short"}:  # not measured yet
            return found[0]
        lines = chosen(tables) if name == "in short" else shown(tables[name])
        return "\n".join([f"<!-- table: {name} -->", *lines, "<!-- end -->"])

    return MARKED.sub(fill, (ROOT / page).read_text(encoding="utf-8"))


def shown(table: dict) -> list[str]:
    """Return the lines of a table, and below it how it came about."""
    lines = markdown(table["header"], table["rows"])
    if table["commands"]:
        commands = ", then ".join(f"`{line}`" for line in table["commands"])
        where = f", on {table['machine']}" if table["machine"] else ""
        lines += ["", f"{commands}: {table['date']}, commit {table['commit']}{where}."]
    return lines + table.get("notes", [])


def chosen(tables: dict[str, dict]) -> list[str]:
    """Return the README's table."""
    rows = [
        [what, cell(tables[name], row, column), tables[name]["date"]]
        for what, name, row, column in README
    ]
    return markdown(["what", "measured", "on"], rows)


def cell(table: dict, row: str, column: str) -> str:
    """Return one cell, by what its row begins with and the name of its column."""
    (found,) = [cells for cells in table["rows"] if cells[0] == row]
    return found[table["header"].index(column)]


def markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def command() -> str:
    """Return what was typed."""
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])


def when() -> dict[str, str]:
    """Return the day and the commit; a + says that files were changed since."""
    commit = git("rev-parse", "--short", "HEAD") or "unknown"
    changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return {"date": f"{date.today()}", "commit": commit + changed}


def git(*arguments: str) -> str:
    """Return what git says, nothing where there is none."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip()


def surroundings() -> dict[str, str]:
    """Return the machine and the versions that times belong to."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8")
        found = re.search(r"model name\s*: (.*)", lines)  # none on ARM
        processor = f"{lines.count('processor')} cores of {found[1] if found else processor}"
    keras, flow = (importlib.metadata.version(name) for name in ("keras", "tensorflow"))
    python = platform.python_version()
    return {"machine": f"{processor}; Python {python}, TensorFlow {flow}, Keras {keras}"}


if __name__ == "__main__":
    write(read())
