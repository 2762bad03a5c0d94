"""Does the model know the answer, and each of the answers?"""

import pytest

from auditkit import diagnosis


@pytest.mark.source("arXiv:2604.09841 (accuracy by task)")
@pytest.mark.parametrize("effect", diagnosis.accuracies(), ids=str)
def test_share_of_right_answers(effect, audit):
    """How many of the answers about clean images are right?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2604.09841 (accuracy near chance)")
@pytest.mark.parametrize("effect", diagnosis.skill(), ids=str)
def test_knows_more_than_guessing(effect, audit):
    """The model must be right clearly more often than by guessing, every class counted alike."""
    audit.at_least(effect)


@pytest.mark.source("arXiv:2604.09841 (sensitivity and specificity)")
@pytest.mark.parametrize("effect", diagnosis.recall(), ids=str)
def test_finds_disease_and_clears_health(effect, audit):
    """The disease must be found where it is, and not where it is not."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", diagnosis.recall_of_kinds(), ids=str)
def test_tells_every_kind(effect, audit):
    """Every kind must be recognised more often than not."""
    audit.at_least(effect)
