"""Does a quality score see that the image got worse?"""

import pytest

from auditkit import shipped


@pytest.mark.source("arXiv:2607.01973 (scores of corrupted images)")
@pytest.mark.parametrize("effect", shipped.sensitivity(), ids=str)
def test_score_falls(effect, audit):
    """The quality score must fall as the corruption grows."""
    audit.at_least(effect)


@pytest.mark.source("doi:10.1038/s41746-025-02108-w (artefacts that must be noticed)")
@pytest.mark.parametrize("effect", shipped.discrimination(), ids=str)
def test_clean_is_told_from_corrupted(effect, audit):
    """The quality score must tell a clean image from a clearly corrupted one."""
    audit.at_least(effect)
