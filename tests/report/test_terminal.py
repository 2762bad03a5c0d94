from __future__ import annotations

import pytest

from auditkit.evidence import Evidence, Outcomes
from auditkit.report import views
from auditkit.report.terminal import summary_lines

PATH = "reports/reference/20261122-011500/report.html"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_summary_says_all_and_fits(lean: Evidence, width: int) -> None:
    pdf = PATH.replace("html", "pdf")
    lines = summary_lines(lean, width, PATH, pdf)
    assert all(len(line) <= width for line in lines)
    text = " ".join(" ".join(lines).split())
    for number in views.verdict_counts(lean.deciding).values():
        assert str(number) in lines[next(i for i, line in enumerate(lines) if line.startswith("All audits"))].split()
    assert "+8.4 points (90 % interval +7.3 to +9.5), 331 images: FAIL" in text
    assert "well known university hospital" in text
    assert text.index("+8.4") < text.index("+6.1") < text.index("−5.4")
    assert "3 files were left out" in text
    assert "of 30,120 answers scored" in text
    assert "refused" in text
    assert f"Report: {PATH} To sign: {pdf}" in text
    assert any(line.endswith(PATH) for line in lines)
    assert text.endswith(f"✗ FAIL: {lean.sentence}")


def test_every_family_has_a_line_with_its_counts(lean: Evidence) -> None:
    lines = summary_lines(lean, 80, PATH)
    for family in views.families(lean):
        (line,) = [entry for entry in lines if entry[2:].lower().startswith(family.name.replace("_", " "))]
        numbers = [0 if part == "·" else int(part) for part in line.split()[-4:]]
        assert numbers == list(family.counts.values())


def test_no_control_characters_and_no_markup_reach_the_terminal(lean: Evidence) -> None:
    evil = "[red]x[/red]\x1b[31m\u202e"
    audits = [
        a.model_copy(update={"family": evil, "title": evil, "treated": evil})
        for a in lean.audits
        if views.unwanted(a) > 0
    ]
    text = "\n".join(summary_lines(lean.model_copy(update={"audits": audits, "sentence": evil}), 120, PATH))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]x[/red]⟨U+001B⟩[31m⟨U+202E⟩" in text


def test_nothing_to_say_is_said(lean: Evidence) -> None:
    empty = lean.model_copy(
        update={"audits": [], "outcomes": Outcomes(), "verdict": "INCONCLUSIVE", "sentence": "Nothing was run."}
    )
    text = "\n".join(summary_lines(empty, 10, PATH))
    assert "No question was answered." in text
    assert "Largest" not in text
    assert text.endswith("? INCONCLUSIVE: Nothing was run.")


def test_a_long_path_stays_whole_on_a_line_of_its_own(lean: Evidence) -> None:
    path = "/data/" + "deep/" * 30 + "report.html"
    assert path in summary_lines(lean, 60, path)


def test_complete_answers_are_one_line(lean: Evidence) -> None:
    lines = summary_lines(lean.model_copy(update={"outcomes": Outcomes(scored=12)}), 80, PATH)
    assert "All 12 answers could be scored." in lines
