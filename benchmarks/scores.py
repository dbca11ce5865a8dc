"""What the benchmarks share: how far a reading is from the label, and a table to print."""


def distance(read: str, label: str) -> int:
    """Return how many digits must be put in, taken out or changed (Levenshtein, 1966)."""
    row = list(range(len(label) + 1))
    for i, digit in enumerate(read, 1):
        before, row = row, [i]
        for j, other in enumerate(label):
            row.append(min(before[j] + (digit != other), before[j + 1] + 1, row[j] + 1))
    return row[-1]


def print_table(header: list[str], rows: list[list[object]]) -> None:
    """Print rows of cells below a header, the first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *others in cells:
        padded = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *padded]))


def part_of(number: int, total: int) -> str:
    """Return `7 of 93 (7.5 %)`."""
    return f"{number} of {total}" + (f" ({100 * number / total:.1f} %)" if total else "")
