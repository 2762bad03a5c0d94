"""Does the hour at which an image was taken move its score?"""

import pytest

from auditkit import Perturbation, change

NIGHT, NOON, BLURRED = Perturbation("night"), Perturbation("noon"), Perturbation("motion_blur", 3)

HOURS = [
    change(NIGHT, family="hour"),
    change(NIGHT, against=[NOON], family="hour"),
    # The same comparison where it matters most: when there is little to see.
    change(NIGHT, against=[NOON], family="hour").under(BLURRED),
]


@pytest.mark.parametrize("effect", HOURS, ids=str)
def test_score_ignores_the_hour(effect, audit):
    """The score must not move with the hour at which the image was taken."""
    audit.within(effect)
