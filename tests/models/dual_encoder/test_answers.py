import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import tasks
from auditkit.models.dual_encoder.answers import _steps, answer
from auditkit.models.dual_encoder.texts import SCALES, class_texts
from auditkit.tasks import expect, parse

TEMPLATES = tasks.templates()
SCALED = [t for t in TEMPLATES.values() if t.format in SCALES]
LISTED = [t for t in TEMPLATES.values() if t.format not in SCALES]
logit = st.floats(-150.0, 150.0)


def share(high, low):
    return 1.0 / (1.0 + math.exp(min(700.0, low - high)))


def mean_score(template, response):
    """The expected score as audits read it."""
    found = expect(response.logprobs, template)
    assert (found.reading, found.top) == ("read", response.text)
    assert found.mass == pytest.approx(1.0)
    return found.score


@given(template=st.sampled_from(SCALED), high=logit, low=logit)
def test_a_scale_gives_the_share_of_high(template, high, low):
    response = answer(template, {"high": high, "low": low})
    read = parse(response.text, template, response.finish_reason)
    half_a_step = 50.0 / (len(template.choices) - 1)
    assert read.outcome == "scored"
    assert abs(read.score - 100 * share(high, low)) <= half_a_step + 1e-9
    assert mean_score(template, response) == pytest.approx(100 * share(high, low), abs=1e-9)
    assert all(math.isfinite(p) for p in response.logprobs.values())


@given(template=st.sampled_from(SCALED), low=logit, highs=st.tuples(logit, logit))
def test_more_similar_to_high_never_scores_lower(template, low, highs):
    less, more = (answer(template, {"high": high, "low": low}) for high in sorted(highs))
    assert parse(less.text, template).score <= parse(more.text, template).score
    assert mean_score(template, less) <= mean_score(template, more) + 1e-9


@given(template=st.sampled_from(LISTED), data=st.data())
def test_listed_answers_give_the_nearest_class(template, data):
    logits = {name: data.draw(logit) for name in class_texts(template)}
    response = answer(template, logits)
    assert parse(response.text, template).outcome == "scored"
    assert logits[response.text] == pytest.approx(max(logits.values()), abs=1e-9)
    assert set(response.logprobs) == set(template.choices)
    assert expect(response.logprobs, template).mass == pytest.approx(1.0)
    assert expect(response.logprobs, template).top == response.text
    for one, other in zip(template.choices, template.choices[1:], strict=False):
        assert response.logprobs[one] - response.logprobs[other] == pytest.approx(logits[one] - logits[other])


def test_a_half_goes_to_the_step_declared_first():
    """As `expect` settles it, so that the text and the likeliest choice are always the same."""
    template = TEMPLATES["rating_5.direct"]
    chances = _steps(template.choices, 0.375)
    assert chances == pytest.approx({"2/5": math.log(0.5), "3/5": math.log(0.5)})
    assert expect(chances, template).top == max(chances, key=chances.get) == "2/5"


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda t: t.id)
def test_what_all_classes_share_cancels(template):
    """SigLIP adds a bias of about -12 to every logit."""
    logits = {name: 0.3 * i for i, name in enumerate(class_texts(template))}
    with_bias = answer(template, {name: value - 12.0 for name, value in logits.items()})
    assert with_bias.text == answer(template, logits).text
    assert with_bias.logprobs == pytest.approx(answer(template, logits).logprobs, abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_errors(bad):
    response = answer(TEMPLATES["yes_no.reader"], {"yes": bad, "no": 0.0})
    assert "not finite" in response.error
    assert response.finish_reason == "error"
