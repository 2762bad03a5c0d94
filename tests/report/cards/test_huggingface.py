"""The Hub's section: the block in front is read by PyYAML and by huggingface_hub, and says what the record says."""

from __future__ import annotations

import hashlib

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from auditkit.evidence import VERDICTS, Evidence
from auditkit.report.cards import huggingface_card
from auditkit.report.cards.huggingface import _yaml
from auditkit.words import visible
from tests.report.cards.foreign import poisoned, texts
from tests.report.clauses.build import INTERVAL, audit, complete, empty
from tests.report.sample import lean

RECORD = b"{}"
PARSER = MarkdownIt("commonmark").enable("table")


def _parts(evidence: Evidence, source_url: str | None = None) -> tuple[dict, str]:
    text = huggingface_card(evidence, RECORD, source_url)
    opening, block, section = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(block), section


@pytest.mark.parametrize("make", [complete, lean])
def test_the_hubs_own_library_reads_every_number_of_the_record(make):
    evidence = make()
    card = ModelCard(huggingface_card(evidence, RECORD, "https://example.org/evidence.json"))
    families = [a.family for a in evidence.audits if a.estimate.value is not None]
    assert len(card.data.eval_results) <= sum(min(5, families.count(name)) for name in set(families))
    assert {r.metric_value for r in card.data.eval_results} <= {a.estimate.value for a in evidence.audits}
    for result in card.data.eval_results:
        assert result.verified is False
        assert result.task_type == "image-text-to-text"
        assert result.dataset_revision == evidence.data.sha256
        assert result.source_url == "https://example.org/evidence.json"
        assert any(f": {verdict}, " in result.metric_name for verdict in VERDICTS)


def test_one_result_per_family_with_value_verdict_interval_and_n():
    block, _ = _parts(complete())
    index = block["model-index"][0]
    assert index["name"] == "m"
    assert len(index["results"]) == len({audit.family for audit in complete().deciding})
    for result in index["results"]:
        assert "source" not in result  # the Hub takes none without an address
        assert result["dataset"] == {
            "type": "auditkit-images",
            "name": "100 images, 0 of them phantoms",
            "revision": "cd" * 32,
        }
        (metric,) = result["metrics"]
        assert (metric["value"], metric["verified"]) == (1.25, False)
    metrics = [metric for result in index["results"] for metric in result["metrics"]]
    assert {
        "type": "auditkit-mean-score",
        "value": 1.25,
        "name": "One: PASS, +1.2 points (95 % interval −0.5 to +3.0), 90 clusters",
        "verified": False,
    } in metrics
    assert {metric["type"] for metric in metrics} == {
        "auditkit-mean-score",
        "auditkit-mean-correct",
        "auditkit-mean-refused",
        "auditkit-mean-lost",
        "auditkit-area-score",
        "auditkit-differs-said",
        "auditkit-worsening-score",
    }


def test_an_audit_without_an_estimate_is_in_the_section_and_not_in_the_index():
    nothing = INTERVAL.model_copy(update={"value": None, "low": None, "high": None})
    block, section = _parts(complete(audits=[audit("metadata", "ERROR", estimate=nothing)]))
    assert "model-index" not in block
    assert "| One (metadata/one) | ERROR | not measured |" in section


def test_the_section_says_verdict_record_and_what_is_not_stated():
    _, section = _parts(complete())
    assert "**PASS: All audits passed.**" in section
    assert hashlib.sha256(RECORD).hexdigest() in section
    assert "| Purpose | P. |" in section
    assert "| Metadata" not in section
    assert "100 answers: 99 scored, 1 refused" in section
    assert "baseline: run r0 of m, 50 answers on both sides, 40 of them equal." in section
    _, bare = _parts(empty())
    assert bare.count("not stated") >= 9
    assert "No audit was run." in bare
    assert "Held against no earlier version." in bare
    assert "No answer was counted." in bare


def test_a_path_of_somebodys_disk_is_not_published():
    evidence = complete(
        data=complete().data.model_copy(update={"source": "/home/jane/scans"}),
        run=complete().run.model_copy(update={"command": "pytest --audit-data=/home/jane/scans"}),
    )
    assert "jane" not in huggingface_card(evidence, RECORD)


def test_an_incomparable_baseline_is_said_to_be_so():
    reference = complete().references[0].model_copy(update={"problem": "Other images."})
    _, section = _parts(complete(references=[reference]))
    assert "cannot be compared: Other images." in section


@given(texts)
def test_hostile_text_neither_leaves_the_block_nor_makes_markup(text: str):
    evidence = poisoned(text)
    block, section = _parts(evidence, "https://example.org/x")
    assert set(block) == {"tags", "model-index"}
    assert block["model-index"][0]["name"] == (visible(text) or "not stated")
    assert block["model-index"][0]["results"][0]["metrics"][0]["value"] == 1.25
    shown = {child.type for t in PARSER.parse(section) if t.type == "inline" for child in t.children}
    assert shown <= {"text", "text_special", "strong_open", "strong_close", "code_inline"}
    headings = [t for t in PARSER.parse(section) if t.type == "heading_open"]
    assert len(headings) == 6
    assert not [
        t for t in PARSER.parse(section) if t.type in ("html_block", "fence", "code_block", "hr", "blockquote_open")
    ]


plain = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(10**9), 10**9),
        st.floats(-1e6, 1e6).map(lambda x: round(x, 6) + 0.0),
        texts.map(visible),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["a", "model-index", "value"]), inner, min_size=1),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["tags", "b"]), plain, min_size=1))
def test_what_is_written_as_yaml_is_read_back_as_it_was(value):
    assert yaml.safe_load(_yaml(value)) == value
