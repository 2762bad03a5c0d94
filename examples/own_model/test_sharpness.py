"""Is measured sharpness a score of quality?"""

import pytest

from auditkit import shipped

CHOSEN = ("motion_blur", "pixelate", "gaussian_noise")
EFFECTS = [effect for effect in shipped.sensitivity() if effect.name in CHOSEN]


@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_score_falls(effect, audit):
    """The score must fall as the corruption grows."""
    audit.at_least(effect)
