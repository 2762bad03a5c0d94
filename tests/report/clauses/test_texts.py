"""The clause files: complete, their conditions exist, and a slip of the pen is answered with file and key."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from auditkit.errors import AuditkitError
from auditkit.report.clauses.found import of_field, path_problem
from auditkit.report.clauses.sections import SECTIONS
from auditkit.report.clauses.texts import read_text, texts
from tests.report.clauses.build import complete, empty

GOOD = """
order = 1
key = "k"
title = "T"
version = "1"
date = "2026"
note = "Not read."
[[rows]]
clause = "1"
asks = "A."
families = ["metadata"]
[[rows]]
clause = "2"
asks = "B."
sections = ["protocol"]
fields = ["model.revision"]
"""


def test_every_text_is_there_with_version_date_and_what_was_not_read():
    assert [text.key for text in texts()] == [
        "eu-ai-act", "fda-ai-device-draft", "fda-pccp", "gmlp-n88", "acr-siim-imaging-ai", "iso-24029-1",
        "iso-24029-3", "iso-24027", "iso-14971", "iec-62304", "tripod-ai", "tripod-llm", "mi-clear-llm", "claim",
        "consort-ai", "chai",
    ]  # fmt: skip
    files = {f.name for f in resources.files("auditkit.report.clauses").iterdir() if f.name.endswith(".toml")}
    assert files == {f"{text.key}.toml" for text in texts()}
    for text in texts():
        assert text.note.rstrip().endswith(".")
        for row in text.rows:
            assert row.asks.endswith("."), (text.key, row.clause)
            assert not row.beyond or row.beyond.endswith("."), (text.key, row.clause)


def test_texts_that_could_not_be_read_in_the_original_say_so():
    for text in texts():
        if text.key.startswith(("iso", "iec", "eu", "fda", "gmlp", "acr")):
            assert "not read" in text.note or "not opened" in text.note or "Only" in text.note, text.key


def test_rows_named_by_subject_claim_no_number_and_the_note_says_so():
    """Of this text the numbering could not be checked, so that none may be made up."""
    text = next(text for text in texts() if text.key == "acr-siim-imaging-ai")
    assert "numbering could not be checked" in text.note
    assert not [row.clause for row in text.rows if any(sign.isdigit() for sign in row.clause)]
    subjects = " ".join(row.clause for row in text.rows)
    for subject in (
        "Governance", "Inventory", "Local acceptance testing", "Stop rules", "Monitoring", "Change management",
        "Records",
    ):  # fmt: skip
        assert subject in subjects
    organisation = {row.clause for row in text.rows if not (row.families or row.sections or row.fields)}
    assert organisation == {"Governance group", "Stop rules: action", "Privacy and security"}


def test_every_family_named_is_one_that_the_shipped_protocol_declares(pytestconfig):
    """A family that the protocol does not know would never run: its clauses could never be covered."""
    shipped = tomllib.loads((pytestconfig.rootpath / "audits" / "protocol.toml").read_text(encoding="utf-8"))
    named = {family for text in texts() for row in text.rows for family in row.families}
    assert named <= set(shipped["families"])


def test_every_section_is_asked_for_somewhere():
    named = {section for text in texts() for row in text.rows for section in row.sections}
    assert named == set(SECTIONS)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('families = ["metadata"]', 'families = ["metdata"]', ["rows[1].families", "'metdata'", "mean 'metadata'"]),
        ('sections = ["protocol"]', 'sections = ["protocoll"]', ["rows[2].sections", "mean 'protocol'"]),
        ('"model.revision"', '"model.revison"', ["rows[2].fields", "'revison'", "fingerprint"]),
        ('"model.revision"', '"modell"', ["rows[2].fields", "allowed: answers"]),
        ('"model.revision"', '"model.name.first"', ["rows[2].fields", "nothing can follow"]),
        ('asks = "B."', 'ask = "B."', ["rows[2].asks: Field required", "rows[2].ask: Extra"]),
        ('clause = "2"', 'clause = "1"', ["clauses listed twice: 1"]),
        ('families = ["metadata"]', "", ["rows[1]: needs families, sections or fields"]),
        ('date = "2026"', "", ["date: Field required"]),
        ('date = "2026"', 'date = ""', ["date: "]),
        ("order = 1", 'order = "first"', ["order: "]),
        ("order = 1", "order =", ["is not valid TOML"]),
    ],
)
def test_a_slip_is_answered_with_file_and_key(before: str, after: str, says: list[str]):
    assert read_text(GOOD, "good.toml").key == "k"
    with pytest.raises(AuditkitError) as error:
        read_text(GOOD.replace(before, after), "mine.toml")
    assert "clause file mine.toml" in str(error.value)
    for part in says:
        assert part in str(error.value)


def test_paths_lead_into_the_record_and_through_its_dictionaries():
    assert path_problem("protocol.criteria.intended_use.purpose") == ""
    assert path_problem("run.git.commit") == ""
    assert path_problem("run.gitt.commit") != ""
    assert of_field(complete(), "protocol.criteria.intended_use.purpose").label.endswith(": P.")
    assert of_field(empty(), "protocol.criteria.intended_use.purpose").level == "none"
    assert of_field(complete(), "protocol.criteria.statistics.missing_points.deeper").level == "none"


def test_values_are_shown_short():
    assert of_field(complete(), "data.sha256").label == f"data.sha256: {('cd' * 20)[:39]}…"
    assert of_field(complete(), "run.packages").label == "run.packages: auditkit 0.1.0"
    assert of_field(complete(), "prompts").label == "prompts: 1 entry"
    toml = complete().protocol.model_copy(update={"toml": "a = 1\nb = 2\n"})
    assert of_field(complete(protocol=toml), "protocol.toml").label == "protocol.toml: 2 lines"
