"""Does the model still see what is wrong when the image is degraded?

They take tables of MedQ-Deg: the clean ones and the degraded ones in one folder.
"""

import pytest

from auditkit import medq


@pytest.mark.source("arXiv:2603.07769 (accuracy by level of degradation)")
@pytest.mark.parametrize("effect", medq.degraded_accuracy(), ids=str)
def test_share_of_right_answers_by_level(effect, audit):
    """How many answers about degraded images are right, at each level?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2603.07769 (accuracy by level of degradation)")
@pytest.mark.parametrize("effect", medq.degraded_skill(), ids=str)
def test_knows_more_than_guessing_by_level(effect, audit):
    """At each level the model must be right clearly more often than by guessing among the options."""
    audit.at_least(effect)


@pytest.mark.source("arXiv:2603.07769 (accuracy by level of degradation)")
@pytest.mark.parametrize("effect", medq.degraded_loss(), ids=str)
def test_right_answers_from_level_to_level(effect, audit):
    """How many right answers does each further level cost?"""
    audit.shows(effect)
