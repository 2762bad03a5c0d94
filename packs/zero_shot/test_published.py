"""Are the answers still right about the corrupted images that come with the data set?

They take the folders of MedMNIST-C or MediMeta-C beside the clean images.
"""

import pytest

from auditkit import zero_shot


@pytest.mark.source("arXiv:1903.12261 (corruption error)")
@pytest.mark.parametrize("effect", zero_shot.corrupted_published(), ids=str)
def test_share_of_right_answers_under_published_corruption(effect, audit):
    """How many of the published corrupted images get their class, over all severities?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2406.17536 (MedMNIST-C)", "arXiv:2505.15425 (MediMeta-C)")
@pytest.mark.parametrize("effect", zero_shot.loss_published(), ids=str)
def test_right_answers_survive_published_corruption(effect, audit):
    """A published corruption must cost few right answers, and there must be right answers to lose."""
    audit.at_most(effect)


@pytest.mark.source("arXiv:2406.17536 (balanced errors of AlexNet)")
@pytest.mark.parametrize("effect", zero_shot.errors_over_alexnet(), ids=str)
def test_errors_in_units_of_published_ones(effect, audit):
    """How large are the errors beside those that were published?"""
    audit.shows(effect)
