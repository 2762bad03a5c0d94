"""Does our own wording get the score that the shipped one gets, and does our own question get answers?"""

import pytest

from auditkit import share, wordings


@pytest.mark.parametrize("effect", [wordings("quality", ("direct", "ward"), family="worded")], ids=str)
def test_score_ignores_wording(effect, audit):
    """The score must not depend on which of the two wordings is used."""
    audit.within(effect)


LOST = [share("lost", "quality", wording="ward", family="answered"), share("lost", "repeat", family="answered")]


@pytest.mark.parametrize("effect", LOST, ids=str)
def test_answers_can_be_used(effect, audit):
    """The model must answer in the form it was asked for."""
    audit.at_most(effect)
