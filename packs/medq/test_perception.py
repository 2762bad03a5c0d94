"""Does the model see what is wrong with an image?"""

import pytest

from auditkit import medq


@pytest.mark.source("arXiv:2510.01691 (accuracy by kind of question)")
@pytest.mark.parametrize("effect", medq.accuracy(), ids=str)
def test_share_of_right_answers(effect, audit):
    """How many answers are right, as they are written and by the likeliest option?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2510.01691 (accuracy by kind of question)")
@pytest.mark.parametrize("effect", medq.skill(), ids=str)
def test_knows_more_than_guessing(effect, audit):
    """The model must be right clearly more often than by guessing among the options."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", medq.position(), ids=str)
def test_answer_ignores_order(effect, audit):
    """The answer must stay the same when options or images change places."""
    audit.at_most(effect)
