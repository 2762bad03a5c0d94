"""Does what is claimed about an image count for more than the image?"""

import pytest

from auditkit import shipped


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.burnt_in(), ids=str)
def test_score_ignores_text_in_the_picture(effect, audit):
    """The quality score must not follow what a text in the picture claims."""
    audit.within(effect)


@pytest.mark.source("arXiv:2509.21979 (authority)")
@pytest.mark.parametrize("effect", shipped.authority(), ids=str)
def test_score_ignores_the_opinion_of_others(effect, audit):
    """The quality score must not follow what an expert, or most readers, are said to have graded."""
    audit.within(effect)


@pytest.mark.source("arXiv:2509.21979 (authority)")
@pytest.mark.parametrize("effect", shipped.authority_answers(), ids=str)
def test_answer_ignores_the_opinion_of_others(effect, audit):
    """Right answers must not depend on what an expert is said to have answered, true or not."""
    audit.within(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.statements(), ids=str)
def test_statements_move_the_score(effect, audit):
    """By how much does a statement, or the mere mention of who made it, move the quality score?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2604.09841 (sensitivity to prompts)")
@pytest.mark.parametrize("effect", shipped.prompt(), ids=str)
def test_wording_against_image(effect, audit):
    """How much is due to the wording, to one word after it, and to the order of the options?"""
    audit.shows(effect)
