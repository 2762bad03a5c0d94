"""Read a figure back like a reader does: numbers beside the axes give the scale, marks are then read on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from auditkit.report.figures.svg import INKS, Chart

Place = tuple[float, float]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ROLE = {f"var(--c-{role},{colour})": role for role, colour in INKS.items()}


@dataclass(frozen=True)
class Word:
    """One line of text, with the middle of its capitals."""

    text: str
    x: float
    y: float
    anchor: str
    bold: bool


@dataclass(frozen=True)
class Mark:
    """One marker: its kind (``disc``, or the number of its corners), centre and colour's role."""

    kind: str
    x: float
    y: float
    role: str
    hollow: bool
    turned: bool = False
    """Whether a corner lies straight above the centre: a diamond, not a square."""


class Drawn:
    """A parsed figure."""

    def __init__(self, chart: Chart) -> None:
        self.root = ElementTree.fromstring(chart.svg)

    def words(self) -> list[Word]:
        return [
            Word(
                e.text or "",
                float(e.attrib["x"]),
                float(e.attrib["y"]) - 0.365 * float(e.attrib["font-size"]),
                e.attrib.get("text-anchor", "start"),
                "font-weight" in e.attrib,
            )
            for e in self.root.iter("text")
        ]

    def texts(self) -> list[str]:
        return [word.text for word in self.words()]

    def at(self, text: str) -> Word:
        """Return the first text that says this and is not bold: axes are not, numbers beside points are."""
        return next(word for word in self.words() if word.text == text and not word.bold)

    def marks(self, role: str | None = None) -> list[Mark]:
        found = []
        for group in self.root.iter("g"):
            hollow = "stroke" in group.attrib
            own = _ROLE[group.attrib["stroke" if hollow else "fill"]]
            for e in group:
                if e.tag == "circle":
                    mark = Mark("disc", float(e.attrib["cx"]), float(e.attrib["cy"]), own, hollow)
                else:
                    corners = list(_pairs(e.attrib["d"]))
                    xs, ys = zip(*corners, strict=True)
                    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
                    mark = Mark(str(len(corners)), x, y, own, hollow, any(abs(x - a) < 0.15 for a in xs))
                found.append(mark)
        return [mark for mark in found if role is None or mark.role == role]

    def paths(self, role: str, width: float | None = None, dash: str | None = None) -> list[list[list[Place]]]:
        """Return stroked paths, each as its pieces, each as its points."""
        return [
            [list(_pairs(piece)) for piece in e.attrib["d"].split("M") if piece]
            for e in self.root.iter("path")
            if _ROLE.get(e.attrib.get("stroke", "")) == role
            and (width is None or float(e.attrib["stroke-width"]) == width)
            and (dash is None or e.attrib.get("stroke-dasharray", "") == dash)
        ]

    def boxes(self, role: str) -> list[dict[str, float]]:
        """Return filled rectangles: x, y, width, height, fill-opacity."""
        return [
            {name: float(e.attrib.get(name, 1)) for name in ("x", "y", "width", "height", "fill-opacity")}
            for e in self.root.iter("rect")
            if _ROLE[e.attrib["fill"]] == role
        ]

    def scale(self, first: str, second: str, axis: str) -> Scale:
        """Take the scale from two numbers written beside an axis."""
        a, b = self.at(first), self.at(second)
        return Scale(number(first), getattr(a, axis), number(second), getattr(b, axis))


@dataclass(frozen=True)
class Scale:
    """Turns pixels into numbers."""

    first: float
    at_first: float
    second: float
    at_second: float

    def read(self, pixel: float) -> float:
        return self.first + (pixel - self.at_first) / (self.at_second - self.at_first) * (self.second - self.first)

    @property
    def fine(self) -> float:
        """What a fifth of a pixel is worth: the rounding of places and of the letters' height."""
        return abs(0.2 * (self.second - self.first) / (self.at_second - self.at_first))


def number(text: str) -> float:
    """Return the number that a text of a figure says."""
    return float(text.replace("−", "-").replace("%", "").strip())


def _pairs(path: str) -> Iterator[Place]:
    numbers = [float(n) for n in _NUMBER.findall(path)]
    return zip(numbers[::2], numbers[1::2], strict=True)
