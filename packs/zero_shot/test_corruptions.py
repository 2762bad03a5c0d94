"""Are the answers still right when the image gets worse?"""

import pytest

from auditkit import zero_shot


@pytest.mark.source("arXiv:1903.12261 (corruption error)")
@pytest.mark.parametrize("effect", zero_shot.corrupted(), ids=str)
def test_share_of_right_answers_under_corruption(effect, audit):
    """How many of the corrupted images get their class, over all severities?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2505.15425 (accuracy under corruption)")
@pytest.mark.parametrize("effect", zero_shot.loss(), ids=str)
def test_right_answers_survive_corruption(effect, audit):
    """A corruption must cost few right answers, and there must be right answers to lose."""
    audit.at_most(effect)
