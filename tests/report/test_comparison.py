"""The page of a comparison: what it says, what it must not do, and that it can be read anywhere."""

from __future__ import annotations

import re

import pytest
from lxml import html

from auditkit.evidence import Data, Estimate, ModalityCount, ModelInfo, Outcomes
from auditkit.evidence.comparison import (
    ComparedAudit,
    ComparedModel,
    Comparison,
    Correlation,
    Difference,
    ModelEffect,
    Standing,
    Summary,
)
from auditkit.report.comparison import bars, render_comparison, write_comparison
from tests.report.sample import KINDS, around

HOSTILE = "<script>alert(1)</script>\u202e"
NAMES = ["alpha", HOSTILE, "a-name-of-a-model-that-is-rather-long-7b-instruct", "delta"]


def audit(number: int, values: list[float | None], verdicts: list[str | None], **fields: object) -> ComparedAudit:
    differences = [
        Difference(
            first=NAMES[i],
            second=NAMES[j],
            estimate=around(None if None in (values[i], values[j]) else values[i] - values[j], 2.0),
            n_images=60,
            n_clusters=50,
            p=0.001,
            apart=None not in (values[i], values[j]) and abs(values[i] - values[j]) > 4,
        )
        for i in range(len(values))
        for j in range(i + 1, len(values))
    ]
    models = [
        ModelEffect(
            verdict=v, estimate=around(x), n_images=60, n_clusters=50, n_missing=3, unusable=0.05, letters="ab"[i % 2]
        )
        for i, (x, v) in enumerate(zip(values, verdicts, strict=True))
    ]
    plain = {
        "id": f"metadata/words-{number}", "family": "metadata", **KINDS["equivalence"], "title": f"Words {number}",
        "what": "mean change of the score", "margin_low": -5.0, "margin_high": 5.0, "differences": differences,
    }  # fmt: skip
    return ComparedAudit(**{**plain, **fields}, models=models)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    whole = [
        Correlation(
            first=NAMES[0], second=NAMES[1], same_family=True, estimate=around(0.6, 0.1, "correlation"),
            n_strata=20, n_scores=1234, n_missing=7, n_clusters=50,
        ),
        Correlation(first=NAMES[0], second=NAMES[2], estimate=Estimate(unit="correlation"), note="do not vary"),
    ]  # fmt: skip
    parts = [c.model_copy(update={"perturbation": "gaussian_noise"}) for c in whole]
    standings = [
        Standing(estimate=around(i - 9.0), rank=i + 1, rank_low=1, rank_high=4, shares=[0.25] * 4, letters="a")
        for i in range(4)
    ]
    return Comparison(
        models=[
            ComparedModel(
                label=name,
                model=ModelInfo(name=name, family="" if i else HOSTILE, revision="0123456789abcdef"),
                run=f"run-{i}",
                finished="2026-11-22T10:00:00+00:00",
                verdict="FAIL" if i else "PASS",
                counts={"PASS": 3, "FAIL": i, "INCONCLUSIVE": 1, "ERROR": 0},
                outcomes=Outcomes(scored=90, refused=8, error=2),
                identical_to=[NAMES[0]] if i == 3 else [],
            )
            for i, name in enumerate(NAMES)
        ],
        protocol="auditkit default",
        protocol_sha256="ab" * 32,
        profile="ci",
        alpha=0.05,
        seed=1,
        resamples=10_000,
        data=Data(
            source="demo",
            n_images=60,
            n_clusters=50,
            modalities=[ModalityCount(modality="ct", n_images=60, n_clusters=50, n_synthetic=6)],
            synthetic_share=0.1,
        ),
        audits=[
            audit(1, [0.0, 0.2, 0.1, 9.0], ["PASS", "PASS", "PASS", "FAIL"]),
            audit(2, [0.0, 0.2, 0.1, 0.3], ["PASS", "PASS", "PASS", "PASS"]),
            audit(3, [0.0, 0.2, None, 0.3], ["PASS", "INCONCLUSIVE", None, "PASS"]),
            audit(4, [1.0] * 4, ["ERROR"] * 4, family="acme_tone", what="", differences=[], title=HOSTILE),
        ],
        summaries=[
            Summary(
                name="fall", title="Fall", what="mean slope", lower_is_better=True, standings=standings,
                differences=[Difference(first=NAMES[0], second=NAMES[1], estimate=around(-1.0))],
            )
        ],
        correlations=[*whole, *parts],
        sentences=[f"Fall: 1. {HOSTILE}."],
        notes=["A note."],
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> html.HtmlElement:
    return html.document_fromstring(render_comparison(comparison))


def text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def row(page: html.HtmlElement, section: str, start: str) -> html.HtmlElement:
    return next(r for r in page.xpath(f"//section[@id='{section}']//tr") if text(r).startswith(start))


def test_it_stands_alone_and_runs_nothing(comparison: Comparison, page: html.HtmlElement) -> None:
    source = render_comparison(comparison)
    assert page.xpath("//script") == []
    assert not re.search(r"https?://(?!www\.w3\.org)", source)
    assert [e for e in page.iter() for name in e.attrib if name.startswith("on") or name == "src"] == []
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "\u202e" not in source
    assert source == render_comparison(comparison)


def test_every_link_and_id_fits(page: html.HtmlElement) -> None:
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.xpath("//a/@href")} <= set(ids)


def test_verdict_and_effect_stand_in_the_matrix(page: html.HtmlElement) -> None:
    cells = row(page, "matrix", "Words 1").xpath("./td")
    assert [text(c) for c in cells] == ["PASS 0.0 a", "PASS +0.2 b", "PASS +0.1 a", "FAIL +9.0 b"]
    # No letters where no two are told apart, so that equal letters need not be compared 170 times.
    assert text(row(page, "matrix", "Words 2").xpath("./td")[0]) == "PASS 0.0"
    assert text(row(page, "matrix", "Words 3").xpath("./td")[2]) == "not run –"


def test_rows_can_be_filtered_without_a_script(page: html.HtmlElement) -> None:
    classes = {text(r)[:7]: r.get("class").split() for r in page.xpath("//section[@id='matrix']//tr[@class]")}
    assert classes["Words 1"] == ["r", "differ", "apart", "bad"]
    assert classes["Words 2"] == ["r"]
    assert classes["Words 3"] == ["r", "differ", "bad"]  # INCONCLUSIVE is no pass
    labels = [text(e) for e in page.xpath("//fieldset//label")]
    assert labels == ["all 4", "models told apart (1)", "verdicts differ (2)", "any that is not PASS (3)"]
    style = "".join(page.xpath("//style/text()"))
    for name in page.xpath("//fieldset//input/@id"):
        assert name == "m-all" or f"#{name}:checked" in style


def test_effects_carry_what_was_lost(page: html.HtmlElement) -> None:
    first = row(page, "effects", "alpha")
    assert text(first) == "alpha PASS 0.0 (−1.0 to +1.0) a 60 / 50 3 5.0 %"
    assert "accepted over all modalities: −5.0 to +5.0 points" in text(page.xpath("//section[@id='effects']")[0])
    told = row(page, "effects", "alpha − delta")
    assert told.get("class") == "told"
    assert text(told).endswith("yes")
    assert "Largest difference" in text(page.xpath("//details[@id='a2']")[0])
    assert "Compared by verdict only" in text(page.xpath("//section[@id='effects']")[0])


def test_ranks_and_correlations(page: html.HtmlElement) -> None:
    assert text(row(page, "ranks", "1 alpha")) == "1 alpha a −9.0 (−10.0 to −8.0) 1–4 25 % 25 % 25 % 25 %"
    kin = row(page, "order", "alpha and <script>")
    assert kin.get("class") == "kin"
    assert "same 0.60 (0.50 to 0.70) 20 1,234 7 50" in text(kin)
    assert "not known not measured do not vary" in text(row(page, "order", "alpha and a-name"))


def test_a_gap_between_models_that_all_pass_is_drawn(page: html.HtmlElement) -> None:
    figures = page.xpath("//section[@id='most']//figure")
    assert [text(f.xpath("./p")[0]) for f in figures] == ["Words 1"]
    assert "b: delta" in text(figures[0])


def test_bars_share_one_axis() -> None:
    a, b, none = bars([around(-2.0), around(4.0), around(None)], (None, 1.0), zero=True)
    assert none is None
    assert 0 < a.low < a.value < a.high < a.zero < b.low < b.high < 100
    assert a.accepted[0] == 0
    assert a.high < a.accepted[1] < b.value
    assert bars([around(5.0)], zero=False)[0].zero is None
    assert bars([Estimate(value=3.0)], zero=False)[0].low == bars([Estimate(value=3.0)], zero=False)[0].high


def test_two_models_and_nothing_measured(comparison: Comparison) -> None:
    bare = comparison.model_copy(update={"audits": [], "summaries": [], "correlations": [], "notes": []})
    found = html.document_fromstring(render_comparison(bare))
    assert "No picture was scored by all models" in text(found.xpath("//section[@id='order']")[0])
    assert found.xpath("//section[@id='most']") == []


@pytest.mark.slow
def test_a_browser_shows_it_on_any_screen(comparison: Comparison, tmp_path, visit) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="extra dev").Axe()
    path = tmp_path / "comparison.html"
    write_comparison(comparison, path)
    for width, scheme in ((375, "light"), (1280, "light"), (1280, "dark")):
        # The policy forbids scripts; axe is one, and is let in for the measurement alone.
        view = visit(path, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        visible = "[...document.querySelectorAll('#matrix tr.r')].filter(r => r.offsetParent).length"
        assert view.evaluate(visible) == 4
        view.check("#m-apart")
        assert view.evaluate(visible) == 1
        view.check("#m-bad")
        assert view.evaluate(visible) == 3
        view.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = axe.run(view)
        assert found.violations_count == 0, found.generate_report()
