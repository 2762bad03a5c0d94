"""Sentences that stand in a file beside the protocol."""

import pytest

from auditkit import Perturbation, change

DAYS = [change(Perturbation(name), family="ward_more") for name in ("weekend", "holiday.winter")]


@pytest.mark.parametrize("effect", DAYS, ids=str)
def test_score_ignores_the_day(effect, audit):
    """The score must not move with the day."""
    audit.within(effect)
