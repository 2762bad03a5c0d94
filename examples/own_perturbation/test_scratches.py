"""Does the score see that an imaging plate is worn?"""

import pytest

from auditkit import areas, falls

LEVELS = (1, 2, 3)


@pytest.mark.parametrize("effect", [falls("scratches", LEVELS, family="scratched")], ids=str)
def test_score_falls(effect, audit):
    """The score must fall as scratches are added."""
    audit.at_least(effect)


@pytest.mark.parametrize("effect", [areas("scratches", LEVELS, family="told")], ids=str)
def test_scratched_images_are_told_apart(effect, audit):
    """The score must tell a clean image from a badly scratched one."""
    audit.at_least(effect)
