"""--check finds a broken gate, a rate worse than the document's, and lets stated exceptions be."""

from __future__ import annotations

import pytest

from auditkit.judge.judge import Judge
from validation import document, jobs
from validation.__main__ import main
from validation.check import KNOWN, problems, read_known
from validation.rates import Rate, Table

ROWS = ["--only", "agreement/10 correlated/1/32/margin", "--only", "equivalence/discrete/1/24/margin/none"]
HAND = "# Title\n\nby hand\n\n{known}\n" + document.BEGIN + "\n" + document.END + "\nafter\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A document and a folder of results of its own."""
    path = tmp_path / "validation.md"
    path.write_text(HAND.format(known=""), encoding="utf-8")
    monkeypatch.setattr(document, "DOCUMENT", path)
    monkeypatch.setattr(jobs.Ledger.__init__, "__defaults__", (tmp_path / "results.jsonl", jobs.digest))
    return path


def check(*more: str) -> int:
    return main(["--check", "--workers", "1", "--replicates", "40", *ROWS, *more])


def test_the_gates_as_they_are_pass_the_check(place, capsys):
    assert check() == 0
    assert "nothing is worse" in capsys.readouterr().out
    assert place.read_text(encoding="utf-8") == HAND.format(known="")  # a check writes nothing


@pytest.mark.parametrize(("verdict", "claim"), [("PASS", "false PASS"), ("FAIL", "false FAIL")])
def test_a_gate_that_always_says_the_same_is_found(place, monkeypatch, capsys, verdict, claim):
    monkeypatch.setattr(Judge, "_verdict", lambda self, draft, p_holm: verdict)
    assert check() == 1
    said = capsys.readouterr().out
    for row in ("agreement / 10 correlated / 1 / 32 / none", "equivalence / discrete / 1 / 24 / none"):
        assert f"Errors on the margin: {row}: {claim} 1.0000 of 40 replicates, nominal 0.05" in said


def test_a_gate_that_raises_is_found(place, monkeypatch, capsys):
    def broken(self, draft, p_holm):
        raise RuntimeError("no verdict today")

    monkeypatch.setattr(Judge, "_verdict", broken)
    assert check() == 1
    assert "RuntimeError: no verdict today" in capsys.readouterr().out


def test_unknown_rows_are_refused(place, capsys):
    assert main(["--only", "no such row"]) == 2
    assert "no such row" in capsys.readouterr().err


def table(value: float, n: int = 2000, *, nominal: float | None = 0.05, more_is_worse: bool = True) -> Table:
    return Table("Errors", ("gate", "patients"), [Rate(("rate", "64"), "false PASS", value, n, nominal, more_is_worse)])


def known(up_to: str, row: str = "rate / *") -> str:
    lines = (
        "| table | row | claim | up to | why |",
        "|---|---|---|---|---|",
        f"| Errors | {row} | false PASS | {up_to} | x |",
    )
    return "\n".join((KNOWN[0], "", *lines, "", KNOWN[1]))


def test_stated_exceptions_are_let_be_up_to_what_they_state():
    assert problems([table(0.08)], "") == ["Errors: rate / 64: false PASS 0.0800 of 2000 replicates, nominal 0.05"]
    assert problems([table(0.08)], known("0.075")) == []
    assert problems([table(0.08)], known("0.055"))
    assert problems([table(0.08)], known("0.075", row="tail / *"))
    assert problems([table(0.08)], known("0.075").replace(KNOWN[1], ""))  # not between the marks


def test_an_exception_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="up to"):
        read_known(known("eight per cent"))


def test_the_document_is_a_promise():
    printed = table(0.030).markdown()
    assert problems([table(0.032)], printed) == []
    (said,) = problems([table(0.050)], printed)
    assert "0.0500 of 2000 replicates, the document says 0.03 of 2000" in said
    assert problems([table(0.050, n=100)], printed) == []  # 100 replicates cannot tell
    assert problems([table(0.010)], printed) == []  # better is no problem
    power = table(0.90, nominal=None, more_is_worse=False)
    assert problems([table(0.80, nominal=None, more_is_worse=False)], power.markdown())
    assert problems([table(0.99, nominal=None, more_is_worse=False)], power.markdown()) == []
