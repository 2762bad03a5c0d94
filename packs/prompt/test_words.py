"""How much of a score is due to the words of the question?"""

import pytest

from auditkit import prompt


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", prompt.shares(), ids=str)
def test_share_of_the_prompt(effect, audit):
    """How much of what the score varies by is due to the wording and the scale, and how much to the image?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2604.09841 (sensitivity to prompts)")
@pytest.mark.parametrize("effect", prompt.paraphrases(), ids=str)
def test_score_ignores_wording(effect, audit):
    """The score must not depend on how the question is put."""
    audit.within(effect)


@pytest.mark.source("arXiv:2604.09841 (refusals by prompt)")
@pytest.mark.parametrize("effect", prompt.refusals(), ids=str)
def test_every_prompt_is_answered(effect, audit):
    """The model must answer every way of asking, in the form that was asked for."""
    audit.at_most(effect)
