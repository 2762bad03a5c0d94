from __future__ import annotations

import base64
import hashlib
import html.parser
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from auditkit.evidence import Audit, Data, EarlierProtocol, Estimate, Evidence, LookInfo, Stratum
from auditkit.report import views
from auditkit.report.html import render_html, script, write_html
from auditkit.report.thumbnails import BUDGET

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(html.parser.HTMLParser):
    """Checks nesting while it reads, and collects what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"never closed: {tag}" for tag in self.stack]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) < len(attrs):
            self.problems.append(f"attribute twice in {tag}: {attrs}")
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack[-1] != tag:
            self.problems.append(f"{tag} closes {self.stack[-3:]} at {self.getpos()}")
        else:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.stack and "script" not in self.stack:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def parsed(page: str) -> Page:
    return Page(page)


def test_the_page_is_well_formed_and_its_ids_are_unique(parsed: Page) -> None:
    assert parsed.problems == []
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for _, a in parsed.tags if (a.get("href") or "").startswith("#")}
    assert {target[1:] for target in targets if target} <= set(ids)
    for _, attributes in parsed.tags:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)


def test_nothing_is_fetched_and_nothing_runs_but_our_script(parsed: Page, page: str) -> None:
    for tag, attributes in parsed.tags:
        assert tag not in {"iframe", "object", "embed", "link", "base", "form", "video", "audio"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "xlink:href", "action", "poster", "data"):
            value = attributes.get(name)
            wanted = ("data:application/gzip;base64,",) if attributes.get("id") == "evidence" else ()
            assert value is None or value.startswith(("data:image/jpeg;base64,", "#", *wanted))
    code, policy = script()
    assert {"http-equiv": "Content-Security-Policy", "content": policy} in parsed.all("meta")
    assert policy.startswith("default-src 'none'; ")
    assert "script-src 'sha256-" in policy
    assert page.count("<script") == 1
    between = page[page.index("<script>") + len("<script>") : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(between.encode()).digest()).decode()
    assert between == code
    assert f"'sha256-{digest}'" in policy
    style = page[page.index("<style>") : page.index("</style>")]
    assert all(
        found.startswith(("data:image/svg+xml,", "%23")) for found in re.findall(r"url\([\"']?([^)\"']*)", style)
    )
    assert "@import" not in style


def test_model_text_and_file_names_are_shown_and_never_obeyed(parsed: Page, page: str) -> None:
    assert "<script>alert(1)</script> Rating: 5/5" in parsed.words
    assert not [a for a in parsed.all("img") if "evil" in (a.get("src") or "")]
    assert "<b>scan</b>.dcm" in parsed.words
    assert "⟨U+202E⟩gnp.exe" in parsed.words
    assert "Rating:⟨U+0000⟩ 4/5⟨U+001B⟩[31m red" in parsed.words
    assert "characters in all]" in parsed.words
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", page)


@pytest.mark.parametrize("place", ["model", "sentence", "notice", "modality", "licence", "prompt", "title", "family"])
def test_every_text_of_the_record_is_escaped(brief: Evidence, place: str) -> None:
    evil = "\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\x1b\u202e"
    lean = brief.model_copy(update={"audits": [a for a in brief.audits if a.family == "metadata"]})
    audit, record = lean.audits[0], lean
    if place == "model":
        record = lean.model_copy(update={"model": lean.model.model_copy(update={"name": evil, "description": evil})})
    elif place == "sentence":
        record = lean.model_copy(update={"sentence": evil, "limits": [evil], "not_run": [evil]})
    elif place in ("notice", "licence"):
        record = lean.model_copy(
            update={"data": lean.data.model_copy(update={"notice": evil, "licences": {evil: 1}, "source": evil})}
        )
    elif place == "prompt":
        record = lean.model_copy(
            update={"prompts": [lean.prompts[0].model_copy(update={"text": evil, "system": evil})]}
        )
    else:
        changes: dict[str, object] = {"title": evil, "sentence": evil, "treated": evil, "words": evil}
        if place == "family":
            changes = {"family": evil, "id": evil}
        if place == "modality":
            changes = {
                "parts": [c.model_copy(update={"stratum": Stratum(level=evil), "sentence": evil}) for c in audit.parts]
            }
        record = lean.model_copy(update={"audits": [audit.model_copy(update=changes)]})
    page = Page(render_html(record))
    assert page.problems == []
    assert "onerror=alert(1)>{{ 7 * 7 }}⟨U+001B⟩⟨U+202E⟩" in page.words
    assert not [a for _, a in page.tags if "onerror" in a]


def test_the_verdicts_come_first_and_what_was_asked_of_what_after_them(parsed: Page, full: Evidence) -> None:
    words = parsed.words
    head = words[: words.index("Summary", words.index(full.data.notice))]
    assert head.index(full.verdict) < head.index(full.sentence) < head.index(full.data.notice)
    assert f"Audit of {full.model.name}" in head[:200]
    assert full.protocol.sha256[:16] in head
    assert "22 November 2026, 01:15 UTC" in head
    sections = [a["id"] for tag, a in parsed.tags if tag == "section" and a.get("id")]
    assert sections[:2] == ["summary", "asked"]
    assert words.index("Verdicts by question") < words.index("What was asked of what")


def test_the_page_can_be_walked_without_eyes(parsed: Page) -> None:
    assert parsed.all("html")[0]["lang"] == "en"
    assert [len(parsed.all(tag)) for tag in ("h1", "main", "nav", "header")] == [1, 1, 1, 1]
    headings = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert ("a", {"class": "skip", "href": "#main"}) in parsed.tags
    tables = parsed.all("table")
    assert len(parsed.all("caption")) == len(tables) > 30
    assert all("scope" in attributes for attributes in parsed.all("th"))
    assert all(attributes.get("alt") for attributes in parsed.all("img"))
    assert all(a.get("aria-label") or a.get("aria-labelledby") for a in parsed.all("svg") if a.get("role") == "img")
    for _, attributes in parsed.tags:
        if attributes.get("role") == "region":
            assert attributes.get("tabindex") == "0"
            assert attributes.get("aria-label")


def test_every_figure_has_title_description_and_a_table_of_its_numbers(page: str) -> None:
    figures = re.findall(r"<figure.*?</figure>", page, re.S)
    assert len(figures) > 30
    for figure in figures:
        assert 'role="img"' in figure
        assert re.search(r"<title[^>]*>[^<]{3,}</title><desc[^>]*>[^<]{10,}</desc>", figure)
        assert "Numbers of this figure" in figure
        assert figure.count("<tr>") >= 2


def test_every_audit_has_its_place_and_every_verdict_its_word(parsed: Page, full: Evidence) -> None:
    boxes = [a["id"] for a in parsed.all("div") if a.get("class") == "audit-body"]
    assert sorted(boxes) == sorted(views.slugs([a.id for a in full.audits], "audit").values())
    words = parsed.words
    for audit in full.audits:
        assert audit.id in words
    for family in views.families(full):
        assert family.heading in words
    assert {a.verdict for a in full.audits} == {"PASS", "FAIL", "INCONCLUSIVE", "ERROR"}


def test_numbers_carry_sign_interval_unit_and_n(parsed: Page) -> None:
    words = parsed.words
    assert "+8.4 points" in words
    assert "+7.3 to +9.5" in words
    assert "331 images of 311 patients" in words
    assert not re.search(r"\(−?\d+\.\d{3,} to", words)


def test_size_and_time_are_bounded(full: Evidence, rendered: tuple[str, float]) -> None:
    page, seconds = rendered
    record = len(re.search(r'id="evidence"[^>]*base64,([^"]*)', page)[1])
    assert len(page.encode()) - record < 5_000_000
    assert len(full.examples) > 500
    assert len(page.encode()) - sum(len(m) for m in re.findall(r"base64,([^\"]*)", page)) < 1_700_000
    assert seconds < 4  # measured: 1.0 s on one core, half of it to write the record


def test_too_many_thumbnails_are_left_out_and_it_is_said(full: Evidence) -> None:
    heavy = [e.model_copy(update={"jpeg": e.jpeg + "A" * 20_000}) for e in full.examples]
    page = render_html(full.model_copy(update={"examples": heavy, "audits": full.audits[:1]}))
    pictures = sum(len(m) for m in re.findall(r"jpeg;base64,([^\"]*)", page))
    assert pictures <= BUDGET
    assert re.search(r"[1-9]\d* of 561 pictures were left out", page)


def test_rendering_is_the_same_whatever_the_hash_seed(lean: Evidence, tmp_path: Path) -> None:
    chosen = {"sensitivity/jpeg", "metadata/patient.level-2", "answers/refused.rating.plain", "acme_tone/polite"}
    small = lean.model_copy(update={"audits": [a for a in lean.audits if a.id in chosen]})
    assert len(small.audits) == 4
    record = tmp_path / "evidence.json"
    record.write_text(small.to_json(), encoding="utf-8")
    code = (
        "import sys, hashlib; from auditkit.evidence import Evidence; from auditkit.report.html import render_html;"
        "text = open(sys.argv[1], encoding='utf-8').read();"
        "print(hashlib.sha256(render_html(Evidence.from_json(text)).encode()).hexdigest())"
    )
    expected = hashlib.sha256(render_html(small).encode()).hexdigest()
    # Another process with a hash seed of its own: sets and dictionaries of strings iterate differently there.
    environment = {**os.environ, "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"}
    run = subprocess.run(
        [sys.executable, "-c", code, str(record)], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == expected


def test_rendering_needs_no_model_no_images_and_no_statistics() -> None:
    code = (
        "import sys, auditkit.report.html, auditkit.report.terminal;"
        "heavy = ('torch', 'transformers', 'scipy', 'statsmodels', 'sqlalchemy', 'pydicom', 'PIL', 'matplotlib');"
        "print([m for m in heavy if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def _only(lean: Evidence, audits: list[Audit], **more: object) -> Page:
    return Page(render_html(lean.model_copy(update={"audits": audits, **more})))


def test_a_run_without_audits(lean: Evidence) -> None:
    page = _only(lean, [], verdict="INCONCLUSIVE", sentence="Nothing was run.", prompts=[], examples=[], limits=[])
    assert page.problems == []
    assert "No audit was run, so nothing was shown." in page.words
    assert "The record holds no single cases." in page.words


def test_a_run_in_which_every_audit_raised(brief: Evidence) -> None:
    broken = [
        a.model_copy(
            update={
                "verdict": "ERROR",
                "estimate": Estimate(),
                "parts": [],
                "series": [],
                "cases": [],
                "p_pass": None,
                "p_fail": None,
                "mde": None,
                "limit": {},
                "n_images": 0,
                "n_clusters": 0,
                "sentence": "ValueError: no.",
            }
        )
        for a in brief.audits
    ]
    page = _only(brief, broken, verdict="ERROR", sentence="Every audit raised.")
    assert page.problems == []
    assert page.words.count("not measured") >= len(broken)
    assert "nan" not in {word.lower() for word in page.words.split()}


def test_missing_examples_and_bare_data_leave_no_holes(lean: Evidence) -> None:
    bare = Data(source="folder", n_images=0, n_clusters=0, modalities=[], synthetic_share=None)
    page = _only(lean, lean.audits[:2], examples=[], data=bare, prompts=[])
    assert page.problems == []
    assert "No example pictures in the record." in page.words
    assert "of the images are synthetic" not in page.words
    assert not [a for _, a in page.tags if a.get("class") == "banner"]


def test_a_family_of_a_third_party_gets_a_section(lean: Evidence) -> None:
    audit = lean.audits[0].model_copy(
        update={"family": "acme.xyz", "quantity": "unheard_of", "id": "acme.xyz/q", "title": "Q"}
    )
    page = _only(lean, [audit])
    assert page.problems == []
    assert "Acme xyz" in page.words
    assert "acme.xyz/q" in page.words


def test_two_audits_of_one_id_do_not_share_an_anchor() -> None:
    assert list(views.slugs(["a/b.c", "a/b-c"], "audit").values()) == ["audit-a-b-c", "audit-a-b-c-2"]


def test_a_banner_warns_of_synthetic_images_even_without_a_notice(lean: Evidence) -> None:
    page = _only(lean, [], data=lean.data.model_copy(update={"notice": "", "synthetic_share": 0.25}))
    assert "25 % of the images are synthetic." in page.words


def test_a_subset_is_said_where_the_data_are_described(lean: Evidence) -> None:
    page = _only(lean, [], data=lean.data.model_copy(update={"limited_to": 12}))
    assert "Only a subset was used: 12 patients" in page.words


def test_writing_replaces_the_file_whole(lean: Evidence, tmp_path: Path, sample: ModuleType) -> None:
    small = lean.model_copy(update={"audits": [a for a in lean.audits if a.cases][:1], "sentence": "Surrogate \ud800."})
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    write_html(small, path)
    assert path.read_text(encoding="utf-8") == render_html(small)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html"]


def test_a_protocol_changed_after_the_first_look_is_on_the_first_screen(brief):
    earlier = EarlierProtocol(
        sha256="f" * 64,
        first_seen="2026-01-02T03:04:05+00:00",
        first_judged="2026-01-02T03:05:06.000007+00:00",
        changes=["families.metadata.margin: 5.0, now 8.0 <script>"],
    )
    run = brief.run.model_copy(
        update={"earlier_protocols": [earlier], "protocol_first_judged": "2026-02-03T04:05:06+00:00"}
    )
    page = render_html(brief.model_copy(update={"run": run}))
    head = page[: page.index("<nav")]
    assert "changed after the first look" in head
    assert "f" * 16 in head
    assert brief.protocol.sha256[:16] in head
    assert "2 January 2026" in head
    assert "3 February 2026" in head
    assert "f" * 64 in page
    assert "now 8.0 &lt;script&gt;" in page
    assert "changed after the first look" not in render_html(brief)


def test_looks_are_told_with_what_they_saved(brief):
    looks = [
        LookInfo(number=1, n_images=40, n_clusters=40, n_questions=4000, n_settled=0),
        LookInfo(
            number=2, n_images=80, n_clusters=80, n_questions=3000, n_settled=9, levels={"ct": 0.0189, "mr": 0.02}
        ),
    ]
    criteria = {**brief.protocol.criteria, "looks": {"number": 4, "spending": "obrien_fleming", "min_clusters": 32}}
    run = brief.run.model_copy(update={"probes": brief.run.probes.model_copy(update={"saved": 12_345})})
    protocol = brief.protocol.model_copy(update={"criteria": criteria})
    page = render_html(brief.model_copy(update={"looks": looks, "run": run, "protocol": protocol}))
    text = re.sub(r"<[^>]+>", " ", page)
    assert "2 looks of 4 planned" in " ".join(text.split())
    assert "0.0189 to 0.0200" in text
    assert "nothing decided: too few patients" in text
    assert re.search(r"12\W?345 questions were saved", text)
    assert "at look 1 of 2" in text
    assert "Early looks" not in render_html(brief)
