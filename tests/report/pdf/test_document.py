"""What the pages say, in which order, and that nothing in a record can change that."""

from __future__ import annotations

import hashlib

import pytest

from auditkit.evidence import (
    Answers,
    EarlierProtocol,
    Evidence,
    ItemEntry,
    ModalityCount,
    ProtocolInfo,
    Reference,
    Stratum,
)
from auditkit.report.pdf import document as page_of
from auditkit.report.pdf.document import document
from auditkit.report.pdf.parts import ANNEXES, CHAPTERS, annexes, chapters
from auditkit.report.pdf.tables import REASONS
from auditkit.words import SYMBOLS, audit_name, scale_of
from tests.report.pdf.conftest import TOML
from tests.report.test_html import Page


@pytest.fixture(scope="module")
def page(small: Evidence, record: bytes) -> Page:
    return Page(document(small, record))


@pytest.fixture(scope="module")
def least(small: Evidence) -> Evidence:
    """One audit, no pictures: a page in a tenth of a second."""
    audits = [a for a in small.audits if a.family == "metadata" and a.verdict != "ERROR"][:1]
    return small.model_copy(update={"audits": audits, "examples": [], "references": []})


def of(evidence: Evidence) -> Page:
    return Page(document(evidence, evidence.to_json().encode()))


def part(page: Page, id_: str) -> str:
    """Return the words of one chapter or annex."""
    headings = (
        {p.id: p.heading for p in chapters()} | {"annexes": "Annexes To look"} | {p.id: p.heading for p in annexes()}
    )
    own = list(headings)
    words = page.words
    start = words.rindex(headings[id_])
    later = own[own.index(id_) + 1 :][:1]
    return words[start : words.rindex(headings[later[0]])] if later else words[start:]


def test_the_page_is_well_formed_and_every_link_has_its_place(page: Page) -> None:
    assert page.problems == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [a["href"] or "" for a in page.all("a")]
    assert {target[1:] for target in targets} <= set(ids)
    assert all(target.startswith("#") for target in targets)


def test_chapters_stand_in_the_order_of_the_standard(page: Page) -> None:
    headings = [a["id"] for tag, a in page.tags if tag == "h2"]
    assert headings == ["contents", "summary", *(i for i, _ in CHAPTERS), "annexes", *(i for i, _ in ANNEXES)]
    words = page.words
    assert words.index("FAIL") < words.index("Contents") < words.index("Summary of verdicts")


def test_pictures_are_ours_and_have_words(page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) > 20
    for picture in pictures:
        assert (picture["src"] or "").startswith(("data:image/jpeg;base64,/9j/", "data:image/svg+xml;base64,"))
        assert picture["alt"]
    assert not [tag for tag, _ in page.tags if tag in {"script", "iframe", "object", "embed", "link", "base", "form"}]


def test_what_the_protocol_leaves_open_is_said_with_the_line_to_add(least: Evidence) -> None:
    criteria = least.protocol.criteria | {"intended_use": {"purpose": "Sorting out blurred images", "users": " "}}
    protocol = least.protocol.model_copy(update={"criteria": criteria})
    words = part(of(least.model_copy(update={"protocol": protocol})), "goals")
    assert "Sorting out blurred images" in words
    assert words.count("Not stated in the protocol.") == 3
    assert 'users = "…"' in words
    assert 'purpose = "…"' not in words
    for odd in ({}, {"intended_use": "everything"}, {"families": "none", "statistics": 3}):
        changed = ProtocolInfo(**(least.protocol.model_dump() | {"criteria": odd}))
        assert part(of(least.model_copy(update={"protocol": changed})), "goals").count("Not stated") == 4


def test_a_protocol_changed_after_the_first_look_is_marked_on_the_cover_and_shown(least: Evidence) -> None:
    earlier = EarlierProtocol(
        sha256="ef" * 32, first_seen="2026-11-01T00:00:00Z", first_judged="2026-11-02T00:00:00Z",
        changes=[f"families.metadata.margin: {i}.0, now 8.0" for i in range(25)],
    )  # fmt: skip
    assert "changed after the first look" not in of(least).words
    page = of(least.model_copy(update={"run": least.run.model_copy(update={"earlier_protocols": [earlier]})}))
    assert page.words.index("changed after the first look") < page.words.index("Contents")
    assert "by 1 other protocol: Annex G says what was changed" in part(page, "criteria")
    words = part(page, "protocol")
    assert "ef" * 32 in words
    assert "families.metadata.margin: 19.0, now 8.0" in words
    assert "and 5 more, in the attached evidence.json" in words


def test_data_card_names_what_is_not_known_and_what_was_left_out(page: Page, least: Evidence) -> None:
    words = part(page, "data")
    assert "Manufacturer 99 % <b>ACME</b> 3 (1)" in words
    assert "Leaving files out can hide what a model does badly: the reasons are in Annex H" in words
    detail = part(page, "images")
    assert "⟨U+202E⟩gnp.exe Not an image." in detail
    assert "Apache-2.0 (128), MIT (68)" in detail
    none = least.model_copy(update={"data": least.data.model_copy(update={"strata": {}, "n_left_out": 0})})
    words = part(of(none), "data")
    assert "No attribute of patients or equipment is recorded" in words
    assert "No file was left out." in words
    assert "None: every file that was given was used." in part(of(none), "images")


def test_results_are_there_by_corruption_severity_and_modality(page: Page, small: Evidence) -> None:
    words = part(page, "degradation")
    audit = next(a for a in small.audits if a.id == "sensitivity/brightness")
    worst = next(p for p in audit.series if p.stratum.level == "ct" and p.level == 5)
    assert worst.score.value is not None
    row = words[words.index("CT 34", words.index("Brightness up: mean score")) :][:200]
    assert f"{worst.score.value:.1f}" in row
    assert part(page, "audits").count("Prestige high against low") >= 2  # table and both sentences
    assert "Score, Fall per step, Lost answers: Furthest apart of 2 levels of sex: male minus female." in part(
        page, "subgroups"
    )
    assert "system You are a careful reader of medical images. user How good is" in part(page, "answers")


def test_no_subgroup_and_no_baseline_are_said_to_be_missing(least: Evidence, small: Evidence, page: Page) -> None:
    words = of(least)
    assert "The record holds no results by subgroup." in part(words, "subgroups")
    assert "No baseline was given." in part(words, "change")
    assert "--audit-baseline=EVIDENCE.json" in part(words, "change")
    assert "No audit follows the score from severity to severity." in part(words, "degradation")
    with_one = part(page, "change")
    assert "No baseline was given." not in with_one
    problems = [reference.problem for reference in small.references if reference.problem]
    assert problems
    assert f"Cannot be compared. {problems[0]}" in with_one


def test_a_reference_without_answers_has_no_share(least: Evidence) -> None:
    lone = Reference(role="baseline", run="r", finished="2026-01-01T00:00:00Z", model="m", evidence_sha256="0" * 64)
    assert "m 0 – " in part(of(least.model_copy(update={"references": [lone]})), "change")


def test_limits_gaps_and_audits_not_run_are_listed(page: Page, small: Evidence) -> None:
    words = part(page, "limits")
    assert small.limits[0] in words
    assert "Site is not recorded for any image" in words
    assert "Manufacturer is unknown for 99 % of the images." in words
    assert "metadata/institution.level-99" in words


def test_the_clause_page_says_what_it_does_not_do(page: Page) -> None:
    words = part(page, "clauses")
    assert words.index("Supports, does not establish, conformity.") < words.index("Clause, and what it asks for")
    assert words.count("Supports, does not establish, conformity.") == 1
    assert "HAZ-2" in part(page, "hazards")


def test_signatures_bind_the_record_and_the_protocol(page: Page, small: Evidence, record: bytes) -> None:
    for words in (part(page, "provenance"), part(page, "signature")):
        assert hashlib.sha256(record).hexdigest() in words
        assert small.protocol.sha256 in words
    assert small.model.fingerprint in part(page, "provenance")
    assert "I have read chapter 9, Limits and what was not tested" in part(page, "signature")
    assert part(page, "signature").count("Signature") == 3
    assert CHAPTERS[8][0] == "limits"


def test_long_tables_are_capped_and_say_so_and_never_hide_a_failure(
    least: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = least.audits[0]
    passed = base.model_copy(update={"verdict": "PASS"})
    many = [passed.model_copy(update={"id": f"metadata/a.b{i}", "title": f"Audit {i}"}) for i in range(300)]
    many.append(base.model_copy(update={"id": "metadata/last.one", "title": "The last one", "verdict": "FAIL"}))
    prompts = [least.prompts[0].model_copy(update={"id": f"p{i}"}) for i in range(60)]
    page = of(least.model_copy(update={"audits": many, "prompts": prompts}))
    words = part(page, "audits")
    assert "The first 100 of 301 rows; 201 are left out here. All are in the attached evidence.json." in words
    assert words.index("The last one", words.index("Every audit of this question")) < words.index("Audit 0")
    assert "The figures show the 1 of 301 audits that did not pass." in words
    assert "The first 24 of 60 rows; 36 are left out here." in part(page, "answers")


def test_the_body_lists_every_audit_that_did_not_pass_with_its_numbers(page: Page, small: Evidence) -> None:
    words = part(page, "findings")
    missed = [a for a in small.deciding if a.verdict != "PASS"]
    assert len(missed) > 5
    for audit in missed:
        row = words[words.index(f"{SYMBOLS[audit.verdict]} {audit.verdict} {audit_name(audit)} ") :]
        assert scale_of(audit).short(audit.estimate) in row[:400], audit.id
    for verdict in ("FAIL", "ERROR", "INCONCLUSIVE"):
        number = sum(a.verdict == verdict for a in missed)
        assert f"{verdict}: {number} audit" in words
    assert "PASS " not in words.replace("p (pass)", "")


def test_of_many_that_did_not_pass_the_worst_have_reasons_and_none_is_left_out_unsaid(least: Evidence) -> None:
    base = least.audits[0].model_copy(update={"sentence": "Undecided, because of this."})
    many = [
        base.model_copy(update={"id": f"m/a.b{i}", "title": f"T{i}", "verdict": "INCONCLUSIVE"}) for i in range(300)
    ]
    many += [base.model_copy(update={"id": f"m/f{i}", "title": f"F{i}", "verdict": "FAIL"}) for i in range(4)]
    words = part(of(least.model_copy(update={"audits": many})), "findings")
    assert (
        words.index("FAIL: 4 audits") < words.index("F3") < words.index("INCONCLUSIVE: 300 audits") < words.index("T0")
    )
    assert words.count("Undecided, because of this.") == REASONS
    assert "The first 196 of 300 rows; 104 are left out here." in words


def test_patients_and_synthetic_images_are_counted_apart(least: Evidence) -> None:
    entries = [ItemEntry(id=f"i{n}", cluster=f"c{n // 2}", modality="ct", synthetic=n >= 4) for n in range(7)]
    count = ModalityCount(modality="ct", n_images=7, n_clusters=4, n_synthetic=3)
    data = least.data.model_copy(update={"n_images": 7, "n_clusters": 4, "modalities": [count]})
    page = of(least.model_copy(update={"data": data, "answers": Answers(items=entries)}))
    words = part(page, "data")
    assert "4 images of 2 patients and 3 synthetic images of no patient" in words
    assert "Modality Images of patients Patients Synthetic images CT 4 2 3 All 4 2 3" in words
    assert page.words.index("4 images of 2 patients") < page.words.index("Contents")
    assert "CT 7 4 3" in part(page, "images")


def test_the_protocol_stands_in_its_annex_line_by_line(page: Page, least: Evidence) -> None:
    words = part(page, "protocol")
    for line in TOML.splitlines():
        assert line in words
    long = least.protocol.model_copy(update={"toml": "\n".join(f"key{i} = {i}" for i in range(400))})
    words = part(of(least.model_copy(update={"protocol": long})), "protocol")
    assert "key299 = 299" in words
    assert "key300" not in words
    assert "The first 300 of 400 rows" in words


def test_of_many_corruptions_the_worst_get_a_page(least: Evidence, small: Evidence) -> None:
    base = next(a for a in small.audits if a.id == "sensitivity/brightness")
    base = base.model_copy(update={"verdict": "PASS", "cases": []})
    many = [base.model_copy(update={"id": f"sensitivity/c{i}", "title": f"Fog {i}"}) for i in range(60)]
    many[57] = many[57].model_copy(update={"verdict": "FAIL", "title": "Black ice"})
    page = of(least.model_copy(update={"audits": many}))
    assert "worst verdicts first. The first 24 of 60 rows; 36 are left out here." in part(page, "degradation")
    shown = [a for tag, a in page.tags if tag == "div" and a.get("class") == "corruption"]
    assert len(shown) == page_of.CORRUPTIONS
    assert "Black ice: mean score" in page.words


@pytest.mark.parametrize("place", ["names", "texts", "audit", "protocol"])
def test_no_text_of_the_record_becomes_markup_or_style(least: Evidence, place: str) -> None:
    evil = "\"'></style><img src=x onerror=alert(1)>{{ 7 * 7 }}@import 'x';\x1b\u202e"
    audit = least.audits[0]
    if place == "names":
        record = least.model_copy(
            update={
                "model": least.model.model_copy(update={"name": evil, "revision": evil, "fingerprint": evil}),
                "run": least.run.model_copy(
                    update={
                        "id": evil,
                        "command": evil,
                        "packages": {evil: evil},
                        "finished": evil,
                        "git": {evil: evil},
                    }
                ),
                "data": least.data.model_copy(update={"notice": evil, "source": evil, "licences": {evil: 2}}),
            }
        )
    elif place == "texts":
        prompt = least.prompts[0].model_copy(update={"id": evil, "text": evil, "system": evil, "format": evil})
        record = least.model_copy(
            update={"sentence": evil, "limits": [evil], "not_run": [evil], "prompts": [prompt], "verdict": "ERROR"}
        )
    elif place == "protocol":
        criteria = {"intended_use": {"purpose": evil}, "families": {evil: {"by": evil, "hazard": evil}}, evil: [evil]}
        record = least.model_copy(
            update={
                "protocol": least.protocol.model_copy(
                    update={"criteria": criteria, "name": evil, "sha256": evil, "toml": evil, "parts": {evil: evil}}
                )
            }
        )
    else:
        cells = [c.model_copy(update={"stratum": Stratum(level=evil), "sentence": evil}) for c in audit.parts[:2]]
        cases = [c.model_copy(update={"condition": evil, "control_answer": evil, "image": evil}) for c in audit.cases]
        changes = {
            "id": evil, "family": evil, "title": evil, "sentence": evil, "treated": evil, "control": evil,
            "hazard": evil, "hazard_ids": [evil], "parts": cells, "cases": cases, "words": evil,
        }  # fmt: skip
        record = least.model_copy(update={"audits": [audit.model_copy(update=changes)]})
    page = of(record)
    assert page.problems == []
    assert "onerror=alert(1)>{{ 7 * 7 }}" in page.words
    assert "⟨U+001B⟩⟨U+202E⟩" in page.words
    assert not [a for _, a in page.tags if "onerror" in a]
    assert [tag for tag, _ in page.tags].count("style") == 1
    assert {a["href"][:1] for a in page.all("a") if a["href"]} == {"#"}
