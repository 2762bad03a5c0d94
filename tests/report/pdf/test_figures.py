from __future__ import annotations

import base64
from xml.etree import ElementTree

from auditkit.evidence import Evidence
from auditkit.report import views
from auditkit.report.figures import charts
from auditkit.report.pdf import figures


def corruption(evidence: Evidence) -> views.Corruption:
    return views.corruptions(a for a in evidence.audits if a.id.endswith("/brightness"))[0]


def test_a_chart_stands_alone_in_plain_colours_and_our_font(small: Evidence) -> None:
    item = corruption(small)
    chart = charts.severity_response("A <b> & \x1b", item.points, item.discrimination, "k")
    shown = figures.picture(chart)
    assert "var(--c-accent" in chart.svg  # else the next lines prove nothing
    drawing = base64.b64decode(shown.source.partition(",")[2]).decode()
    assert "var(" not in drawing
    assert "#0b5cad" in drawing
    root = ElementTree.fromstring(drawing)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["font-family"].startswith("Report Sans")
    assert shown.alt.startswith("A <b> & ⟨U+001B⟩: score against severity. The mean score goes from")


def test_strips_show_one_image_of_each_of_the_modalities_that_tell_most(small: Evidence) -> None:
    item = corruption(small)
    found = figures.strips(small, item)
    assert [s.name.partition(",")[0] for s in found] == [
        figures.modality_name(modality) for modality in item.first[: figures.STRIPS]
    ]
    for strip in found:
        assert [thumb.label for thumb in strip.thumbs] == ["clean", "1", "2", "3", "4", "5"]
        assert all(thumb.source.startswith("data:image/jpeg;base64,/9j/") for thumb in strip.thumbs)
    assert "Brightness up, severity 5, score" in found[0].thumbs[-1].alt
    assert figures.strips(small.model_copy(update={"examples": []}), item) == []


def test_only_small_jpegs_get_in(small: Evidence) -> None:
    """A record's "picture" that is SVG would be read as SVG, with all that SVG can ask for."""
    svg = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>').decode()
    item = corruption(small)
    for bad in (svg, "", '/9j/" onload="x', "/9j/" + "A" * 200_000, "/9j/AAAA\n"):
        record = small.model_copy(update={"examples": [e.model_copy(update={"jpeg": bad}) for e in small.examples]})
        assert not [thumb for strip in figures.strips(record, item) for thumb in strip.thumbs if thumb.source]
        assert figures._jpeg(bad) == ""
    shown, number = figures.cases(small)
    assert number == sum(len(a.cases) for a in small.audits)
    assert [len(s.pictures) for s in shown] == [2] * len(shown)
    assert "as shown for the changed question (" in shown[0].pictures[1][1]
