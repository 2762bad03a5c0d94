"""Properties of the answer reader that hold for any text."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditkit.tasks import OUTCOMES, Choice, Score, Task, error_score, read, shipped

# Every wording by itself: an echo of the question is taken out before an answer is looked for.
ALL = st.sampled_from([(task, wording) for task in shipped().values() for wording in task.wordings])
SCORE = shipped()["quality"], "reader"
RATING = shipped()["rating"], "reader"
Asked = tuple[Task, str]
FEW = settings(max_examples=80)

SCORE_FORMS = [
    "{}",
    "{}.",
    " {}\n",
    "{}%",
    "{} %",
    "{}/100",
    "{} / 100",
    "**{}**",
    "Score: {}",
    "score: {}/100",
    "({})",
]
RATING_FORMS = ["{}", "{}/5", "{} / 5", "**{}**/5", "**{}/5**", "{} out of 5", "Rating: {}", "Rating: {}/5.", "({}/5)"]
BEFORE = [
    "",
    "The image shows a chest. ",
    "I looked at the whole picture.\n",
    "There is no motion, and the ribs are sharp. ",
    "The image has 2 visible markers. ",
    "Here is my rating.\n\n",
]
AFTER = ["", "\nThe edges are well defined.", " The edges are well defined.", "\n\nReason: some grain is visible."]
FRAGMENTS = st.sampled_from(
    [
        *"0123456789ABCDabc/%.,:;-–—()*_~^<>=+?!'\n\t \x00½²④٤４\u202e\u0336\ud800İß",
        *("4/5", "87", "1e2", "NaN", "out of", "between", "to", "and", "or", "scale", "score", "final answer"),
        *("not", "I can't", "rate", "image", "yes", "no", "good", "usable", "reject", "A. ", "<think>", "</think>"),
    ]
)
TEXTS = st.one_of(
    st.text(), st.lists(FRAGMENTS, max_size=25).map("".join), st.lists(FRAGMENTS, max_size=15).map(" ".join)
)


def parse(text: str, asked: Asked, finish_reason: str = "stop") -> Score:
    task, wording = asked
    return read(task, wording, text, finish_reason)


@FEW
@given(st.integers(0, 1000), st.sampled_from(SCORE_FORMS), st.booleans())
def test_scores_come_back(tenths: int, form: str, whole: bool) -> None:
    value = tenths // 10 if whole or 0 < tenths < 10 else tenths / 10
    answer = parse(form.format(value), SCORE)
    assert answer.outcome == "scored", answer
    assert answer.main == pytest.approx(value)


@FEW
@given(st.integers(10, 50), st.sampled_from(RATING_FORMS), st.booleans())
def test_ratings_come_back(tenths: int, form: str, whole: bool) -> None:
    value = tenths // 10 if whole else tenths / 10
    answer = parse(form.format(value), RATING)
    assert answer.outcome == "scored", answer
    assert answer.main == pytest.approx((value - 1) * 25)


@FEW
@given(st.one_of(st.integers(101, 10**9), st.integers(-(10**9), -1)), st.sampled_from(SCORE_FORMS))
def test_scores_beyond_the_scale_are_out_of_range(value: int, form: str) -> None:
    assert parse(form.format(value), SCORE).outcome == "out_of_range"


@FEW
@given(st.integers(0, 100), st.integers(2, 1000).filter(lambda top: top != 100))
def test_other_scales_are_never_rescaled(value: int, top: int) -> None:
    answer = parse(f"{value}/{top}", SCORE)
    assert (answer.outcome, answer.main) == ("unparsed", None)


@FEW
@given(st.integers(1, 100), st.integers(1, 100), st.sampled_from(["{}. {}.", "{}/100 {}/100", "{} or {}", "{}\n{}"]))
def test_two_answers_are_none_unless_equal(first: int, second: int, form: str) -> None:
    outcome = parse(form.format(first, second), SCORE).outcome
    assert outcome == ("scored" if first == second else "unparsed")


@FEW
@given(st.integers(1, 5), st.sampled_from(BEFORE), st.sampled_from(AFTER))
def test_neutral_prose_keeps_a_rating(value: int, before: str, after: str) -> None:
    answer = parse(f"{before}{value}/5.{after}", RATING)
    assert (answer.outcome, answer.said) == ("scored", str(value)), answer


@FEW
@given(ALL, st.data(), st.sampled_from(BEFORE), st.sampled_from(AFTER))
def test_neutral_prose_keeps_an_answer(asked: Asked, data: st.DataObject, before: str, after: str) -> None:
    choice = data.draw(st.sampled_from(asked[0].scorer.choices))
    alone = parse(choice, asked)
    assert parse(f"{before}Answer: {choice}.{after}", asked) == alone
    assert alone.outcome == "scored"


@FEW
@given(ALL, TEXTS, st.sampled_from(["stop", "length", "error", "anything"]))
@example(RATING, "\ud800 4/5 \udfff", "stop")
@example(SCORE, "9" * 5000, "stop")
@example(SCORE, "İ" * 300 + "</think>87", "stop")
def test_any_text_has_one_outcome(asked: Asked, text: str, finish_reason: str) -> None:
    answer = parse(text, asked, finish_reason)
    assert answer.outcome in OUTCOMES
    assert answer.outcome == "error" or finish_reason != "error"
    assert answer.outcome != "truncated" or finish_reason == "length"
    assert bool(answer.said) == (answer.outcome in ("scored", "out_of_range"))
    assert bool(answer.why) == (answer.outcome != "scored")
    if answer.main is not None:
        assert answer.outcome == "scored"
        assert 0 <= answer.main <= 100
    if answer.outcome == "scored" and not isinstance(asked[0].scorer, Choice):
        assert answer.main is not None
    assert answer == parse(text, asked, finish_reason)


@FEW
@given(ALL, st.lists(FRAGMENTS, max_size=12).map(" ".join))
def test_a_cut_never_makes_an_answer(asked: Asked, text: str) -> None:
    cut, whole = parse(text, asked, "length"), parse(text, asked)
    if cut.outcome in ("scored", "out_of_range"):
        assert cut == whole


@FEW
@given(
    st.integers(0, 100), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.sampled_from(["", "Qualité très élevée. "])
)
def test_unicode_forms_read_alike(value: int, form: str, before: str) -> None:
    fullwidth = "".join(chr(0xFF10 + int(digit)) for digit in str(value))
    for text in (f"{before}Score: {value}/100", f"{before}Score： {fullwidth}／１００"):
        answer = parse(unicodedata.normalize(form, text), SCORE)  # type: ignore[arg-type]
        assert (answer.outcome, answer.main) == ("scored", value), answer


LONG = [
    "4/5 ",
    "1",
    "a",
    "A ",
    "not ",
    ".",
    "*",
    "* ",
    " ",
    "\n",
    "(",
    "1.",
    "1,",
    "/",
    "<a",
    "I ",
    "I can't ",
    "good ",
    "no ",
    ": ",
    "87. ",
    "e.",
    "\\a",
    "_",
    "½",
    "~",
    "\x00",
    "<think>",
    "1 (a) ",
    "$1",
    "$1$ ",
    "-> ",
    "no image ",
    "I can't see the ",
    "please provide the ",
    "Thinking:\n_",
    "score_",
    "[THINK]1[/THINK]",
    "assistantfinal",
    "\\frac{1}",
]


@pytest.mark.parametrize("unit", LONG, ids=repr)
def test_time_is_bounded_on_the_longest_texts(unit: str) -> None:
    # 8 kB is the longest text that is searched. Measured on a busy core: 0.45 s at worst, most below 0.1 s, and linear
    # in the length ("I can't ": 0.024, 0.05, 0.10, 0.23 s for 1, 2, 4, 8 kB).
    text = (unit * 8000)[:7990]
    for asked in (SCORE, RATING, (shipped()["grade"], "direct"), (shipped()["options.quality"], "direct")):
        start = time.process_time()
        parse(text, asked)
        assert time.process_time() - start < 3.0


def test_ten_megabytes_are_turned_away_quickly() -> None:
    start = time.process_time()
    answer = parse("4/5 " * 2_500_000, RATING)
    assert answer.outcome == "unparsed"
    assert "10000000" in answer.why or "9999999" in answer.why
    assert parse(" " * 10_000_000 + "4/5", RATING).outcome == "scored"
    assert parse("x" * 10_000_000, RATING, "length").outcome == "truncated"
    assert time.process_time() - start < 2.0


def test_errors_are_an_outcome_with_a_reason() -> None:
    assert error_score("timeout") == Score("error", why="timeout")
    assert error_score("").why
    assert parse("87", SCORE, "error").outcome == "error"
    direct = SCORE[0].scorer.read("87", "error", SCORE[0].wordings["direct"])
    assert direct == parse("87", SCORE, "error")
