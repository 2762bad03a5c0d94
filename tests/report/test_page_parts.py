"""Sections that come only with what the record holds, the list of audits, and the record inside the page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

from markupsafe import Markup

from auditkit.evidence import Audit, Cell, Data, Estimate, Evidence, Level, PromptInfo, Reference, Stratum
from auditkit.report import listing, views
from auditkit.report.html import FAILED_MOST, FOREST_MOST, render_html
from tests.report.sample import plain_audit


def _words(page: str) -> str:
    body = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def _cell(modality: str, verdict: str, *, required: bool = True) -> Cell:
    return Cell(stratum=Stratum(level=modality), verdict=verdict, sentence="", estimate=Estimate(), required=required)


def _carried(page: str) -> bytes:
    """Read the record as a reader of the page would: by the id of its link."""
    link = re.search(r'<a id="evidence" download="evidence.json.gz" href="data:application/gzip;base64,([^"]+)">', page)
    assert link
    return gzip.decompress(base64.b64decode(link[1]))


def test_the_page_carries_the_very_bytes_it_was_given_and_names_their_hash(brief: Evidence) -> None:
    record = brief.to_json().encode().replace(b"\n ", b"\n\t ", 1)  # what is on disk, not what we would write
    page = render_html(brief, record)
    assert _carried(page) == record
    assert hashlib.sha256(record).hexdigest() in page
    assert hashlib.sha256(brief.to_json().encode()).hexdigest() not in page


def test_without_bytes_the_page_carries_the_record_as_it_would_be_written(brief: Evidence) -> None:
    assert _carried(render_html(brief)) == brief.to_json().encode()


def test_a_bare_record_has_none_of_the_new_sections(brief: Evidence) -> None:
    criteria = {k: v for k, v in brief.protocol.criteria.items() if k != "intended_use"}
    bare = brief.model_copy(
        update={
            "references": [],
            "audits": [
                a for a in brief.audits
                if a.family not in ("baseline", "calibration") and not a.hazard_ids and not a.between
            ],
            "protocol": brief.protocol.model_copy(update={"criteria": criteria}),
            "data": brief.data.model_copy(update={"strata": {}}),
        }
    )  # fmt: skip
    page, whole = render_html(bare), render_html(brief)
    for place in ("changes", "subgroups", "calibration", "hazards", "intended-use"):
        assert f'id="{place}"' in whole
        assert f'id="{place}"' not in page
        assert f'href="#{place}"' not in page
    assert "Images by attribute" not in page


def test_equal_answers_and_a_reference_that_does_not_fit_are_said(brief: Evidence) -> None:
    def told(**more: object) -> str:
        reference = Reference.model_validate(
            {"role": "baseline", "run": "r1", "finished": "2026-01-01T00:00:00Z", "model": "m",
             "evidence_sha256": "1" * 64, **more}
        )  # fmt: skip
        words = _words(render_html(brief.model_copy(update={"references": [reference]})))
        start = words.index("Change against earlier runs")
        return words[start : words.index("Is this version no worse", start)]

    assert "All 1,200 answers are the same as then." in told(n_answers=1200, n_same=1200)
    some = told(n_answers=1200, n_same=1199, fingerprint=brief.model.fingerprint)
    assert "1,199 of them (99.9 %) are the same" in some
    assert "the fingerprint is that of this run" in some
    none = told(problem="Other images <b>.", n_answers=0)
    assert "could not be held against it. Other images &lt;b&gt;." in none
    assert "are the same" not in none


def test_people_equipment_calibration_hazards_and_intended_use_are_told(page: str) -> None:
    words = _words(page)
    assert "Intended purpose To tell which images can be read" in words
    assert "Out of scope" not in words  # left empty in the protocol
    assert "Manufacturer &lt;b&gt;ACME&lt;/b&gt; 3 328 (99 %)" in words
    assert "Score , Fall per step , Lost answers : Furthest apart of 2 levels of sex: male minus female." in words
    assert "no verdict rests on it" in words
    assert "Score as chance 19.0 % 6.0 % 331 / 329 4" in words
    hazards = words[words.index("Hazards of the risk file") :]
    assert hazards.index("HAZ-2") < hazards.index("HAZ-10")


def test_strata_tell_what_is_not_known() -> None:
    levels = [Level(name=n, n_images=i, n_clusters=i) for n, i in (("unknown", 6), ("a", 1), ("b", 3))]
    data = Data(
        source="x", n_images=10, n_clusters=10, modalities=[], synthetic_share=0, strata={"site": levels, "age": []}
    )
    age, site = views.strata(data)
    assert (age.known, age.unknown, age.share) == ([], 0, 0.0)
    assert ([v.name for v in site.known], site.unknown, site.share) == (["b", "a"], 6, 0.6)


def test_an_audit_shows_the_prompts_it_put() -> None:
    prompts = [PromptInfo(id=i, scorer="f", text="t") for i in ("a", "b", "c")]
    assert [p.id for p in views.asked(plain_audit("x/1", words="b", treated="a"), prompts)] == ["b"]
    assert [p.id for p in views.asked(plain_audit("x/1", words="a, c"), prompts)] == ["a", "c"]
    assert views.asked(plain_audit("x/1", treated="clean image"), prompts) == []


def test_marks_give_each_modality_the_worst_verdict_that_counts() -> None:
    audit = plain_audit(
        "x/1",
        parts=[
            _cell("ct", "PASS"), _cell("ct", "INCONCLUSIVE"), _cell("ct", "FAIL", required=False),
            _cell("mr", "ERROR", required=False), _cell("all", "FAIL"), _cell("us", "PASS"),
        ],
    )  # fmt: skip
    assert listing.marks(audit, ["us", "ct", "mr", "oct"]) == "PIE."


def test_effects_are_ranked_within_their_unit_and_the_unmeasured_last() -> None:
    def at(id_: str, value: float | None, unit: str = "points") -> Audit:
        return plain_audit(id_, unit=unit, estimate=Estimate(value=value, unit=unit))

    ranks = listing.by_effect([at("x/a", 1), at("x/b", 90, "share"), at("x/c", -3), at("x/d", None), at("x/e", 0)])
    assert sorted(ranks, key=lambda i: ranks[i]) == ["x/c", "x/a", "x/e", "x/b", "x/d"]


def test_details_are_kept_for_the_worst_and_the_room_is_not_exceeded() -> None:
    audits = [plain_audit(f"x/{v}{i}", v) for i in range(3) for v in ("PASS", "INCONCLUSIVE", "ERROR", "FAIL")]
    kept = listing.details(audits, lambda audit: Markup("x" * 100), 750)
    assert [i[2:-1] for i in kept] == ["FAIL"] * 3 + ["ERROR"] * 3 + ["INCONCLUSIVE"]
    assert len(listing.details(audits, lambda audit: Markup("x" * 100))) == 12


def test_what_is_drawn_of_many_is_the_worst_in_the_records_order() -> None:
    audits = [plain_audit(f"x/{i}", estimate=Estimate(value=i)) for i in range(6)] + [
        plain_audit("x/f", "FAIL"),
        plain_audit("x/g"),
    ]
    assert [a.id for a in views.most_telling(audits, 3)] == ["x/4", "x/5", "x/f"]
    assert views.most_telling(audits, 8) == audits


def test_categories_of_repeated_audits_are_the_families_they_repeat() -> None:
    assert views.category(plain_audit("baseline/metadata/institution.high")) == "metadata"
    assert views.category(plain_audit("metadata/institution.high")) == "institution"
    assert views.category(plain_audit("answers/refused")) == ""


def test_many_failures_are_counted_where_they_are_not_listed(brief: Evidence) -> None:
    number = FAILED_MOST + FOREST_MOST
    failed = [
        plain_audit(f"metadata/x.n{i}", "FAIL", title=f"N{i}", estimate=Estimate(value=i, low=i, high=i))
        for i in range(number)
    ]
    page = render_html(brief.model_copy(update={"audits": failed, "not_run": [f"m/{i}" for i in range(700)]}))
    words = _words(page)
    summary = words[words.index("What failed") : words.index("Does the score ignore words", words.index("What failed"))]
    assert f"And {number - FAILED_MOST} more: see every audit" in summary
    assert f"N{FAILED_MOST - 1} " in summary
    assert f"N{FAILED_MOST} " not in summary
    assert f"Drawn are the {FOREST_MOST} of {number} audits that tell most." in words
    assert "and 200 more" in words
    assert page.count('class="audit"') == number
