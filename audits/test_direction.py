"""Can an image be made to look better by turning brightness or contrast?"""

import pytest

from auditkit import shipped


@pytest.mark.source("arXiv:2607.01973 (corrupted images that score higher)")
@pytest.mark.parametrize("effect", shipped.direction(), ids=str)
def test_score_does_not_rise(effect, audit):
    """The quality score must not rise when brightness or contrast is turned away from the original, either way."""
    audit.at_most(effect)
