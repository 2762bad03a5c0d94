"""Are its descriptions right, and does everybody answer?"""

import pytest

from auditkit import medq


@pytest.mark.source("arXiv:2510.01691 (four axes, rated by a judge)")
@pytest.mark.parametrize("effect", medq.reasoning(), ids=str)
def test_description_is_right(effect, audit):
    """On every axis the judge must rate the descriptions in the upper half."""
    audit.at_least(effect)


@pytest.mark.source("arXiv:2510.01691 (failed judgings are dropped there)")
@pytest.mark.parametrize("effect", medq.lost(), ids=str)
def test_answers_can_be_used(effect, audit):
    """The model and the judge must answer in the form they were asked for."""
    audit.at_most(effect)
