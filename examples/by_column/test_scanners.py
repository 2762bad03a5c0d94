"""Does the model answer for every scanner?"""

import pytest

from auditkit import between, mean, share


@pytest.mark.parametrize("effect", [share("refused", family="refusals")], ids=str)
def test_no_scanner_is_refused(effect, audit):
    """The model must not decline the images of any scanner."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", [between("scanner", mean(), family="scanner_gap")], ids=str)
def test_scores_of_the_scanners(effect, audit):
    """How far do the mean scores of the scanners' images lie apart?"""
    audit.shows(effect)
