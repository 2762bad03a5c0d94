"""A run held against an earlier one: the earlier record's hash, and every comparison repeated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auditkit.records.verify import exit_code
from tests.records.verify.conftest import Impressed, Made, run_once
from tests.records.verify.test_record_tampered import TAMPERED, found, put

AGAINST = "baseline/sensitivity/pixelate"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, pictures: Path, salt: None) -> tuple[Made, Made]:
    """A first version, and a second that renown impresses less."""
    root = tmp_path_factory.mktemp("versions")
    first = run_once(root, pictures)
    second = Impressed(bonus=9, revision="2")
    return first, run_once(root, pictures, uid="second", model=second, baseline=first.record)


@pytest.fixture
def versions(both: tuple[Made, Made], tmp_path: Path) -> tuple[Made, Made]:
    """Copies of the two records, to be tampered with; the store stays as it is."""
    for made in both:
        shutil.copytree(made.folder, tmp_path / made.folder.name)
    first, second = (Made(tmp_path / made.folder.name, made.store, made.images) for made in both)
    return first, second


def test_comparison_is_repeated_from_the_earlier_record(versions):
    first, second = versions
    assert [audit.id for audit in second.evidence.audits].count(AGAINST) == 1
    checks = second.verify(references=[first.record])
    assert [check for check in checks if check.state != "ok"] == []
    assert any("5 audits against the baseline made again" in check.words for check in checks)
    without = second.verify()
    assert exit_code(without) == 3
    assert any("with --reference" in check.words for check in without)


def test_other_file_than_the_one_compared_with(versions):
    first, second = versions
    first.change(put("run", "command", "pytest"))
    assert "the run was not held against evidence.json" in found(second.verify(references=[first.record]))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda tree: next(a for a in tree["audits"] if a["id"] == AGAINST).update(sentence="Better than ever."),
            "sentence: record Better than ever.",
        ),
        (put("references", 0, "n_same", 1), "n_same: record 1, found"),
        (put("references", 0, "model", "another"), "model: record another, found impressed"),
        (
            lambda tree: tree["audits"].remove(next(a for a in tree["audits"] if a["id"] == AGAINST)),
            f"neither in the record nor named as not run: {AGAINST}",
        ),
    ],
    ids=["sentence", "equal answers", "model", "audit left out"],
)
def test_comparison_that_was_changed(versions, edit, words):
    first, second = versions
    second.change(edit)
    assert words in found(second.verify(references=[first.record]))


def test_what_changes_the_run_itself_is_found_beside_a_comparison(versions):
    first, second = versions
    edit, words = TAMPERED["a score"]
    second.change(edit)
    assert words in found(second.verify(references=[first.record]))
