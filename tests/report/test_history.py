"""The page of a model's runs in time, and the table for the terminal."""

from __future__ import annotations

import re

import pytest
from lxml import html

from auditkit.evidence import VERDICTS, ModelInfo
from auditkit.evidence.history import (
    Event,
    History,
    LeftOut,
    PastAudit,
    PastData,
    PastPoint,
    PastProtocol,
    PastRun,
    Trend,
)
from auditkit.report.figures import timeline
from auditkit.report.history import history_lines, render_history, write_history
from tests.report.sample import around

HOSTILE = "<script>alert(1)</script>\u202e"


def run(number: int, **fields: object) -> PastRun:
    plain = {
        "number": number,
        "run": f"run-{number}",
        "path": f"m/run-{number}/evidence.json",
        "finished": f"2026-{number:02d}-03T10:00:00+00:00",
        "version": number,
        "revision": "0123456789abcdef",
        "verdict": "PASS",
        "counts": {v: 2 if v == "PASS" else 0 for v in VERDICTS},
        "protocol": "A",
        "data": "A",
    }
    return PastRun(**{**plain, **fields})


def point(number: int, value: float | None, verdict: str = "PASS", **fields: object) -> PastPoint:
    plain = {"margin_low": -5.0, "margin_high": 5.0, "n_images": 60, "n_clusters": 50, "joined": number > 1}
    return PastPoint(run=number, verdict=verdict, estimate=around(value), **{**plain, **fields})


def past(name: str, points: list[PastPoint], **fields: object) -> PastAudit:
    return PastAudit(
        id=f"metadata/{name}", family="metadata", verb="within", change=True, points=points, **{"title": name, **fields}
    )


TREND = Trend(
    estimate=around(2.5),
    runs=[1, 2, 3],
    n_versions=3,
    n_images=58,
    n_left_out=2,
    n_clusters=50,
    p=0.004,
    fit=0.94,
    start=0.1,
    means=[0.2, 1.2, 2.7],
    of_limit=0.5,
    direction="worse",
    named=True,
    what="mean change of the score",
)


@pytest.fixture(scope="module")
def made() -> History:
    drifting = past(
        "Prestige",
        [point(1, 0.2), point(2, 1.2), point(3, 2.7), point(4, 2.9, joined=False, apart="data B instead of A")],
        trend=TREND,
    )
    failed = past(
        HOSTILE,
        [
            point(1, 0.0),
            point(2, 9.0, "FAIL", limits_moved=True),
            point(4, None, "ERROR", joined=False, apart="seed: 1, now 2", limits_moved=True),
        ],
    )
    shown = past(
        "Shown", [point(n, 1.0, "INCONCLUSIVE", margin_low=None, margin_high=None) for n in (1, 2, 3, 4)], shown=True
    )
    anchored = past("Prestige", [point(2, 1.0), point(3, 2.5)]).model_copy(
        update={"id": "anchor/metadata/prestige", "family": "anchor"}
    )
    fail = {**dict.fromkeys(VERDICTS, 0), "FAIL": 1, "PASS": 1}
    return History(
        model=ModelInfo(name=HOSTILE),
        folder="reports",
        alpha=0.05,
        seed=7,
        resamples=1000,
        runs=[
            run(1),
            run(2, verdict="FAIL", counts=fail),
            run(3, n_not_run=4, anchor="run-1", anchor_run=1),
            run(4, protocol="B", data="B", revision=""),
        ],
        protocols=[
            PastProtocol(letter="A", name="p", profile="ci", sha256="a" * 64, alpha=0.05, first_run=1),
            PastProtocol(
                letter="B", name="p", profile="ci", sha256="b" * 64, alpha=0.05, first_run=4, changes=["seed: 1, now 2"]
            ),
        ],
        data=[
            PastData(
                letter=x, source=HOSTILE, n_images=60, n_clusters=50, sha256=x * 64, first_run=n, synthetic_share=0.5
            )
            for x, n in (("A", 1), ("B", 4))
        ],
        audits=[drifting, failed, shown],
        anchored=[anchored],
        events=[
            Event(
                kind="verdict",
                audit=failed.id,
                title=HOSTILE,
                run=2,
                before=1,
                verdict="FAIL",
                verdict_before="PASS",
                estimate=around(9.0),
                estimate_before=around(0.0),
                direction="worse",
            ),
            Event(
                kind="interval",
                audit=drifting.id,
                title="Prestige",
                run=4,
                before=3,
                verdict="PASS",
                verdict_before="PASS",
                estimate=around(9.0),
                estimate_before=around(0.0),
                direction="better",
                caveat="data B instead of A",
            ),
            Event(
                kind="anchor",
                audit=drifting.id,
                title="Prestige",
                run=3,
                before=0,
                verdict="FAIL",
                estimate=around(7.0),
                direction="worse",
            ),
        ],
        left_out=[LeftOut(path="x/evidence.json", why=f"is damaged: {HOSTILE}")],
        other_models={"b": 2},
        sentences=[f"Slow drift: {HOSTILE}."],
        notes=["A note."],
    )


@pytest.fixture(scope="module")
def page(made: History) -> html.HtmlElement:
    return html.document_fromstring(render_history(made))


def text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def rows(page: html.HtmlElement, section: str) -> list[str]:
    return [text(r) for r in page.xpath(f"//section[@id='{section}']//div[not(ancestor::details)]/table/tbody/tr")]


def test_it_stands_alone_and_runs_nothing(made: History, page: html.HtmlElement) -> None:
    source = render_history(made)
    assert page.xpath("//script") == []
    assert not re.search(r"https?://(?!www\.w3\.org)", source)
    assert [e for e in page.iter() for name in e.attrib if name.startswith("on") or name == "src"] == []
    assert "default-src 'none'" in page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "\u202e" not in source
    assert source == render_history(made)


def test_every_link_and_id_fits(page: html.HtmlElement) -> None:
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.xpath("//a/@href")} <= set(ids)
    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//table[not(.//th[@scope='col'])]") == []


def test_every_figure_has_a_title_a_description_and_its_numbers(page: html.HtmlElement) -> None:
    figures = page.xpath("//figure")
    assert len(figures) == 6  # verdicts, the drift, three audits, the anchor
    for figure in figures:
        assert text(figure.xpath(".//*[local-name()='title']")[0])
        assert text(figure.xpath(".//*[local-name()='desc']")[0])
        assert figure.xpath(".//details[@class='data']//tbody/tr")


def test_runs_say_what_changed(page: html.HtmlElement) -> None:
    found = rows(page, "runs")
    assert "4 audits not run run 1" in found[2]
    assert "B changed B other images" in found[3]
    assert "not known" in found[3]
    assert "against the run before: seed: 1, now 2" in text(page.xpath("//section[@id='runs']")[0])


def test_events_say_before_and_now_and_what_else_changed(page: html.HtmlElement) -> None:
    first, second, third = rows(page, "events")
    assert first.endswith("verdict worse run 1 PASS 0.0 (−1.0 to +1.0) FAIL +9.0 (+8.0 to +10.0) nothing but the model")
    assert "effect moved for the better" in second
    assert second.endswith("data B instead of A")
    assert "worse than the anchor a run that is not here FAIL worse by +7.0" in third
    told = page.xpath("//section[@id='events']//tr[@class='told']/th")
    assert [text(one) for one in told] == ["2", "3"]


def test_the_trend_stands_with_everything_behind_it(page: html.HtmlElement) -> None:
    assert rows(page, "drift") == [
        "Prestige Metadata: mean change of the score +2.5 (+1.5 to +3.5) points 50 % 1 to 3 3 94 % 0.004 for the worse "
        "58 / 50 2"
    ]
    jumped = TREND.model_copy(update={"jumps": [2]})
    assert TREND.slow
    assert not jumped.slow


def test_the_matrix_has_a_field_per_run_and_marks_what_is_not_joined(page: html.HtmlElement) -> None:
    prestige, failed, shown = page.xpath("//section[@id='matrix']//tbody/tr")
    assert [text(c) for c in prestige.xpath("./td")] == [
        "PASS +0.2",
        "PASS +1.2",
        "PASS +2.7",
        "PASS, not joined: data B instead of A +2.9",
    ]
    assert prestige.xpath("./td/@class") == ["PASS", "PASS", "PASS", "PASS cut"]
    assert text(failed.xpath("./td")[2]) == "– not run"
    assert failed.xpath("./td/@class") == ["PASS", "FAIL moved", "ERROR cut"]
    assert text(failed.xpath("./td")[1]) == "FAIL, by another criterion +9.0"
    assert failed.get("class") == "r differ"
    assert shown.xpath("./td/@class")[0] == "shown"


def test_what_was_left_out_is_said(page: html.HtmlElement) -> None:
    assert "x/evidence.json : is damaged: <script>" in text(page.xpath("//section[@id='left-out']")[0])


def drawn(audit: PastAudit, made: History) -> str:
    return str(timeline.timeline(audit, made.runs, "k").svg)


def test_a_line_joins_only_what_may_be_joined(made: History) -> None:
    path = re.compile(r'<path d="([^"]*)" fill="none" stroke="var\(--c-accent,[^"]*" stroke-width="1.8"/>')
    [joined] = path.findall(drawn(made.audits[0], made))
    assert joined.count("M") == 2  # 1-2, 2-3; not 3-4
    apart = made.audits[0].model_copy(
        update={"points": [p.model_copy(update={"joined": False}) for p in made.audits[0].points]}
    )
    assert path.findall(drawn(apart, made)) == []


def test_the_figure_marks_protocol_data_and_part(made: History) -> None:
    svg = drawn(made.audits[0], made)
    assert svg.count('stroke-dasharray="1 3"') == 1
    for words in (">Crit.<", ">Data<", ">3*<", ">B<"):
        assert words in svg
    plain = made.model_copy(update={"runs": [run(n) for n in (1, 2, 3, 4)]})
    assert ">Crit.<" not in drawn(plain.audits[0], plain)


def test_verdicts_differ_in_shape(made: History) -> None:
    svg = drawn(made.audits[1], made)
    assert '<g fill="var(--c-PASS' in svg
    assert re.search(r'<g fill="var\(--c-FAIL[^>]*><path', svg)
    assert "var(--c-ERROR" not in svg, "nothing was measured there"


def test_many_runs_get_numbers_that_have_room(made: History) -> None:
    many = [run(1).model_copy(update={"number": n}) for n in range(1, 101)]
    audit = past("a", [point(n, 0.01 * n) for n in range(1, 101)])
    svg = str(timeline.timeline(audit, many, "k").svg)
    assert ">100<" in svg
    assert 10 <= len(re.findall(r">\d+<", svg)) <= 25


def test_limits_far_away_do_not_press_the_values_into_a_line(made: History) -> None:
    svg = drawn(past("a", [point(n, 0.5, margin_low=None, margin_high=90.0) for n in (1, 2)]), made)
    numbers = [float(words) for words in re.findall(r">\+([\d.]+)<", svg)]
    assert numbers
    assert max(numbers) < 5


def test_the_terminal_has_one_line_per_run(made: History) -> None:
    for width in (40, 80, 200):
        lines = history_lines(made, width)
        assert max(map(len, lines)) <= max(width, 80)
        assert "\u202e" not in "".join(lines)
    wide = history_lines(made, 100)
    assert len(wide) == 2 + 4
    assert wide[-1].split() == ["4", "2026-04-03", "4:", "not", "known", "PASS", "2", "B", "B"]


def test_it_is_written_whole(made: History, tmp_path) -> None:
    write_history(made, tmp_path / "h.html")
    assert (tmp_path / "h.html").read_text(encoding="utf-8") == render_history(made)


def test_nothing_but_runs(made: History) -> None:
    bare = made.model_copy(update={"audits": [], "anchored": [], "events": [], "left_out": [], "notes": []})
    page = html.document_fromstring(render_history(bare))
    ids = set(page.xpath("//@id"))
    assert {href[1:] for href in page.xpath("//a/@href")} <= ids
    assert "No trend can be drawn" in text(page.xpath("//section[@id='drift']")[0])
