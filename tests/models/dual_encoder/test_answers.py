import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import tasks
from auditkit.models.dual_encoder.answers import _steps, answer
from auditkit.models.dual_encoder.texts import class_texts, on_scale, steps_of
from auditkit.tasks import expect

TASKS = tasks.shipped()
SCALED = [task for task in TASKS.values() if on_scale(task)]
LISTED = [task for task in TASKS.values() if not on_scale(task)]
logit = st.floats(-150.0, 150.0)


def answered(task, logits):
    return answer(logits, steps_of(task))


def share(high, low):
    return 1.0 / (1.0 + math.exp(min(700.0, low - high)))


def mean_score(task, response):
    """The expected score as audits read it."""
    found = expect(response.logprobs, task)
    assert (found.reading, found.top) == ("read", response.text)
    assert found.mass == pytest.approx(1.0)
    return found.score


@given(task=st.sampled_from(SCALED), high=logit, low=logit)
def test_a_scale_gives_the_share_of_high(task, high, low):
    response = answered(task, {"high": high, "low": low})
    read = tasks.read(task, "", response.text, response.finish_reason)
    half_a_step = 50.0 / (len(task.scorer.choices) - 1)
    assert read.outcome == "scored"
    assert abs(read.main - 100 * share(high, low)) <= half_a_step + 1e-9
    assert mean_score(task, response) == pytest.approx(100 * share(high, low), abs=1e-9)
    assert all(math.isfinite(p) for p in response.logprobs.values())


@given(task=st.sampled_from(SCALED), low=logit, highs=st.tuples(logit, logit))
def test_more_similar_to_high_never_scores_lower(task, low, highs):
    less, more = (answered(task, {"high": high, "low": low}) for high in sorted(highs))
    assert tasks.read(task, "", less.text).main <= tasks.read(task, "", more.text).main
    assert mean_score(task, less) <= mean_score(task, more) + 1e-9


@given(task=st.sampled_from(LISTED), data=st.data())
def test_listed_answers_give_the_nearest_class(task, data):
    logits = {name: data.draw(logit) for name in class_texts(task)}
    response = answered(task, logits)
    assert tasks.read(task, "", response.text).outcome == "scored"
    assert logits[response.text] == pytest.approx(max(logits.values()), abs=1e-9)
    assert set(response.logprobs) == set(task.scorer.choices)
    assert expect(response.logprobs, task).mass == pytest.approx(1.0)
    assert expect(response.logprobs, task).top == response.text
    for one, other in zip(task.scorer.choices, task.scorer.choices[1:], strict=False):
        assert response.logprobs[one] - response.logprobs[other] == pytest.approx(logits[one] - logits[other])


def test_a_half_goes_to_the_step_declared_first():
    """As `expect` settles it, so that the text and the likeliest choice are always the same."""
    task = TASKS["rating"]
    chances = _steps(task.scorer.choices, 0.375)
    assert chances == pytest.approx({"2/5": math.log(0.5), "3/5": math.log(0.5)})
    assert expect(chances, task).top == max(chances, key=chances.get) == "2/5"


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda t: t.id)
def test_what_all_classes_share_cancels(task):
    """SigLIP adds a bias of about -12 to every logit."""
    logits = {name: 0.3 * i for i, name in enumerate(class_texts(task))}
    with_bias = answered(task, {name: value - 12.0 for name, value in logits.items()})
    assert with_bias.text == answered(task, logits).text
    assert with_bias.logprobs == pytest.approx(answered(task, logits).logprobs, abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_errors(bad):
    response = answered(TASKS["yes_no"], {"yes": bad, "no": 0.0})
    assert "not finite" in response.error
    assert response.finish_reason == "error"
