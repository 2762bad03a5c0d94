"""Does the model answer at all?"""

import pytest

from auditkit import diagnosis


@pytest.mark.source("arXiv:2604.09841 (rate of refusals)")
@pytest.mark.parametrize("effect", diagnosis.refusals(), ids=str)
def test_answers_can_be_used(effect, audit):
    """The model must answer in the form it was asked for, without declining."""
    audit.at_most(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", diagnosis.refusals_by_class(), ids=str)
def test_no_disease_is_declined(effect, audit):
    """The images of no class may be declined more than now and then."""
    audit.at_most(effect)
