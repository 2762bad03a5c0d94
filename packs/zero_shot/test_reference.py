"""How large are the errors beside those of another model on the same images (mCE and relative mCE)?

They take ``--audit-with=reference=MODEL``, or ``=evidence.json`` of that model's run of these audits.
"""

import pytest

from auditkit import zero_shot


@pytest.mark.source("arXiv:1903.12261 (mCE, relative mCE)", "arXiv:2505.15425 (mCE over CLIP)")
@pytest.mark.parametrize("effect", zero_shot.errors(), ids=str)
def test_errors_beside_those_of_the_reference(effect, audit):
    """How many errors does the model make under corruption for each one of the reference?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:1903.12261 (mCE, relative mCE)", "arXiv:2505.15425 (mCE over CLIP)")
@pytest.mark.parametrize("effect", zero_shot.errors_published(), ids=str)
def test_errors_under_published_corruption_beside_those_of_the_reference(effect, audit):
    """The same under the corruptions whose images are published."""
    audit.shows(effect)
