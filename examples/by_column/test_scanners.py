"""Does the model answer for every scanner?"""

import pytest

from auditkit import mean, share


@pytest.mark.parametrize("effect", [share("refused", family="refusals")], ids=str)
def test_no_scanner_is_refused(effect, audit):
    """The model must not decline the images of any scanner."""
    audit.at_most(effect)


SCORES = [mean(family="scanner_gap").where("scanner", scanner) for scanner in ("north", "south")]


@pytest.mark.parametrize("effect", SCORES, ids=str)
def test_scores_of_each_scanner(effect, audit):
    """What is the mean score of each scanner's images?"""
    audit.shows(effect)
