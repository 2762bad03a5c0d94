"""What does the image say beyond the model's own description of it?"""

import pytest

from auditkit import description


@pytest.mark.source("arXiv:2604.09841 (accuracy from the image and from its description)")
@pytest.mark.parametrize("effect", description.accuracy(), ids=str)
def test_share_of_right_answers(effect, audit):
    """How many answers are right, from the image and from the description?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2604.09841 (the description pipeline)")
@pytest.mark.parametrize("effect", description.beyond(), ids=str)
def test_image_says_more(effect, audit):
    """By how much is the answer from the image right more often than that from the description?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2604.09841 (knowledge left to extract)")
@pytest.mark.parametrize("effect", description.unused(), ids=str)
def test_what_is_described_is_used(effect, audit):
    """What the model describes must be in its own answer too."""
    audit.at_most(effect)


@pytest.mark.source("arXiv:2604.09841 (two questions for the description)")
@pytest.mark.parametrize("effect", description.describing(), ids=str)
def test_decisions_ignore_how_the_description_was_asked_for(effect, audit):
    """As many decisions must be right whether or not the finding was named when the description was asked for."""
    audit.within(effect)
