"""What was read: a Reading of a picture, and an Answer for each digit on it."""

import math
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np

from digits.command_line import cut, percent
from digits.reading.finding import Digit

DIGIT = 0.35  # confidence: with less it is no digit
UNSURE = 0.9  # confidence: an answer with less is marked
GAP = 0.7  # heights of a digit between two groups of a line, at least


@dataclass(eq=False)
class Answer:
    """One digit: what the model saw and what it says."""

    digit: Digit
    probabilities: np.ndarray  # (10,)
    certainty: float = 1.0  # that its component is so many digits, and no others
    part: float = 1.0  # of its component, which may be cut into several digits

    def __repr__(self) -> str:
        return f"<Answer {self.value}, {percent(self.confidence)}, box {self.digit.box}>"

    @property
    def value(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Where it stands in the picture: x, y, width, height in pixels."""
        return self.digit.box


@dataclass(eq=False)
class Reading:
    """What was read on one picture; `error` says why there is nothing."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    certainty: float = 1.0  # that there are as many digits as answers
    unread: list[tuple[int, int, int, int]] = field(default_factory=list)  # boxes of other ink
    error: str | None = None
    grey: np.ndarray | None = None  # the picture, where it was asked for
    failed: bool = False  # the picture could not be read at all
    pages: int = 1  # or frames, of which the first was read
    threshold: float = UNSURE  # confidence: with less it is unsure
    doubts: dict[str, float] = field(default_factory=dict)  # what lowered `certainty`, to what part

    def __repr__(self) -> str:
        read = f"{cut(self.text, 40)}, {percent(self.confidence)}" if self.answers else self.error
        return f"<Reading of {cut(self.name, 80)}: {read}>"

    def doubt(self, why: str, part: float = 1.0, at_most: float = 1.0) -> None:
        """Lower `certainty` to a part of it, or to what it is at most, and note why."""
        before = self.certainty
        self.certainty = min(part * before, at_most)
        if self.certainty < before:
            lowered = self.certainty / before
            self.doubts[why] = lowered * self.doubts.get(why, 1.0)

    @property
    def digits(self) -> str:
        return digits_of(self.answers)

    @property
    def lines(self) -> list[list[list[Answer]]]:
        """The answers line by line, each line in groups: runs of digits without a wide gap."""
        by_line = groupby(self.answers, key=lambda answer: answer.digit.line)
        return [groups_of(list(line)) for _, line in by_line]

    @property
    def text(self) -> str:
        """The digits as people see them: `12 75 / 345`, lines parted by a slash."""
        return " / ".join(" ".join(map(digits_of, groups)) for groups in self.lines)

    @property
    def confidence(self) -> float:
        """How sure it is that the whole string is right, 0 to 1."""
        if not self.answers:
            return 0.0
        return self.certainty * math.prod(a.confidence for a in self.answers)

    @property
    def unsure(self) -> bool:
        return self.confidence < self.threshold

    @property
    def reasons(self) -> list[str]:
        """Why it is unsure, in short words, the weightiest first; none if it is sure.

        `unclear digit`, `two segmentations` (of touching digits), `two readings` (of which one
        found more), `unread ink`, `small` (digits less high than 12 pixels), `lone 1` (which may be
        a mere line), `model` (it is surer than it is right).
        """
        if not (self.answers and self.unsure):
            return []
        digits = math.prod(a.confidence for a in self.answers)
        parts = self.doubts | {"unclear digit": digits}
        listed = sorted(parts, key=parts.get)
        return [why for why in listed if parts[why] < self.threshold] or listed[:1]

    def as_dict(self) -> dict:
        """Return all of it in plain types, as `--json` prints it."""
        boxes = [
            {
                "box": list(answer.digit.box),
                "digit": answer.value,
                "confidence": round(answer.confidence, 4),
                "probabilities": [round(float(p), 4) for p in answer.probabilities],
            }
            for answer in self.answers
        ]
        result = {
            "image": self.name,
            "digits": self.digits,
            "confidence": round(self.confidence, 4),
            "unsure": self.unsure,
            "reasons": self.reasons,
            "lines": [
                [{"digits": digits_of(group), "box": list(box_around(group))} for group in groups]
                for groups in self.lines
            ],
            "boxes": boxes,
            "unread": [{"box": list(box)} for box in self.unread],
        }
        if self.pages > 1:
            result |= {"page": 1, "pages": self.pages}
        return result | ({"error": self.error} if self.error else {})


def digits_of(answers: list[Answer]) -> str:
    return "".join(str(answer.value) for answer in answers)


def box_around(answers: list[Answer]) -> tuple[int, int, int, int]:
    """Return the box (x, y, width, height) around all of them."""
    x, y, width, height = np.array([answer.digit.box for answer in answers]).T
    left, top = int(x.min()), int(y.min())
    return left, top, int((x + width).max()) - left, int((y + height).max()) - top


def groups_of(line: list[Answer]) -> list[list[Answer]]:
    """Part a line at its wide gaps: wider than GAP, and than twice the median of the others."""
    boxes = [answer.digit.place for answer in line]
    gaps = [right[0] - left[0] - left[2] for left, right in pairwise(boxes)]
    height, groups = np.median([height for *_, height in boxes]), [[line[0]]]
    ordered, middle = [*sorted(gaps), 0, 0], (len(gaps) - 2) // 2
    for gap, answer in zip(gaps, line[1:], strict=True):
        median = ordered[middle + (gap <= ordered[middle])]  # of the gaps without this one
        if gap > max(GAP * height, 2 * median):
            groups.append([])
        groups[-1].append(answer)
    return groups
