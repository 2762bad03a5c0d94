"""Does the model answer, and does it answer for every kind of image alike?"""

import pytest

from auditkit import shipped


@pytest.mark.source("arXiv:2604.09841 (rate of refusals)")
@pytest.mark.parametrize("effect", shipped.answers(), ids=str)
def test_answers_are_usable(effect, audit):
    """The model must answer clean images in the format it was asked for, without declining."""
    audit.at_most(effect)


@pytest.mark.source("arXiv:2604.09841 (refusals by prompt and model)")
@pytest.mark.parametrize("effect", shipped.differential(), ids=str)
def test_answers_do_not_depend_on_condition(effect, audit):
    """A condition must not make the model decline or answer unusably more often."""
    audit.at_most(effect)
