"""Do words about people and places move a score that should come from the image?"""

import pytest

from auditkit.protocol.shipped import metadata_contrasts, placebo_contrasts


@pytest.mark.parametrize("contrast", metadata_contrasts(), ids=str)
def test_score_ignores_metadata(contrast, audit):
    """The quality score must not move when only the words about patient, operator, device or institution change."""
    audit.equivalent(contrast)


@pytest.mark.parametrize("contrast", placebo_contrasts(), ids=str)
def test_score_ignores_placebo(contrast, audit):
    """The quality score must not move when a sentence without meaning for quality is added."""
    audit.equivalent(contrast)
