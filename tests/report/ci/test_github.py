from __future__ import annotations

import re
from pathlib import Path

import lxml.html
import pytest

from auditkit.evidence import Evidence, Reference
from auditkit.report.ci.findings import Place, findings
from auditkit.report.ci.github import SHOWN, SUMMARY_LIMIT, annotate, summary
from tests.report.ci.runner import obeyed
from tests.report.sample import CONTROL, HOSTILE

EVIL = f"{HOSTILE}\n\n\r\n::error::x\n##[add-mask]y\n\n[l](http://x) **b** | {CONTROL} \u202e"


def found_in(evidence: Evidence, *, allow: bool = False, places: dict[str, Place] | None = None):
    excused = [a.id for a in evidence.audits if allow and a.verdict == "INCONCLUSIVE"]
    return findings(evidence, places or {}, excused=excused)


def summary_of(evidence: Evidence, **changed):
    given = {"files": ["out/report.html"], "run_url": "https://github.example/r/1"} | changed
    return summary(evidence, found_in(evidence), **given)


def spoilt(evidence: Evidence) -> Evidence:
    """Every text that may be foreign says something hostile."""
    audits = [
        a.model_copy(update={"sentence": EVIL, "title": EVIL, "id": f"{a.family}/{EVIL}{i}", "hazard_ids": [EVIL]})
        for i, a in enumerate(evidence.audits)
    ]
    model = evidence.model.model_copy(update={"name": EVIL, "fingerprint": "<b>"})
    data = evidence.data.model_copy(update={"source": EVIL})
    reference = Reference(role="baseline", run=EVIL, finished="", model=EVIL, evidence_sha256="0", problem=EVIL)
    return evidence.model_copy(
        update={"audits": audits, "model": model, "data": data, "sentence": EVIL, "references": [reference]}
    )


def test_no_more_annotations_than_github_shows_and_the_rest_is_counted(lean: Evidence) -> None:
    found = found_in(lean, allow=True)
    lines = annotate(found, Path())
    commands = obeyed("\n".join(lines))
    assert len(commands) == len(lines)
    for kind, blocks in (("error", True), ("warning", False)):
        own = [c for c in commands if c.name == kind]
        some = [f for f in found if f.blocks is blocks]
        assert len(some) > SHOWN, "the sample must have more than are shown"
        assert len(own) == SHOWN
        for shown, finding in zip(own[:-1], some, strict=False):
            assert shown.text.startswith(f"{finding.audit.id}: ")
            assert shown.properties["title"].startswith(f"{finding.audit.verdict}: ")
        assert f"{len(some) - SHOWN + 1} more" in own[-1].properties["title"]


def test_exactly_as_many_as_github_shows_are_all_shown(lean: Evidence) -> None:
    ten = lean.model_copy(update={"audits": [f.audit for f in found_in(lean)[:SHOWN]]})
    commands = obeyed("\n".join(annotate(found_in(ten), Path())))
    assert len(commands) == SHOWN
    assert all("more" not in c.properties["title"].split() for c in commands)


def test_an_annotation_is_on_the_line_of_its_test(lean: Evidence, tmp_path: Path) -> None:
    first, second, *_ = found_in(lean)
    places = {
        first.audit.id: Place(tmp_path / "audits/a, b.py", 7),
        second.audit.id: Place(tmp_path.parent / "x.py", 9),
    }
    one, two, *_ = obeyed("\n".join(annotate(found_in(lean, places=places), tmp_path)))
    assert (one.properties["file"], one.properties["line"]) == ("audits/a, b.py", "7")
    assert {"file", "line"}.isdisjoint(two.properties), "a place outside the checkout means nothing to GitHub"


def test_foreign_text_makes_no_command_of_its_own(lean: Evidence) -> None:
    commands = obeyed("\n".join(annotate(found_in(spoilt(lean)), Path())))
    assert {c.name for c in commands} == {"error"}
    assert len(commands) == SHOWN
    for shown in commands:
        assert set(shown.properties) == {"title"}
        assert not re.search("[\x00-\x1f\x7f\u202e\ud800-\udfff]", shown.text)


def test_the_summary_says_verdict_numbers_failures_and_what_is_undecided(lean: Evidence) -> None:
    page = lxml.html.fromstring(summary_of(lean))
    text = " ".join(page.text_content().split())
    assert page.find("h2").text == f"✗ FAIL: {lean.model.name}"
    assert lean.sentence in text
    tables = page.findall("table")
    assert len(tables) == 3
    counts = [cell.text_content() for cell in tables[0].findall(".//tr")[-1].findall("td")]
    verdicts = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")
    assert counts == ["All audits", *(str(sum(a.verdict == v for a in lean.deciding)) for v in verdicts)]
    failed = [row.find("td/code").text for row in tables[1].findall("tbody/tr")]
    undecided = {row.find("td/code").text for row in tables[2].findall("tbody/tr")}
    assert set(failed) == {a.id for a in lean.deciding if a.verdict in ("FAIL", "ERROR")}
    assert undecided == {a.id for a in lean.deciding if a.verdict == "INCONCLUSIVE"}
    assert "INCONCLUSIVE is not a pass" in text
    assert "of the images are synthetic" in text
    assert page.find(".//a").get("href") == "https://github.example/r/1"


def test_the_summary_of_a_pass_has_no_list_of_failures(lean: Evidence) -> None:
    passed = [a for a in lean.deciding if a.verdict == "PASS"]
    text = summary_of(lean.model_copy(update={"audits": passed, "verdict": "PASS", "sentence": "All met."}))
    assert "✓ PASS" in text
    assert "What failed" not in text
    assert "Undecided" not in text


def test_foreign_text_is_text_in_the_summary(lean: Evidence) -> None:
    text = summary_of(spoilt(lean), files=[EVIL], run_url="javascript:alert(1)")
    assert "\n\n" not in text.strip("\n"), "an empty line ends the HTML, and Markdown would be read"
    page = lxml.html.fromstring(text)
    allowed = {"div", "h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "br", "a"}
    assert {e.tag for e in page.iter()} <= allowed
    assert [e for e in page.iter() if set(e.attrib) - {"align"}] == []
    assert "<script>alert(1)</script>" in page.text_content()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", page.text_content())


@pytest.mark.parametrize("limit", [SUMMARY_LIMIT, 60_000, 8_000])
def test_the_summary_fits_and_counts_what_it_leaves_out(lean: Evidence, limit: int) -> None:
    long = [
        a.model_copy(update={"id": f"{a.id}-{copy}", "sentence": "Ä" * 5000})
        for a in lean.deciding
        if a.verdict != "PASS"
        for copy in range(40)
    ]
    evidence = lean.model_copy(update={"audits": long})
    text = summary_of(evidence, limit=limit)
    assert 0 < len(text.encode()) <= limit
    page = lxml.html.fromstring(text)
    left = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) more are in the report", page.text_content())]
    listed = len(page.findall(".//td/code"))
    assert listed + sum(left) == len(long)
    assert left


def test_where_nothing_fits_nothing_is_written(lean: Evidence) -> None:
    assert summary_of(lean, limit=100) == ""
