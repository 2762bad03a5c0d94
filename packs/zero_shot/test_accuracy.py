"""Does the model tell the classes of a data set apart?"""

import pytest

from auditkit import zero_shot


@pytest.mark.source("arXiv:2505.15425 (zero-shot accuracy)")
@pytest.mark.parametrize("effect", zero_shot.accuracies(), ids=str)
def test_share_of_right_answers(effect, audit):
    """How many of the clean images get their class?"""
    audit.shows(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", zero_shot.skill(), ids=str)
def test_knows_more_than_guessing(effect, audit):
    """The model must be right clearly more often than by guessing, every class counted alike."""
    audit.at_least(effect)


@pytest.mark.source("arXiv:2505.15425 (ROC-AUC, one class against the rest)")
@pytest.mark.parametrize("effect", zero_shot.auroc(), ids=str)
def test_probabilities_tell_the_classes_apart(effect, audit):
    """How often is an image of the class given a higher probability of it than another image?"""
    audit.shows(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", zero_shot.recall(), ids=str)
def test_share_of_every_class(effect, audit):
    """How many of the images of each class are recognised?"""
    audit.shows(effect)
