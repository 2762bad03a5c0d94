"""One thing changed in the store: an answer, what it belongs to, or what was noted of images and times."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from auditkit.errors import AuditkitError
from auditkit.records.verify import exit_code
from tests.records.verify.conftest import Made
from tests.records.verify.test_record_tampered import CALIBRATION, MASS, found
from tests.sealed import seal


def run_sql(made: Made, statement: str, *values: object, sealed: bool = True) -> None:
    with closing(sqlite3.connect(made.store)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0
    if sealed:
        seal(made.store)


def some_answer(made: Made) -> tuple[str, str]:
    """Return key and text of an answer that was scored."""
    with closing(sqlite3.connect(made.store)) as connection:
        row = connection.execute("SELECT key, text FROM answers WHERE length(text) < 4 ORDER BY key LIMIT 1").fetchone()
        return str(row[0]), str(row[1])


def test_text_of_an_answer(made: Made):
    key, text = some_answer(made)
    run_sql(made, "UPDATE answers SET text = ? WHERE key = ?", str(int(text) - 10), key)
    words = found(made.verify())
    assert "1 images have other raw answers in the store than were judged; 1 answers read otherwise" in words
    assert f"record {text}, the store's answer reads {int(text) - 10}" in words


def test_damaged_answer_is_not_checked_and_said(made: Made):
    """Nobody made its digest anew: it is a damaged row, not a mismatch."""
    run_sql(made, "UPDATE answers SET text = '7' WHERE key = ?", some_answer(made)[0], sealed=False)
    checks = made.verify()
    assert exit_code(checks) == 3
    assert any("1 row of the store is damaged and not used" in check.words for check in checks)


def test_text_of_an_answer_that_reads_the_same(made: Made):
    """The hash is over the raw text: a comma more is found, though no score moves."""
    key, text = some_answer(made)
    run_sql(made, "UPDATE answers SET text = ? WHERE key = ?", f"{text}.", key)
    assert "a raw answer is not the recorded one, though every score read from them is" in found(made.verify())


def test_probabilities_of_answers(made: Made):
    """No verdict rests on them, but audits that are shown do, and what is expected beside every estimate."""
    run_sql(made, "UPDATE answers SET logprobs = ? WHERE length(text) < 4", '{"3": -0.01}')
    words = found(made.verify())
    assert "scoring/mass" in words
    assert "expected" in words


def test_probabilities_are_not_looked_for_where_there_is_no_store(made: Made):
    """What rests on them alone is left out; the calibration, which rests on scores, is judged again."""
    (made.folder / "report.html").unlink()  # which holds a copy
    made.change(lambda tree: tree["audits"][MASS]["estimate"].update(value=0.5))
    checks = made.verify(store=str(made.store.with_name("nowhere.sqlite")))
    assert [check for check in checks if check.state == "DOES NOT MATCH"] == []
    assert any("8 audits judged again" not in c.words and "7 audits judged again" in c.words for c in checks)
    made.change(lambda tree: tree["audits"][CALIBRATION]["estimate"].update(value=0.5))
    checks = made.verify(store=str(made.store.with_name("nowhere.sqlite")))
    assert "calibration/score-as-chance: estimate.value: record 0.5" in found(checks)


def test_answer_taken_out(made: Made):
    run_sql(made, "DELETE FROM answers WHERE key = ?", some_answer(made)[0])
    checks = made.verify()
    assert exit_code(checks) == 3
    assert any("the answers to 1 images could not all be found: 1 not in the store" in check.words for check in checks)
    assert any("all answers to 39 of 40 images" in check.words for check in checks)


@pytest.mark.parametrize("table", ["sources", "renders"])
def test_pixels_that_an_answer_belongs_to(made: Made, table):
    """An answer to another picture is not found under the one asked about."""
    run_sql(made, f"UPDATE {table} SET digest = ?", "0" * 64)
    assert exit_code(made.verify(data=None)) == 3


def test_contents_of_the_images(made: Made):
    noted = "SELECT images FROM manifests"
    with closing(sqlite3.connect(made.store)) as connection:
        content = connection.execute(noted).fetchone()[0]
    first = content.index('"', content.index("false")) + 1
    run_sql(made, "UPDATE manifests SET images = ?", content[:first] + "0" * 64 + content[first + 64 :])
    assert "data.sha256: record" in found(made.verify(data=None))


def test_note_of_the_images_that_cannot_be_read(made: Made):
    run_sql(made, "UPDATE manifests SET images = ?", '[["id"]]')
    with pytest.raises(AuditkitError, match="damaged"):
        made.verify()


def test_times_of_the_protocol(made: Made):
    run_sql(made, "UPDATE protocols SET first_seen = ?", "2026-12-24T00:00:00+00:00")
    assert "protocol_first_seen: record" in found(made.verify())
    run_sql(made, "DELETE FROM judged")
    checks = made.verify()
    assert any("did not note when these criteria were applied" in check.words for check in checks)


def test_image_replaced_in_the_folder(made: Made, tmp_path):
    import shutil

    from PIL import Image

    shutil.copytree(made.images.parent, tmp_path / "images")
    Image.new("L", (24, 24), 90).save(tmp_path / "images" / "p00.png")
    words = found(made.verify(data=str(tmp_path / "images" / made.images.name)))
    assert "data.sha256: record" in words
