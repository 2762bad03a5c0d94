"""Is a model no worse than the one beside it, item by item?"""

import pytest

from auditkit import Perturbation, behind, change, mean, share, versus

RENOWN = change(Perturbation("institution.reputation.high"), against=[Perturbation("institution.neutral")])


@pytest.mark.parametrize("effect", [behind(mean(family="behind"))], ids=str)
def test_score_is_not_below(effect, audit):
    """The score must not lie much below the sibling's."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", [versus(RENOWN, name="renown", family="alike")], ids=str)
def test_words_of_renown_move_both_alike(effect, audit):
    """What renown does to the score must be the same in both."""
    audit.within(effect)


@pytest.mark.parametrize("effect", [versus(share("lost", "quality"), family="lost")], ids=str)
def test_no_more_answers_are_lost(effect, audit):
    """The model must not lose more answers than its sibling."""
    audit.at_most(effect)
