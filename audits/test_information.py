"""What is shown for information: no verdict rests on it."""

import pytest

from auditkit import shipped


@pytest.mark.parametrize("effect", shipped.embeddings(), ids=str)
def test_what_the_model_holds_inside(effect, audit):
    """Does the model see the degradation, and does its score follow?"""
    audit.shows(effect)
