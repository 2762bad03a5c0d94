"""One thing changed in a record, everything else left alone: it is found, and named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit.evidence import Audit, whole_verdict
from auditkit.records.verify import exit_code
from tests.records.verify.conftest import Made, run_once


def found(checks) -> str:
    """What does not match, in words."""
    wrong = [check for check in checks if check.state == "DOES NOT MATCH"]
    assert exit_code(checks) == 1
    return "\n".join(f"{check.part}: {check.words}: " + "; ".join(check.details) for check in wrong)


def put(*path: Any) -> Any:
    """Return an edit that puts the last of the words at the place that the others name."""
    *keys, last, value = path

    def edit(tree: Any) -> None:
        for key in keys:
            tree = tree[key]
        tree[last] = value(tree[last]) if callable(value) else value

    return edit


def no_audit(tree: Any) -> None:
    """Take what failed out of the record."""
    assert tree["audits"].pop(METADATA)["verdict"] == "FAIL"


def one_mark(tree: Any, mark: str) -> None:
    column = next(c for c in tree["answers"]["columns"] if c["condition"] == [["pixelate", 3]])
    column["values"][""] = " ".join([mark, *column["values"][""].split()[1:]])


def other_id(tree: Any) -> None:
    tree["answers"]["items"][0]["id"] = "0" * 16


def more(value: Any) -> Any:
    return value + 0.01


CALIBRATION, MASS = 1, 5
METADATA = 2  # place of the first metadata audit among the record's, by id
SENSITIVITY, GAP = -2, -1
TAMPERED = {
    "overall verdict": (put("verdict", "PASS"), "verdict: record PASS"),
    "overall sentence": (put("sentence", "All is well."), "sentence: record All is well."),
    "an audit's verdict": (put("audits", METADATA, "verdict", "PASS"), "verdict: record PASS, found"),
    "an audit's sentence": (put("audits", METADATA, "sentence", "Fine."), "sentence: record Fine."),
    "a p-value": (put("audits", METADATA, "p_fail", 0.04), "p_fail: record 0.04, found"),
    "a cell's p-value": (
        put("audits", METADATA, "parts", 0, "p_pass", 0.2),
        "[all].p_pass: record 0.2",
    ),
    "an estimate": (put("audits", METADATA, "estimate", "value", 0.1), "estimate.value: record 0.1"),
    "an interval": (put("audits", METADATA, "estimate", "high", more), "estimate.high: record"),
    "a limit": (put("audits", METADATA, "limit", "within", 50.0), "limit.within: record 50.0, found 5.0"),
    "an expected score": (put("audits", METADATA, "expected", "value", 0.1), "expected.value: record 0.1"),
    "a figure's similarity": (put("audits", SENSITIVITY, "series", 3, "ssim", 0.9), "ssim: record 0.9"),
    "a case's text": (put("audits", METADATA, "cases", 0, "treated_answer", "50"), "treated_answer: record 50"),
    "outcomes of an audit": (put("audits", METADATA, "outcomes", "refused", 0), "outcomes.refused: record 0"),
    "outcomes of the run": (put("outcomes", "refused", 0), "outcomes.refused: record 0"),
    "an audit left out": (no_audit, "neither in the record nor named as not run: metadata/"),
    "an audit twice": (lambda t: t["audits"].append(t["audits"][0]), "is there 2 times"),
    "an audit said not to be run": (lambda t: t["not_run"].append(t["audits"][0]["id"]), "was run"),
    "a score": (lambda t: one_mark(t, "1"), "quality.direct pixelate-s3: record 1, the store's answer reads"),
    "a score made a refusal": (lambda t: one_mark(t, "r"), "record r, the store's answer reads"),
    "an answer made an error": (lambda t: one_mark(t, "e"), "a raw answer is not the recorded one"),
    "an answer made not asked": (lambda t: one_mark(t, "."), "a raw answer is not the recorded one"),
    "a mark that is none": (lambda t: one_mark(t, "?"), "'?' is no mark of an answer"),
    "a hash of answers": (put("answers", "items", 2, "answers_sha256", "0" * 64), "answers.sha256: record"),
    "the hash of all answers": (put("answers", "sha256", "0" * 64), "answers.sha256: record 0000"),
    "an image's id": (other_id, "image 0000000000000000: in the record only"),
    "what a patient rests on": (put("answers", "items", 0, "unit", "file"), "unit: record file, found patient"),
    "images by what stands for their patient": (put("data", "units", {"patient": 39, "file": 1}), "units"),
    "notes of the reader": (put("data", "notes", {"its study holds several patient ids": 1}), "data.notes"),
    "a patient": (put("answers", "items", 0, "cluster", "0" * 16), "cluster: record 0000"),
    "a modality": (put("answers", "items", 0, "modality", "mr"), "modality: record mr"),
    "a phantom": (put("answers", "items", 0, "synthetic", True), "synthetic: record True"),
    "the hash of the data": (put("data", "sha256", "0" * 64), "data.sha256: record 0000"),
    "number of images": (put("data", "n_images", 400), "data.n_images: record 400, found 40"),
    "patients of a modality": (put("data", "modalities", 0, "n_clusters", 99), "n_clusters: record 99"),
    "a level of sex": (put("data", "strata", "sex", 0, "n_images", 21), "data.sex: 41 images in all, found 40"),
    "patients of a level": (
        put("data", "strata", "sex", 0, "n_clusters", 9),
        "sex[0].n_clusters: record 9",
    ),
    "the calibration": (put("audits", CALIBRATION, "estimate", "value", 0.001), "estimate.value: record 0.001"),
    "a band's share": (put("audits", CALIBRATION, "series", 0, "observed", "value", 0.5), "observed.value: record 0.5"),
    "what chance gives": (put("audits", CALIBRATION, "parts", 0, "reference", 0.5), "reference: record 0.5"),
    "a mass of probability": (put("audits", MASS, "parts", 0, "estimate", "value", 0.5), "estimate.value: record 0.5"),
    "a gap between groups": (put("audits", GAP, "estimate", "value", 0.1), "estimate.value: record 0.1"),
    "a group's number": (put("audits", GAP, "parts", 1, "estimate", "value", 99.0), "estimate.value: record 99.0"),
    "what can be told": (put("audits", GAP, "parts", 0, "sentence", "No gap."), "sentence: record No gap."),
    "an image's group": (put("answers", "items", 0, "columns", "sex", "X"), "columns.sex: record X"),
    "a picture's score": (put("examples", 0, "score", 99.0), "score: record 99.0"),
    "the protocol's text": (
        put("protocol", "toml", lambda text: text.replace("within = 5.0", "within = 50.0")),
        "families.metadata.within: 5.0 in the record, but by the text 50.0",
    ),
    "the protocol's text made none": (put("protocol", "toml", "within ="), "is not valid TOML"),
    "a criterion": (
        put("protocol", "criteria", "families", "metadata", "within", 50.0),
        "families.metadata.within: 50.0 in the record, but by the text 5.0",
    ),
    "the hash of the criteria": (put("protocol", "criteria_sha256", "0" * 64), "criteria_sha256: record 0000"),
    "the hash of a wording": (put("protocol", "entries", "wording quality.direct", "0" * 64), "sha256: record"),
    "the protocol's hash": (put("protocol", "sha256", "0" * 64), "sha256: record 0000"),
    "the error rate": (put("protocol", "alpha", 0.1), "alpha: record 0.1, found 0.05"),
    "the profile": (put("protocol", "profile", "strict"), "profile: record strict, found ci"),
    "a question": (put("prompts", 0, "text", "Is it good?"), "text: record Is it good?"),
    "when the protocol was seen": (put("run", "protocol_first_seen", "2020-01-01T00:00:00+00:00"), "record 2020-01-01"),
    "the fingerprint": (put("model", "fingerprint", "another"), "model.fingerprint: not as the run noted it"),
    "the batch size": (put("answers", "batch_size", 3), "answers.batch_size: not as the run noted it"),
    "what a model is": (put("model", "description", "a better one"), "model.description: not as the run noted it"),
    "a limit of every run": (lambda t: t["limits"].pop(), "limits: not the record's"),
    "an unknown key": (lambda t: t.update(extra=1), "extra: Extra inputs are not permitted"),
    "a word as a verdict": (put("verdict", "FINE"), "verdict: Input should be"),
}


# One of each way of finding a change; the others come the same way, with the slow tests.
QUICK = (
    "overall verdict", "an audit's verdict", "a p-value", "an estimate", "an expected score", "a case's text",
    "an audit left out", "a score", "a score made a refusal", "a mark that is none", "a hash of answers",
    "an image's id", "a patient", "number of images", "a level of sex", "a gap between groups", "an image's group",
    "a picture's score", "the protocol's text", "a criterion", "the hash of a wording", "a question",
    "when the protocol was seen",
    "an unknown key",
)  # fmt: skip
assert set(QUICK) <= set(TAMPERED)
CASES = [
    pytest.param(*case, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, case in TAMPERED.items()
]


@pytest.fixture
def bare(made: Made) -> Made:
    """The record and the store alone, so that no copy gives the change away."""
    (made.folder / "report.html").unlink()
    return made


@pytest.mark.parametrize(("edit", "words"), CASES)
def test_change_is_found_and_named(bare: Made, edit, words):
    bare.change(edit)
    assert words in found(bare.verify())


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (put("schema_version", "0.9"), "has schema version 0.9"),
    ],
    ids=["schema version"],
)
def test_change_of_what_answers_are_found_by_is_never_a_pass(bare: Made, edit, words):
    bare.change(edit)
    checks = bare.verify()
    assert exit_code(checks) == 3
    assert words in " ".join(check.words for check in checks)


def test_failed_audit_cannot_be_said_not_to_be_run(bare: Made):
    """Everything in the record that tells of it is made to fit; the questions asked for it are still there."""

    def hide(tree: Any) -> None:
        failed = [a for a in tree["audits"] if a["id"].endswith("high-vs-low")]
        tree["audits"].remove(failed[0])
        tree["not_run"] = sorted([*tree["not_run"], failed[0]["id"]])
        tree["verdict"], tree["sentence"] = whole_verdict(
            [Audit.model_validate(a) for a in tree["audits"]], tree["not_run"]
        )

    bare.change(hide)
    checks = bare.verify()
    assert exit_code(checks) == 3
    assert any("the questions that only they need were asked" in check.words for check in checks)


def test_bytes_that_hide_something(bare: Made):
    """The last of two equal keys counts for most readers, the first for some."""
    text = bare.record.read_text()
    verdict = json.loads(text)["verdict"]
    bare.record.write_text(text.replace("{\n", '{\n "verdict": "PASS",\n', 1))
    assert json.loads(bare.record.read_text())["verdict"] == verdict
    assert "has other bytes" in found(bare.verify())


def test_one_byte_of_the_record_against_its_copy(made: Made):
    """Nothing that is compared with answers or store: the page beside it still gives the change away."""
    made.change(put("run", "command", "pytest"))
    assert "copies: report.html holds the record of evidence.json" in found(made.verify())


@pytest.mark.usefixtures("salt")
def test_protocols_applied_before_cannot_be_left_out(tmp_path, pictures):
    """A margin widened after the first look stays on the record."""
    run_once(tmp_path, pictures)
    later = run_once(tmp_path, pictures, uid="later", margin=20.0)
    assert len(later.evidence.run.earlier_protocols) == 1
    assert exit_code(later.verify()) == 0
    later.change(lambda tree: tree["run"]["earlier_protocols"].clear())
    assert "earlier_protocols[0]" in found(later.verify())


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every number and verdict of the audits, by its path."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in entries:
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        elif isinstance(value, float | int) or key == "verdict":
            yield (*path, key)


OTHER = {"PASS": "FAIL", "FAIL": "INCONCLUSIVE", "INCONCLUSIVE": "PASS", "ERROR": "PASS"}


def flipped(value: Any) -> Any:
    if isinstance(value, str):
        return OTHER[value]
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value + 0.00001


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_number_or_verdict_of_an_audit_changes_unseen(bare: Made, data):
    intact = bare.record.read_text()
    try:
        every = list(places(json.loads(intact)["audits"], ("audits",)))
        place = data.draw(st.sampled_from(every))
        bare.change(put(*place, flipped))
        assert bare.code(data=None) == 1, place
    finally:
        bare.record.write_text(intact)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mark_changes_unseen_even_without_the_store(bare: Made, data):
    """The scores behind the verdicts cannot be exchanged by who has the record only, unless no verdict notices."""
    intact = bare.record.read_text()
    try:
        tree = json.loads(intact)
        column = data.draw(st.integers(0, len(tree["answers"]["columns"]) - 1))
        item = data.draw(st.integers(0, len(tree["answers"]["items"]) - 1))
        marks = tree["answers"]["columns"][column]["values"][""].split()
        marks[item] = data.draw(st.sampled_from(["3", "97", "u", "e"]).filter(lambda mark: mark != marks[item]))
        bare.change(put("answers", "columns", column, "values", "", " ".join(marks)))
        assert bare.code(data=None) == 1
        assert bare.code(data=None, store=str(Path("nowhere.sqlite"))) != 0
    finally:
        bare.record.write_text(intact)
