"""A run on a store of which rows are damaged asks them again, judges as before, and says so everywhere."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from auditkit.report.html import render_html
from auditkit.report.terminal import summary_lines
from tests.records.verify.conftest import Made, run_once

SAID = "3 rows of the store were damaged and not used: what should have been there was asked or made again."


@pytest.fixture
def damaged(original: Made, tmp_path) -> Made:
    """Return a run whose store lost two answers and what one picture looks like."""
    shutil.copytree(original.store.parent, tmp_path / ".auditkit")
    store = tmp_path / ".auditkit" / original.store.name
    with closing(sqlite3.connect(store)) as raw, raw:
        some = "SELECT key FROM answers WHERE length(text) < 4 ORDER BY key LIMIT 2"
        assert raw.execute(f"UPDATE answers SET text = '1' || text WHERE key IN ({some})").rowcount == 2
        one = "SELECT key FROM renders ORDER BY key LIMIT 1"
        other = "SELECT digest FROM renders ORDER BY key DESC LIMIT 1"
        assert raw.execute(f"UPDATE renders SET digest = ({other}) WHERE key = ({one})").rowcount == 1
    return Made(original.folder, store, original.images)


def test_damaged_rows_are_asked_again_and_said(damaged: Made, original: Made, tmp_path, pictures):
    again = run_once(tmp_path, pictures, uid="again").evidence
    assert (again.run.probes.asked, again.run.probes.damaged) == (2, 3)
    assert again.answers == original.evidence.answers
    assert [audit.verdict for audit in again.audits] == [audit.verdict for audit in original.evidence.audits]
    assert SAID in " ".join(summary_lines(again, 80, "report.html"))
    assert SAID in render_html(again, again.to_json().encode())
    third = run_once(tmp_path, pictures, uid="third").evidence
    assert (third.run.probes.asked, third.run.probes.damaged) == (0, 0)
    assert "damaged" not in " ".join(summary_lines(third, 80, "report.html"))
