"""Figures and pictures of the PDF: charts in plain colours, and the thumbnails that go in, each with its words."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.evidence import Audit, Case, Evidence, Example
from auditkit.report import views
from auditkit.report.figures.svg import Chart
from auditkit.report.thumbnails import CLEAN
from auditkit.words import audit_name, fixed, modality_name, visible

STRIPS = 2
"""Images shown per corruption, those of the modalities that tell most."""
CASES = 12
_PICTURE = (
    100_000  # characters; the thumbnails of a run have about 1,500, a picture of another kind must not bloat a file
)
_THEMED = re.compile(r"var\(--c-[\w-]+,\s*(#[0-9a-f]{6})\)")
_JPEG = re.compile(r"/9j/[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Picture:
    """A chart as the page shows it."""

    source: str
    alt: str
    title: str
    caption: str


def picture(chart: Chart) -> Picture:
    """Return a chart as an image of its own, which WeasyPrint reads with a fast parser.

    The file has colours instead of the page's variables, our font, and no words for screen readers: the PDF has those
    in the figure's alternative text.
    """
    head, body = _THEMED.sub(r"\1", str(chart.svg)).split(">", 1)
    head = re.sub(r' (?:class|role|aria-labelledby|style)="[^"]*"', "", head)
    names = 'xmlns="http://www.w3.org/2000/svg" font-family="Report Sans,DejaVu Sans,sans-serif"'
    data = base64.b64encode(f"{head} {names}>{body}".encode()).decode()
    words = f"{chart.title}. {chart.description}"
    return Picture(f"data:image/svg+xml;base64,{data}", visible(words), chart.title, chart.caption)


@dataclass(frozen=True)
class Thumbnail:
    """One picture of a strip, with what is written above and below it."""

    source: str
    alt: str
    label: str
    score: str


@dataclass(frozen=True)
class Strip:
    """One image: clean and at each severity of one corruption."""

    name: str
    thumbs: Sequence[Thumbnail]


def strips(evidence: Evidence, item: views.Corruption, *, scores: bool = True) -> list[Strip]:
    """Return up to `STRIPS` images of a corruption, of different modalities where there are several.

    Below each stands its score, or without `scores` how alike it is to the clean one.
    """
    clean: dict[str, Example] = {}
    degraded: dict[str, list[Example]] = {}
    for example in evidence.examples:
        if not example.perturbation:
            clean.setdefault(example.item, example)
        elif example.perturbation == item.key:
            degraded.setdefault(example.item, []).append(example)
    rank = {modality: position for position, modality in enumerate(item.first)}
    taken: dict[str, list[Example]] = {}
    for own in sorted(degraded.values(), key=lambda o: (rank.get(o[0].modality, len(rank)), o[0].modality, o[0].item)):
        taken.setdefault(own[0].modality, own)
    result = []
    for own in list(taken.values())[:STRIPS]:
        first = own[0]
        row = [*([clean[first.item]] if first.item in clean else []), *sorted(own, key=lambda e: e.level)]
        name = modality_name(first.modality) + (", synthetic" if first.synthetic else "")
        result.append(Strip(name, [_thumbnail(e, item.title, scores=scores) for e in row]))
    return result


def _thumbnail(example: Example, title: str, *, scores: bool) -> Thumbnail:
    label = CLEAN if example.level == 0 else str(example.level)
    score = "no score" if example.score is None else fixed(example.score)
    if not scores:
        score = f"SSIM {fixed(example.ssim, 2)}" if example.level else ""
    state = CLEAN if example.level == 0 else f"{title}, severity {example.level}"
    said = f", score {score}" if scores else ""
    alt = f"{modality_name(example.modality)}, {state}{said}, SSIM {fixed(example.ssim, 2)}"
    return Thumbnail(_jpeg(example.jpeg), visible(alt), label, score)


@dataclass(frozen=True)
class Shown:
    """A failing case with what the model was shown for it: source and alternative text, before and after."""

    audit: Audit
    case: Case
    pictures: Sequence[tuple[str, str]]


def cases(evidence: Evidence) -> tuple[list[Shown], int]:
    """Return the cases of the gallery, and how many the record holds."""
    found, number = views.gallery(evidence, CASES)
    return [Shown(audit, case, _twin(audit, case)) for audit, case in found], number


def _twin(audit: Audit, case: Case) -> list[tuple[str, str]]:
    name = f"{modality_name(case.modality)}, {audit_name(audit)}"
    both = (
        (case.control_jpeg, f"as shown for the control question, score {fixed(case.control_score)}"),
        (case.treated_jpeg, f"as shown for the changed question ({case.condition}), score {fixed(case.treated_score)}"),
    )
    return [(_jpeg(data), visible(f"{name}, {words}")) for data, words in both if _jpeg(data)]


def _jpeg(data: str) -> str:
    """Return a data URI of a small JPEG, empty for anything else: WeasyPrint would try to read that as SVG."""
    return f"data:image/jpeg;base64,{data}" if len(data) <= _PICTURE and _JPEG.fullmatch(data) else ""
