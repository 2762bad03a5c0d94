"""Does the model answer, and does it answer for every kind of image alike?"""

import pytest

from auditkit.protocol.shipped import answer_groups, differential_contrasts


@pytest.mark.parametrize("group", answer_groups(), ids=str)
def test_answers_are_usable(group, audit):
    """The model must answer clean images in the format it was asked for, without declining."""
    audit.rate_below(group)


@pytest.mark.parametrize("contrast", differential_contrasts(), ids=str)
def test_answers_do_not_depend_on_condition(contrast, audit):
    """A condition must not make the model decline or answer unusably more often."""
    audit.same_rate(contrast)
