"""Can an image be made to look better by turning brightness or contrast?"""

import pytest

from auditkit.protocol.shipped import direction_series


@pytest.mark.parametrize("series", direction_series(), ids=str)
def test_score_does_not_rise(series, audit):
    """The quality score must not rise when brightness or contrast is turned away from the original, either way."""
    audit.not_raised(series)
