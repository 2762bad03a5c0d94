"""Do the words and the order of a question decide the answer?"""

import pytest

from auditkit import diagnosis


@pytest.mark.source("arXiv:2604.09841 (sensitivity of accuracy to prompts)")
@pytest.mark.parametrize("effect", diagnosis.wording(), ids=str)
def test_accuracy_ignores_wording(effect, audit):
    """The share of right answers must not depend on how the question is put, nor on which way round."""
    audit.within(effect)


@pytest.mark.source("arXiv:2604.09841 (refusals by prompt)")
@pytest.mark.parametrize("effect", diagnosis.wording_lost(), ids=str)
def test_refusals_ignore_wording(effect, audit):
    """The share of lost answers must not depend on how the question is put, nor on which way round."""
    audit.within(effect)


@pytest.mark.source("arXiv:2604.09841 (options in both orders)")
@pytest.mark.parametrize("effect", diagnosis.position(), ids=str)
def test_answer_ignores_order_of_options(effect, audit):
    """The answer must stay the same when the options change places."""
    audit.at_most(effect)
