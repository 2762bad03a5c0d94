"""Numbers on named axes: what a judge says of another model's answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditkit.tasks.answers import parse
from auditkit.tasks.context import Claim, Text
from auditkit.tasks.quantity import Quantity
from auditkit.tasks.score import Score
from auditkit.tasks.wording import Wording

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_AFTER = r"(?!\s*(?:[-–—]|to|or|/|and)\s*\d)(?![\d.]*\d)"


@dataclass(frozen=True, slots=True)
class Axes:
    """One number on each of several axes, asked for as lines ``name: number``.

    An answer must give every axis exactly once, each with one number that a colon, an equals sign or "is" ties to it. A
    number beyond the range is out of range, and so is the whole answer: what a judge does by a scale of its own says
    nothing on this one.

    Attributes
    ----------
    names : tuple of str
        Of the axes; the first is the main value.
    low, high : float
        Ends of the scale, the same on every axis.
    """

    names: tuple[str, ...]
    low: float
    high: float

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The axes; their unit says the scale."""
        return tuple(Quantity(name, f"on {self.low:g}–{self.high:g}", self.low, self.high) for name in self.names)

    @property
    def choices(self) -> None:
        """None: there are too many answers to list."""
        return

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read one answer; exactly one outcome, never raises for any text."""
        found: dict[str, float] = {}

        def search(cleaned: Text) -> tuple[Claim | str, list[str]]:
            end = 0
            for name in self.names:
                spoken = re.escape(name).replace("_", r"[\s_-]")
                pattern = rf"\b{spoken}\b\s*(?:\((?!\d)[^()\n]{{0,40}}\)\s*)?(?::|=|\bis\b)\s*{_NUMBER}{_AFTER}"
                every = list(re.finditer(pattern, cleaned.text, re.I))
                numbers = {float(one[1]) for one in every}
                if len(numbers) != 1:
                    seen = f"{len(numbers)} numbers" if numbers else "no number"
                    return f"gives {seen} for {name.replace('_', ' ')}", []
                found[name] = numbers.pop()
                end = max(end, every[-1].end())
            return Claim(0, end, 0.0, final=True), []

        return parse(text, finish, wording, search, lambda value: self._give(found))

    def _give(self, found: dict[str, float]) -> Score:
        said = ", ".join(f"{name} {value:g}" for name, value in found.items())
        for name, value in found.items():
            if not self.low <= value <= self.high:
                return Score(
                    "out_of_range", said=said, why=f"{name} {value:g} is outside {self.low:g} to {self.high:g}"
                )
        return Score("scored", {"" if name == self.names[0] else name: value for name, value in found.items()}, said)


@dataclass(frozen=True, slots=True)
class Words:
    """A text in the model's own words, which another task is about. It has no number; it says what it says."""

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """None."""
        return ()

    @property
    def choices(self) -> None:
        """None: anything may be said."""
        return

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read one answer: whether it is one at all; never raises for any text."""

        def search(cleaned: Text) -> tuple[Claim | str, list[str]]:
            return Claim(0, len(cleaned.text), " ".join(cleaned.text.split()), final=True), []

        if finish == "length":
            return Score("truncated", why="the text was cut")
        return parse(text, finish, wording, search, lambda value: Score("scored", {}, _told(str(value))), free=True)


def _told(text: str) -> str:
    """Return what a text is told from others by: it is too long to stand in a table, and may hold anything."""
    import hashlib

    return f"text {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
