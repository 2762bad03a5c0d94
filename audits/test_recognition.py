"""Can the model tell what kind of image it is shown, and does that come from the image?"""

import pytest

from auditkit import shipped


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.recognition(), ids=str)
def test_kinds_of_image_are_told_apart(effect, audit):
    """The model must tell what kind of image it is shown, well above guessing."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.recognition_accuracy(), ids=str)
def test_right_answers(effect, audit):
    """How often is the model right about the kind of image, and about each kind?"""
    audit.shows(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.recognition_loss(), ids=str)
def test_right_answers_survive_corruption(effect, audit):
    """A corruption that a reader looks through must not cost right answers."""
    audit.at_most(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.recognition_looking(), ids=str)
def test_right_answers_need_the_image(effect, audit):
    """Right answers must not survive the loss of the image."""
    audit.at_least(effect)
