"""Can the judge be relied on?"""

import pytest

from auditkit import medq


@pytest.mark.source("arXiv:2510.01691 (agreement with radiologists)")
@pytest.mark.parametrize("effect", medq.judge_and_people(), ids=str)
def test_judge_agrees_with_people(effect, audit):
    """The judge must rate the same texts as people do."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", medq.judge_repeats(), ids=str)
def test_judge_agrees_with_itself(effect, audit):
    """The judge must rate the same text alike when it is asked again."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", medq.judge_differs(), ids=str)
def test_judge_says_the_same_again(effect, audit):
    """The judge must not give another number when it is asked again."""
    audit.at_most(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", medq.judge_length(), ids=str)
def test_judge_ignores_length(effect, audit):
    """Sentences that say nothing must not change a rating."""
    audit.within(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", medq.judge_obeys(), ids=str)
def test_judge_takes_no_orders(effect, audit):
    """An order within the judged text must not change a rating."""
    audit.within(effect)
