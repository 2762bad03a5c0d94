"""The generated part of docs/validation.md, and the committed document itself."""

from __future__ import annotations

import pytest

from validation import document, families, gates, looks, matrix
from validation.check import read_known
from validation.jobs import Ledger, work
from validation.rates import read_tables
from validation.tables import tables_of

ROWS = (
    "gates:agreement/10 correlated/1/32/margin", "gates:agreement/10 correlated/1-4/32/inside",
    "gates:agreement/10 correlated/1-4/32/outside", "looks:agreement", "gates:sensitivity/discrete/1-4/24/margin/none",
    "matrix:prestige", "matrix:none: discrete",
)  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    every = [job for suite in (gates, families, looks, matrix) for job in suite.jobs(2)]
    chosen = [job for job in every if any(f"{job.suite}:{job.row}".startswith(row) for row in ROWS)]
    ledger = Ledger(tmp_path_factory.mktemp("results") / "results.jsonl")
    assert work(chosen, ledger, workers=1) == {}
    return ledger.add_up(chosen)


def test_every_rate_is_printed_once_and_read_back(measured):
    tables = tables_of(measured)
    text = document.generated(tables, "a command", "")
    rates = [(t.title, r) for t in tables for r in t.rates if r.value == r.value]
    assert len({(title, r.row, r.claim) for title, r in rates}) == len(rates)
    assert {key: n for key, (_, n) in read_tables(text).items()} == {(t, r.row, r.claim): r.n for t, r in rates}
    assert "`a command`" in text
    for title in ("worst row of each gate", "## Power", "## Detection matrix", "Several looks, on the margin"):
        assert title in text


def test_intervals_of_the_report_are_counted(measured):
    rows = {row[0] for title, row, _ in read_tables(document.generated(tables_of(measured), "", "")) if "miss" in title}
    assert rows == {"estimate", "score of a severity", "change of a severity", "AUROC of a severity"}


def test_the_matrix_shows_what_was_found(measured):
    text = document.generated(tables_of(measured), "", "")
    (line,) = [line for line in text.splitlines() if line.startswith("| prestige |") and "·" in line]
    cells = dict(zip(matrix.SUBSET, [c.strip() for c in line.strip("|").split("|")][1:], strict=True))
    assert cells["metadata"] == "1.00"
    assert cells["templates"] == "·"


def test_only_what_is_between_the_marks_is_written(tmp_path):
    path = tmp_path / "validation.md"
    path.write_text(f"# by hand\n{document.BEGIN}\nold\n{document.END}\nalso by hand\n", encoding="utf-8")
    document.write(path, "new")
    document.write(path, "newer")
    text = path.read_text(encoding="utf-8")
    assert text == f"# by hand\n{document.BEGIN}\n\nnewer\n{document.END}\nalso by hand\n"
    path.write_text("# by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match="put them back"):
        document.write(path, "new")


def test_the_committed_document_has_its_marks_and_readable_exceptions():
    text = document.DOCUMENT.read_text(encoding="utf-8")
    assert text.index(document.BEGIN) < text.index(document.END)
    read_known(text)
