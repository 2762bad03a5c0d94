"""Every family of a shipped pack has a heading of its own in the reports, and a lead that is a sentence."""

import tomllib
from pathlib import Path

import pytest

from auditkit.report.questions import QUESTIONS

PACKS = sorted((Path(__file__).parents[2] / "packs").glob("*/protocol.toml"))


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.parent.name)
def test_every_family_has_a_heading(path):
    families = tomllib.loads(path.read_text(encoding="utf-8"))["families"]
    assert [name for name in families if name not in QUESTIONS and "." not in name] == []


@pytest.mark.parametrize("family", QUESTIONS)
def test_a_heading_is_one_question_and_a_lead_is_sentences(family):
    heading, lead = QUESTIONS[family]
    assert heading.count("?") == 1
    assert heading.endswith("?")
    assert lead.endswith(".")
    assert "?" not in lead
