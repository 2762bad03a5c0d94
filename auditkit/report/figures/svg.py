"""A small drawing surface that writes SVG for inside a page: lines, boxes, markers and words in the page's colours.

Our figures are lines, markers and text; nothing else is needed. The demo's 41 figures took 2.2 s and 0.79 million
characters with matplotlib (and 0.4 s to import it), here 0.1 s and 0.35 million (one core).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from markupsafe import Markup, escape

from auditkit.words import cut, visible

# Role -> colour on white paper. A drawing puts a CSS variable of the same name around each, so that the page decides.
# Told apart without colour as well: every role has its own shape, weight or label.
INKS: dict[str, str] = {
    "ink": "#17212b",
    "muted": "#5a6672",
    "grid": "#d9dee3",
    "faint": "#a9b3bd",
    "band": "#e4ecf4",
    "edge": "#7d93ab",
    "accent": "#0b5cad",
    "PASS": "#0f6b57",
    "FAIL": "#b3261f",
    "INCONCLUSIVE": "#8a5a01",
    "ERROR": "#5b4b8b",
    "paper": "#fffffe",
    "scored": "#9fb6cc",
    "refused": "#b4530a",
    "no_image": "#93285f",
    "unparsed": "#6b4e9b",
    "out_of_range": "#0f7b8a",
    "truncated": "#4a5562",
    "error": "#15191e",
}

WIDTH = 330
"""Of a figure, in CSS pixels: on a phone of 360 its text has 93 % of its size, on half the width of A4 98 %."""
SMALL, PLAIN = 10.0, 10.5
"""Sizes of letters: notes and numbers; names."""

Shape = Literal["disc", "square", "diamond", "up", "down", "left", "right", "cross", "plus"]
Anchor = Literal["start", "middle", "end"]

# Corners of the markers, for a marker of size 2 around the origin.
_CORNERS: dict[str, Sequence[tuple[float, float]]] = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "up": ((0, -1.15), (1.15, 0.9), (-1.15, 0.9)),
    "down": ((0, 1.15), (1.15, -0.9), (-1.15, -0.9)),
    "left": ((-1.2, 0), (0.9, -1), (0.9, 1)),
    "right": ((1.2, 0), (-0.9, -1), (-0.9, 1)),
    "plus": (
        (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2), (-0.4, 1.2),
        (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4),
    ),
    "cross": (
        (-0.6, -1.1), (0, -0.5), (0.6, -1.1), (1.1, -0.6), (0.5, 0), (1.1, 0.6), (0.6, 1.1), (0, 0.5), (-0.6, 1.1),
        (-1.1, 0.6), (-0.5, 0), (-1.1, -0.6),
    ),
}  # fmt: skip

# Widths of the ASCII letters from the blank on, in hundredths of the size: DejaVu Sans, the widest font in common use
# and that of the PDF. What fits with it fits with the reader's font.
_ADVANCE = bytes.fromhex(
    "20 28 2e 54 40 5f 4e 1b 27 27 32 54 20 24 20 22 40 40 40 40 40 40 40 40 40 40 22 22 54 54 54 35 64 44 45 46 4d 3f"
    "3a 4d 4b 1d 1d 42 38 56 4b 4f 3c 4f 45 3f 3d 49 44 63 45 3d 45 27 22 27 54 32 32 3d 3f 37 3f 3e 23 3f 3f 1c 1c 3a"
    "1c 61 3f 3d 3f 3f 29 34 27 3f 3b 52 3b 3b 34 40 22 40 54"
)
_BOLDER = 1.13


@dataclass(frozen=True)
class Chart:
    """A figure with everything a reader needs who cannot see it.

    Attributes
    ----------
    key : str
        Unique within a page; prefixes every id of the SVG.
    svg : markupsafe.Markup
        The drawing, with title and description inside.
    title, description, caption : str
        What it is; what it shows, in a sentence; n, units and how to read it.
    columns : sequence of str
        Header of the data table.
    rows : sequence of sequence of str
        The data table: every number drawn.
    width : int
        Natural width in CSS pixels.
    """

    key: str
    svg: Markup
    title: str
    description: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]] = field(default_factory=tuple)
    width: int = WIDTH


@dataclass(frozen=True)
class Axis:
    """Where numbers lie in pixels: `low` at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a number, also outside the limits."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Tell whether a number lies within the limits."""
        return self.low <= value <= self.high

    def clipped(self, value: float) -> float:
        """Return the pixel of a number moved to the nearer limit where it lies outside."""
        return self(min(max(value, self.low), self.high))

    def ticks(self, most: int) -> list[float]:
        """Return round numbers within the limits, about `most` of them."""
        return [t for t in round_numbers(self.low, self.high, most) if self.holds(t)]


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """Return evenly spaced round numbers from at most `low` to at least `high`, with at most `most` steps between."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * power
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= most:
            break
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


@lru_cache(maxsize=4096)
def text_width(words: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line of text in pixels, in the widest font in common use."""
    total = 0
    for letter in words:
        place = ord(letter) - 32
        if 0 <= place < len(_ADVANCE):
            total += _ADVANCE[place]
        elif unicodedata.east_asian_width(letter) in "WF":
            total += 104
        elif not unicodedata.combining(letter):
            total += 84 if letter == "−" else 72
    return total / 100 * size * (_BOLDER if bold else 1)


def fitted(words: str, room: float, size: float, *, bold: bool = False) -> str:
    """Cut a name with an ellipsis where it is wider than `room` pixels."""
    shown = cut(words, 400)
    if text_width(shown, size, bold=bold) <= room:
        return shown
    few, many = 1, len(shown)  # `few` letters are taken whatever the room is
    while many - few > 1:
        middle = (few + many) // 2
        if text_width(cut(shown, middle), size, bold=bold) <= room:
            few = middle
        else:
            many = middle
    return cut(shown, few)


def wrapped(words: str, rooms: Sequence[float], size: float, *, bold: bool = False) -> list[str]:
    """Break a name at blanks into as many lines as `rooms` gives widths for; what is still too long is cut."""
    left = cut(words, 400)
    lines: list[str] = []
    for room in rooms[:-1]:
        if text_width(left, size, bold=bold) <= room:
            break
        parts = left.split(" ")
        taken = max(
            (n for n in range(1, len(parts)) if text_width(" ".join(parts[:n]), size, bold=bold) <= room), default=0
        )
        if not taken:
            break
        lines.append(" ".join(parts[:taken]))
        left = " ".join(parts[taken:])
    return [*lines, fitted(left, rooms[len(lines)], size, bold=bold)]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart until neighbours are `gap` away, each as near to where it is wanted as that allows.

    Returns
    -------
    list of float
        In the order of `wanted`, between `low` and `high` where there is room for all.
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    blocks: list[tuple[float, int]] = []  # centre of a run of touching labels, how many
    for index in order:
        centre, size = min(max(wanted[index], low), high), 1
        while blocks and blocks[-1][0] + gap * (blocks[-1][1] - 1) / 2 + gap > centre - gap * (size - 1) / 2:
            before, number = blocks.pop()
            centre = (before * number + centre * size) / (number + size)
            size += number
            half = gap * (size - 1) / 2
            centre = max(min(centre, high - half), low + half)
        blocks.append((centre, size))
    places = [centre + gap * (i - (size - 1) / 2) for centre, size in blocks for i in range(size)]
    return [place for _, place in sorted(zip(order, places, strict=True))]


def ink(role: str) -> str:
    """Return the colour of a role, as the page's variable with the colour on paper beside it."""
    return f"var(--c-{role},{INKS[role]})"


def _n(number: float) -> str:
    """A tenth of a pixel is finer than any eye."""
    return f"{number:.1f}".removesuffix(".0")


class Drawing:
    """Shapes and words in CSS pixels from the upper left; what is drawn first lies below.

    Attributes, not styles or classes: they mean the same in a browser and in WeasyPrint, which gets the drawing without
    the page's style sheet.
    """

    def __init__(self, height: float, width: float = WIDTH) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def lines(self, ends: Iterable[tuple[float, float, float, float]], role: str, width: float, dash: str = "") -> None:
        """Draw straight lines, each from (x, y) to (x, y)."""
        self._stroke("".join(f"M{_n(a)} {_n(b)}L{_n(c)} {_n(d)}" for a, b, c, d in ends), role, width, dash)

    def curve(self, points: Iterable[tuple[float, float] | None], role: str, width: float, dash: str = "") -> None:
        """Draw one line through points; None breaks it."""
        path, letter = [], "M"
        for point in points:
            if point is not None:
                path.append(f"{letter}{_n(point[0])} {_n(point[1])}")
            letter = "M" if point is None else "L"
        self._stroke("".join(path), role, width, dash)

    def _stroke(self, path: str, role: str, width: float, dash: str) -> None:
        if path:
            dashes = f' stroke-dasharray="{dash}"' if dash else ""
            self._parts.append(
                f'<path d="{path}" fill="none" stroke="{ink(role)}" stroke-width="{_n(width)}"{dashes}/>'
            )

    def box(self, x: float, y: float, wide: float, tall: float, role: str, opacity: float = 1.0) -> None:
        """Fill a rectangle."""
        clear = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(tall)}" fill="{ink(role)}"{clear}/>'
        )

    def markers(
        self, shape: Shape, places: Iterable[tuple[float, float]], size: float, role: str, *, hollow: bool = False
    ) -> None:
        """Draw markers about `size` pixels wide around each place."""
        stroke = max(1.0, size / 5)
        half = (size - stroke) / 2 if hollow else size / 2
        shapes = [
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{half:.2f}"/>'
            if shape == "disc"
            else f'<path d="M{"L".join(f"{_n(x + a * half)} {_n(y + b * half)}" for a, b in _CORNERS[shape])}Z"/>'
            for x, y in places
        ]
        if shapes:
            paint = f'fill="{ink(role)}"'
            if hollow:
                paint = f'fill="{ink("paper")}" stroke="{ink(role)}" stroke-width="{_n(stroke)}"'
            self._parts.append(f"<g {paint}>{''.join(shapes)}</g>")

    def text(
        self, x: float, y: float, words: str, size: float = PLAIN, *,
        anchor: Anchor = "start", bold: bool = False, role: str = "ink", turn: float = 0.0,
    ) -> None:  # fmt: skip
        """Write one line; `y` is the middle of its capital letters, `turn` degrees clockwise around (x, y)."""
        more = "" if anchor == "start" else f' text-anchor="{anchor}"'
        more += ' font-weight="bold"' if bold else ""
        more += f' fill="{ink(role)}"' if role != "ink" else ""
        # Not dominant-baseline, which renderers disagree about: capitals are 0.73 of the size tall.
        below = y + 0.365 * size
        more += f' transform="rotate({_n(turn)} {_n(x)} {_n(y)})"' if turn else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(below)}" font-size="{_n(size)}"{more}>{escape(visible(words))}</text>'
        )

    def inline(self, key: str, title: str, description: str) -> Markup:
        """Return the drawing for an HTML page.

        Parameters
        ----------
        key : str
            Prefix of the two ids; letters, digits and hyphens.
        title, description : str
            Become ``<title>`` and ``<desc>``, referred to by ``aria-labelledby``.
        """
        return Markup(  # noqa: S704  our own drawing; every text in it went through `escape`
            f'<svg class="chart" viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'aria-labelledby="{key}-t {key}-d" style="max-width:{self.width * 1.35:.0f}px" fill="{ink("ink")}" '
            f'stroke-linejoin="round"><title id="{key}-t">{escape(visible(title))}</title>'
            f'<desc id="{key}-d">{escape(visible(description))}</desc>{"".join(self._parts)}</svg>'
        )
