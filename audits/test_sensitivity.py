"""Does a quality score see that the image got worse?"""

import pytest

from auditkit.protocol.shipped import discrimination_series, sensitivity_series


@pytest.mark.parametrize("series", sensitivity_series(), ids=str)
def test_score_falls(series, audit):
    """The quality score must fall as the corruption grows."""
    audit.sensitive(series)


@pytest.mark.parametrize("series", discrimination_series(), ids=str)
def test_clean_is_told_from_corrupted(series, audit):
    """The quality score must tell a clean image from a clearly corrupted one."""
    audit.discriminates(series)
