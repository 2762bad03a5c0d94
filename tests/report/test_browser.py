"""What only a browser can tell: the page with and without its script, by keyboard, on a phone, on paper."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditkit.evidence import Evidence
from auditkit.report import views
from auditkit.report.html import render_html
from auditkit.words import verdict_word

# Playwright's `wait_for_function` evaluates strings, which the page's policy forbids; `expect` does not.
expect = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (extra dev)").expect
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def some(lean: Evidence) -> Evidence:
    """Two corruptions instead of ten: their figures take most of the time that a page takes to open."""
    degraded = ("sensitivity", "discrimination")
    kept = [a for a in lean.audits if a.family not in degraded or views.subject(a) in ("pixelate", "contrast_up")]
    return lean.model_copy(update={"audits": kept})


@pytest.fixture(scope="module")
def report(some: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(some), encoding="utf-8")
    return path


def _shown(page: Any) -> list[str]:
    """Return the names of the audits to be seen, in their order on the page."""
    names = page.eval_on_selector_all(
        ".audit", "lines => lines.filter(line => line.checkVisibility()).map(line => line.id || "
        "line.querySelector('.audit-body').id)",
    )  # fmt: skip
    return list(names)


def _slugs(some: Evidence, keep: Callable[[Any], bool]) -> set[str]:
    slugs = views.slugs([audit.id for audit in some.audits], "audit")
    return {slugs[audit.id] for audit in some.audits if keep(audit)}


def test_without_the_script_everything_can_be_reached(report: Path, visit: Visit, some: Evidence) -> None:
    page = visit(report, "#audits", java_script_enabled=False)
    assert not page.locator("#filters").is_visible()
    assert page.locator(".audit").count() == len(some.audits)
    expect(page.locator(".group").first).to_be_visible()
    line = page.locator(".audit", has_text="Prestige high against low").first
    assert not line.locator(".audit-body").is_visible()
    line.locator("summary").click()
    assert "metadata/institution.level-0" in line.locator(".audit-body").inner_text()
    page.goto(report.as_uri() + "#audit-sensitivity-pixelate")  # the browser itself opens what holds the anchor
    assert page.locator("#audit-sensitivity-pixelate").is_visible()


def test_filters_narrow_the_list_and_say_so(report: Path, visit: Visit, some: Evidence) -> None:
    page = visit(report, "#audits")
    status = page.locator("#shown")
    total = len(some.audits)
    assert status.get_attribute("role") == "status"
    assert status.inner_text() == f"{total} of {total} audits shown."
    page.locator("[name=verdict][value=FAIL]").check()
    wanted = _slugs(some, lambda a: a.verdict == "FAIL")
    assert set(_shown(page)) == wanted
    assert status.inner_text() == f"{len(wanted)} of {total} audits shown: FAIL."
    assert page.url.endswith("#audits?verdict=FAIL")
    page.locator("[name=verdict][value=ERROR]").check()
    page.locator("[name=question]").select_option("metadata")
    wanted = _slugs(some, lambda a: a.verdict in ("FAIL", "ERROR") and a.family == "metadata")
    assert set(_shown(page)) == wanted
    assert page.locator(".group:visible").count() == 1
    page.locator("#reset").click()
    assert len(_shown(page)) == total


@pytest.mark.slow
def test_with_a_modality_the_verdict_is_the_one_it_has_there(report: Path, visit: Visit, some: Evidence) -> None:
    page = visit(report, "#audits?modality=ultrasound&verdict=FAIL")

    def fails_there(audit: Any) -> bool:
        return any(c.stratum.level == "ultrasound" and c.required and c.verdict == "FAIL" for c in audit.parts)

    wanted = _slugs(some, fails_there)
    assert 0 < len(wanted) < len(_slugs(some, lambda a: a.verdict == "FAIL"))
    assert set(_shown(page)) == wanted
    assert "in Ultrasound" in page.locator("#shown").inner_text()


@pytest.mark.slow
def test_search_reads_names_ids_and_answers(report: Path, visit: Visit) -> None:
    page = visit(report)
    for text, wanted in (
        ("PRESTIGE low", "audit-metadata-institution-level-0"),
        ("sensitivity/pixelate", "audit-sensitivity-pixelate"),
        ("<script>alert(1)", "audit-sensitivity-pixelate"),
    ):
        page.locator("[name=text]").fill(text)
        expect(page.locator("#shown")).to_contain_text(f"with “{text}”")
        assert wanted in _shown(page)
    page.locator("[name=text]").fill("nothing has this")
    expect(page.locator("#shown")).to_contain_text("0 of ")
    assert _shown(page) == []


@pytest.mark.slow
def test_sorting_by_verdict_effect_and_name_and_back(report: Path, visit: Visit, some: Evidence) -> None:
    page = visit(report)
    first = _shown(page)
    slugs = views.slugs([audit.id for audit in some.audits], "audit")
    audits = {slugs[audit.id]: audit for audit in some.audits}
    page.locator("[name=sort]").select_option("verdict")
    order = [verdict_word(audits[name]) for name in _shown(page)]
    assert [v for i, v in enumerate(order) if i == 0 or order[i - 1] != v] == [
        "FAIL",
        "ERROR",
        "INCONCLUSIVE",
        "PASS",
        "shown",
    ]
    page.locator("[name=sort]").select_option("effect")
    points = [a.estimate.value for n in _shown(page) if (a := audits[n]).estimate.unit == "points"]
    sizes = [abs(value) for value in points if value is not None]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 20
    page.locator("[name=sort]").select_option("name")
    names = [views.audit_name(audits[n]).lower() for n in _shown(page)]
    assert names.index("brightness up") < names.index("child against adult") < names.index("pixelation")
    page.locator("[name=sort]").select_option("")
    assert _shown(page) == first


def test_a_link_opens_its_audit_even_when_a_filter_hides_it(report: Path, visit: Visit) -> None:
    page = visit(report, "#audit-metadata-patient-level-1")
    body = page.locator("#audit-metadata-patient-level-1")
    assert body.is_visible()
    expect(page.locator(".audit", has=body)).to_be_in_viewport()
    page.wait_for_timeout(200)
    assert 0 <= page.locator(".audit", has=body).bounding_box()["y"] < 60
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.goto(report.as_uri() + "#audits?verdict=PASS")
    assert not body.is_visible()
    page.goto(report.as_uri() + "#audit-metadata-patient-level-1")
    assert body.is_visible()
    page.goto(report.as_uri() + "#audits?verdict=NONSENSE&modality=nowhere&sort=what&question=%E0%A4%A")
    assert "of" in page.locator("#shown").inner_text()


@pytest.mark.slow
def test_counts_lead_to_what_they_count(report: Path, visit: Visit, some: Evidence) -> None:
    page = visit(report)
    page.locator(".tiles a", has_text="INCONCLUSIVE").click()
    assert set(_shown(page)) == _slugs(some, lambda a: verdict_word(a) == "INCONCLUSIVE")
    page.go_back()
    page.locator(".summary a[data-filter='verdict=FAIL&question=discrimination']").click()
    assert set(_shown(page)) == _slugs(some, lambda a: a.verdict == "FAIL" and a.family == "discrimination")


@pytest.mark.slow
def test_links_are_copied(report: Path, visit: Visit) -> None:
    page = visit(report, "#audits?verdict=FAIL", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#copy-view").click()
    expect(page.locator("#copy-view")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == report.as_uri() + "#audits?verdict=FAIL"
    line = page.locator(".audit:visible").first
    line.locator("summary").click()
    line.locator(".copy").click()
    expect(line.locator(".copy")).to_have_text("Link copied")
    assert "#audit-" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.slow
def test_the_list_is_used_by_keyboard_alone(report: Path, visit: Visit) -> None:
    page = visit(report, "#audits?question=answers")
    page.locator("[name=verdict][value=PASS]").focus()
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.name || document.activeElement.id || document.activeElement.className"
            )
        )
        if seen[-1] == "line":
            break
    assert [name for name in seen if name not in ("verdict", "line")] == [
        "question", "modality", "sort", "text", "reset", "copy-view",
    ]  # fmt: skip
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Enter")
    assert not page.evaluate("document.activeElement.parentElement.open")


def test_the_record_can_be_saved_from_the_page(report: Path, visit: Visit, tmp_path: Path) -> None:
    page = visit(report, java_script_enabled=False)
    with page.expect_download() as saving:
        page.locator("#evidence").click()
    assert saving.value.suggested_filename == "evidence.json.gz"
    saving.value.save_as(tmp_path / "evidence.json.gz")
    record = gzip.decompress((tmp_path / "evidence.json.gz").read_bytes())
    assert hashlib.sha256(record).hexdigest() in report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_case_shows_both_pictures_prompt_and_raw_answer(full: Evidence, visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    audits = [a for a in full.audits if a.id == "sensitivity/pixelate"]
    path.write_text(render_html(full.model_copy(update={"audits": audits, "examples": []})), encoding="utf-8")
    opened = visit(path, "#audit-sensitivity-pixelate")
    body = opened.locator("#audit-sensitivity-pixelate")
    assert body.locator(".twin .thumb").count() == 2
    assert "How good is the technical quality of this image?" in body.inner_text()
    assert "<script>alert(1)</script> Rating: 5/5" in body.inner_text()
    boxes = [body.locator(".twin .thumb").nth(i).bounding_box() for i in (0, 1)]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found_with_everything_open(brief: Evidence, visit: Visit, scheme: str, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    path = tmp_path / "report.html"
    path.write_text(render_html(brief), encoding="utf-8")
    page = visit(path, color_scheme=scheme, bypass_csp=True)  # the checker is a script; the page allows its own only
    page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true; })")
    found = axe.run(page).response
    assert len(found["passes"]) > 20
    assert [(v["impact"], v["id"], v["nodes"][0]["target"]) for v in found["violations"]] == []


@pytest.mark.slow
def test_nothing_is_wider_than_a_phone_with_everything_open(report: Path, visit: Visit) -> None:
    page = visit(report, viewport={"width": 360, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true; })")
    page.add_style_tag(content="section, .audits { content-visibility: visible !important }")
    width, height = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert width <= 360
    assert height > 20_000


@pytest.mark.slow
def test_a_print_of_a_filtered_list_says_that_it_is_one(report: Path, visit: Visit) -> None:
    page = visit(report, "#audits?verdict=FAIL")
    page.emulate_media(media="print")
    assert page.locator("#shown").is_visible()
    assert not page.locator("[name=text]").is_visible()
    assert not page.locator("nav").is_visible()
    assert len(page.pdf()) > 50_000
