"""Why answers have no score is told with the first of each kind, in the record, on the page and in the terminal."""

import pytest

from auditkit.evidence import Evidence
from auditkit.models.base import Response
from auditkit.report.html import render_html
from auditkit.report.terminal import summary_lines
from auditkit.run.examples import unscored
from auditkit.run.record import evidence, header
from tests.run.conftest import EFFECTS

EVIL = "<script>alert(1)</script>\x1b[31m\u202e no score in here"


def answers(request):
    """By the pixels of the request, so that an image's answers end alike."""
    kind = sum(request.images[0].tobytes()[:64]) % 4
    return [
        "70",
        "I cannot assess medical images.",
        EVIL,
        Response(error="HTTP 400: \x1b]0;title\x07 the image is too large", finish_reason="error"),
    ][kind]


@pytest.fixture
def record(ready, records, function_model, tmp_path) -> Evidence:
    run = ready(records(40), function_model(answers), uid="uid-9")
    run.fetch(lambda tally: None)
    run.measure()
    audits = [run.audit(effect, "Why?") for effect in EFFECTS]
    found = evidence(header(run), audits, run_id="r", command="c")
    run.close()
    return found


def test_each_outcome_has_its_first_answer_and_its_number(record):
    by = {entry.outcome: entry for entry in record.unscored}
    assert set(by) == {"refused", "unparsed", "error"}
    assert {name: entry.n for name, entry in by.items()} == {
        name: getattr(record.outcomes, name) for name in ("refused", "unparsed", "error")
    }
    assert [entry.n for entry in record.unscored] == sorted((entry.n for entry in by.values()), reverse=True)
    assert (by["refused"].text, by["refused"].why) == (
        "I cannot assess medical images.",
        "the text declines to answer",
    )
    assert by["refused"].question == "quality.direct"
    assert by["error"].why == "HTTP 400: ⟨U+001B⟩]0;title⟨U+0007⟩ the image is too large"
    assert by["unparsed"].text == "<script>alert(1)</script>⟨U+001B⟩[31m⟨U+202E⟩ no score in here"
    assert Evidence.from_json(record.to_json()).unscored == record.unscored


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_says_it_in_three_lines_at_most(record, width):
    lines = [line for line in summary_lines(record, width, "report.html") if line.startswith("- ")]
    assert len(lines) == 3
    assert all(len(line) <= width and line.isprintable() for line in lines)
    if width == 200:
        [refused] = [line for line in lines if line.startswith("- refused")]
        assert refused == "- refused: 'I cannot assess medical images.': the text declines to answer"
    assert "again" not in " ".join(summary_lines(record, width, "report.html")).lower().replace("tried again", "")


def test_the_page_shows_it_and_obeys_nothing(record):
    page = render_html(record)
    assert page.count("<caption>Answers without a score") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+001B⟩[31m⟨U+202E⟩ no score in here" in page
    assert "<script>alert(1)" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert "⟩ the image is too large. The same request gets the same error: change what it names first" in page
    assert "run again" not in page.lower().partition("<caption>answers without a score")[2].partition("</table>")[0]


def test_the_page_has_it_where_no_question_has_room_for_it(record):
    alone = render_html(record.model_copy(update={"audits": []}))
    assert alone.count("<caption>Answers without a score") == 1
    assert 'id="endings"' in alone


def test_the_pdf_shows_the_same_table_and_obeys_nothing(record):
    pytest.importorskip("weasyprint", exc_type=ImportError)
    from auditkit.report.pdf.document import document

    page = document(record, record.to_json().encode())
    table = page.partition("<caption>Answers without a score")[2].partition("</table>")[0]
    assert table.count("<tr>") == 4  # the head and three outcomes
    assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+001B⟩[31m⟨U+202E⟩ no score in here" in table
    assert "the text declines to answer" in table
    assert "⟩ the image is too large. The same request gets the same error: change what it names first" in table
    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert page.index("How answers ended</h3>") < page.index("<caption>Answers without a score")


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (["HTTP 503: busy"], "HTTP 503: busy. Run again to ask for these; what was answered is kept."),
        (["HTTP 503: busy", "HTTP 422: no"], "For some of these it can help to run again"),
    ],
)
def test_run_again_is_said_where_it_can_help(ready, records, function_model, tmp_path, errors, words):
    def answer(request):
        kind = sum(request.images[0].tobytes()[:64]) % 4
        return Response(error=errors[kind % len(errors)], finish_reason="error") if kind < 2 else "70"

    run = ready(records(40), function_model(answer), uid="uid-8")
    run.fetch(lambda tally: None)
    run.measure()
    audits = [run.audit(effect, "Why?") for effect in EFFECTS]
    found = evidence(header(run), audits, run_id="r", command="c")
    run.close()
    assert words in render_html(found)
    assert words.removeprefix("HTTP 503: busy. ") in " ".join(summary_lines(found, 200, "report.html"))
    broken = [audit.sentence for audit in audits if audit.verdict == "ERROR"]
    assert broken
    assert all("got no answer" in sentence and "again" not in sentence for sentence in broken)


def test_nothing_lost_is_nothing_said(ready, records, function_model, tmp_path):
    run = ready(records(4), function_model())
    run.fetch(lambda tally: None)
    run.measure()
    assert unscored(run) == []
    run.close()


def test_long_texts_are_cut(ready, records, function_model):
    run = ready(records(4), function_model(lambda request: "no idea " * 1000))
    run.fetch(lambda tally: None)
    run.measure()
    [entry] = unscored(run)
    assert entry.text.startswith("no idea no idea")
    assert len(entry.text) < 340
    run.close()
