"""From a matplotlib figure to a small inline SVG that follows the page's colours and reads well aloud.

matplotlib is imported when the first figure is drawn. It writes a stand-alone XML file; inside a page that file needs
work: ids that repeat from figure to figure, a style rule that would apply to the whole page, metadata with addresses,
and fixed colours that vanish on a dark page.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markupsafe import Markup

from auditkit.report.wording import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Role -> colour on white paper. Charts are drawn with these; `Ink.themed` puts a CSS variable of the same name around
# each, so that the page decides. Told apart without colour as well: every role has its own shape, weight or label.
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
    "unparsed": "#6b4e9b",
    "out_of_range": "#0f7b8a",
    "truncated": "#4a5562",
    "error": "#15191e",
}
_ROLE_OF = {colour: role for role, colour in INKS.items()}

_STYLE: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "auditkit",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INKS["ink"],
    "axes.edgecolor": INKS["faint"],
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": INKS["muted"],
    "ytick.color": INKS["muted"],
    "xtick.labelcolor": INKS["muted"],
    "ytick.labelcolor": INKS["muted"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "path.simplify": False,
}

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_FONT = re.compile(r"font-family: [^;\"]*;?\s*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")


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
    width: int = 360


@contextmanager
def drawing() -> Iterator[None]:
    """Draw inside this: matplotlib's defaults plus `_STYLE`, whatever the user's own matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name may hold characters that DejaVu lacks; the reader's browser has its own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type, unused-ignore]
        yield


def blank(width: int, height: int) -> Figure:
    """Return a figure of the given size in CSS pixels; matplotlib's SVG unit is 1/72 inch and is shown as one pixel."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasSVG(figure)
    return figure


def inline(figure: Figure, key: str, title: str, description: str, *, themed: bool = True) -> Markup:
    """Return the figure as SVG markup for an HTML page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        A figure from `blank`, drawn inside `drawing`. Names that come from data must have passed `wording.cut` or
        `wording.visible`: a control character would not even be XML.
    key : str
        Prefix of all ids; letters, digits and hyphens.
    title, description : str
        Become ``<title>`` and ``<desc>``, referred to by ``aria-labelledby``.
    themed : bool
        Put ``var(--c-role, #colour)`` in place of colours; false for renderers without CSS variables.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    # Parsed is what matplotlib has just written, not a foreign file.
    root = ElementTree.fromstring(buffer.getvalue())  # noqa: S314
    box = root.attrib["viewBox"]
    root.attrib.clear()
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    _tidy(root, key, themed=themed)
    width = round(float(box.split()[2]))
    root.attrib.update(
        {
            "class": "chart",
            "viewBox": box,
            "role": "img",
            "aria-labelledby": f"{key}-t {key}-d",
            "style": f"max-width:{width * 1.3:.0f}px",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    for position, (tag, suffix, text) in enumerate((("title", "t", title), ("desc", "d", description))):
        element = ElementTree.Element(tag, {"id": f"{key}-{suffix}"})
        element.text = visible(text)
        root.insert(position, element)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704  our own drawing, texts escaped by ElementTree


def _tidy(root: ElementTree.Element, key: str, *, themed: bool) -> None:
    """Prefix the ids that are used, drop the others, shorten numbers, and let the page set font and colours."""
    used: set[str] = set()
    for element in root.iter():
        used.update(_REFERENCE.findall(" ".join(element.attrib.values())))
        if reference := element.attrib.get(_XLINK):
            used.add(reference.removeprefix("#"))
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.tail = None
        if element.text and not element.text.strip():
            element.text = None
        attributes: dict[str, str] = {}
        for name, value in element.attrib.items():
            if name == "id":
                if value in used:
                    attributes["id"] = f"{key}-{value}"
            elif name == _XLINK:
                attributes["href"] = f"#{key}-{value.removeprefix('#')}"
            elif name == "style":
                style = _REFERENCE.sub(rf"url(#{key}-\1)", _FONT.sub("", value))
                attributes["style"] = _COLOUR.sub(_variable, style) if themed else style
            elif name == "transform" and value.startswith("rotate(-0 "):
                continue
            else:
                shorter = _NUMBER.sub(lambda m: f"{float(m.group()):.2f}", value) if name in "d x y" else value
                attributes[name] = _REFERENCE.sub(rf"url(#{key}-\1)", " ".join(shorter.split()))
        element.attrib.clear()
        element.attrib.update(attributes)
    _unwrap(root)


def _unwrap(element: ElementTree.Element) -> None:
    """Replace groups without attributes by their contents, and drop empty ones: a third of the bytes."""
    children: list[ElementTree.Element] = []
    for child in element:
        _unwrap(child)
        if child.tag in ("g", "defs") and not child.attrib and (child.tag == "g" or not len(child)):
            children.extend(child)
        else:
            children.append(child)
    element[:] = children


def _variable(match: re.Match[str]) -> str:
    role = _ROLE_OF.get(match.group())
    return f"var(--c-{role},{match.group()})" if role else match.group()
