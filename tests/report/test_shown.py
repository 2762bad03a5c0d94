"""Audits for information stand apart: listed with their numbers, without a verdict, counted nowhere."""

from __future__ import annotations

import re

import pytest

from auditkit.evidence import Audit, Estimate, Evidence
from auditkit.report import views
from auditkit.report.ci.findings import findings
from auditkit.report.clauses import hazard_trace
from auditkit.report.html import render_html
from auditkit.report.pdf.document import document
from auditkit.report.questions import QUESTIONS
from auditkit.report.terminal import summary_lines
from tests.report.sample import KINDS


@pytest.fixture(scope="module")
def bare(brief: Evidence) -> Evidence:
    """Nothing for information."""
    return brief.model_copy(update={"audits": brief.deciding})


@pytest.fixture(scope="module")
def record(bare: Evidence) -> Evidence:
    own = next(a for a in bare.audits if a.family == "metadata")
    changes = {
        "id": "gaps/sex",
        "family": "gaps",
        "title": "Sex",
        "verdict": "FAIL",
        "shown": True,
        "verb": "",
        "limit": {},
    }
    return bare.model_copy(update={"audits": [*bare.audits, own.model_copy(update=changes)]})


def test_it_is_counted_nowhere(record: Evidence, bare: Evidence) -> None:
    assert [f.name for f in views.families(record)] == [f.name for f in views.families(bare)]
    assert [f.name for f in views.apart(record)] == ["gaps"]
    assert "gaps/sex" not in [a.id for a in views.largest_effects(record, 100)]
    assert "gaps/sex" not in [f.audit.id for f in findings(record, {})]
    assert "gaps/sex" not in [a.id for hazard in hazard_trace(record) for a in hazard.audits]
    assert summary_lines(record, 100, "r") == summary_lines(bare, 100, "r")


def test_the_page_shows_it_apart_and_without_a_verdict(record: Evidence) -> None:
    page = render_html(record)
    line = re.search(r'<li class="audit" data-v="shown"[^>]*>.*?</summary>', page, re.S)
    assert line is not None
    assert "FAIL" not in line[0]
    assert 'id="information"' in page
    assert '<input type="checkbox" name="verdict" value="shown">' in page


def test_the_pdf_shows_it_apart_and_without_a_verdict(record: Evidence) -> None:
    text = document(record, record.to_json().encode())
    section = text[text.index("Shown for information") :]
    assert "Gaps" in section
    assert "◆ shown" in section


def test_a_page_without_any_says_nothing_of_it(bare: Evidence) -> None:
    page = render_html(bare.model_copy(update={"audits": bare.deciding}))
    assert 'id="information"' not in page
    assert 'value="shown"' not in page


def _audit(**more: object) -> Audit:
    return Audit(
        id="own/x", question="", family="own", title="X", verdict="PASS", sentence="", estimate=Estimate(), **more
    )


def test_where_an_own_family_stands_follows_from_what_it_holds(lean: Evidence) -> None:
    series = next(a.series for a in lean.audits if a.series)

    def kind(**more: object) -> str:
        (family,) = views.families(lean.model_copy(update={"audits": [_audit(**more)]}))
        return family.kind

    assert kind(**KINDS["sensitivity"], series=series) == "noticed"
    assert kind(**KINDS["discrimination"], series=series) == "noticed"
    assert kind(**KINDS["not_raised"], series=series) == "degraded"
    assert kind(**KINDS["equivalence"], words="quality.direct") == "words"
    assert kind(**KINDS["equivalence"], words="quality.direct, quality.reader") == "other"
    assert kind(**KINDS["worsening"], series=series) == "change"
    assert kind(verb="at_least", quantity="correct", unit="share") == "other"


def test_the_neutral_sentence_stands_after_the_question() -> None:
    assert "after the question" in QUESTIONS["placebo"][1]
