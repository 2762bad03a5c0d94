"""What does another scale do to the score?"""

import pytest

from auditkit import prompt


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", prompt.scales(), ids=str)
def test_difference_between_scales(effect, audit):
    """How many points of 0-100 lie between two scales of the same question?"""
    audit.shows(effect)
