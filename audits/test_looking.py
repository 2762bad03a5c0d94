"""Does the model look at the image at all, and does it say so when there is nothing to see?"""

import pytest

from auditkit import shipped


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.looking(), ids=str)
def test_score_needs_the_image(effect, audit):
    """The quality score must not survive the loss of the image: an empty picture must get a much lower one."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.flags(), ids=str)
def test_unusable_pictures_are_flagged(effect, audit):
    """Pictures that cannot be used must be called so, in every wording that has a word for it."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own: the control for the audit above")
@pytest.mark.parametrize("effect", shipped.spared(), ids=str)
def test_mild_faults_are_not_flagged(effect, audit):
    """The mildest corruption must not make the model flag more images than it flags without it."""
    audit.at_most(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.without_picture(), ids=str)
def test_without_a_picture(effect, audit):
    """What does the model say when no picture was sent?"""
    audit.shows(effect)
