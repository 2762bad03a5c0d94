"""What a ward wants to know beside what auditkit ships."""

import pytest

from auditkit import Perturbation, change, falls, mean, share, wordings

NIGHT, GRID, SIGNED = Perturbation("night"), Perturbation("grid", 2), Perturbation("signed")
NOTHING = ("demographics_patient", "expertise", "infrastructure", "institution")
SAY_NOTHING = [Perturbation(f"{category}.neutral") for category in NOTHING]
HOUR = change(NIGHT, alike=SAY_NOTHING)
INTERACTION = change(NIGHT, GRID, alike=SAY_NOTHING).minus(change(NIGHT)).minus(change(GRID))
WORDS = [
    HOUR.named("night", family="ward_words"),
    HOUR.under(GRID).named("night-under-grid", family="ward_words"),
    INTERACTION.named("night-by-grid", family="ward_words"),
]


@pytest.mark.parametrize("effect", WORDS, ids=str)
def test_score_ignores_the_hour(effect, audit):
    """The score must not move with the hour, whatever the image looks like."""
    audit.within(effect)


@pytest.mark.parametrize("effect", [falls("grid", (1, 2, 3), family="ward_grid")], ids=str)
def test_score_sees_the_grid(effect, audit):
    """The score must fall as the grid gets denser."""
    audit.at_least(effect)


@pytest.mark.parametrize("effect", [wordings("quality", ("direct", "ward"), family="ward_wordings")], ids=str)
def test_score_ignores_who_worded_the_question(effect, audit):
    """The ward's own wording must give the same score."""
    audit.within(effect)


@pytest.mark.parametrize("effect", [mean("ward_stars", family="ward_stars")], ids=str)
def test_clean_images_earn_stars(effect, audit):
    """Clean images must earn two stars on average."""
    audit.at_least(effect)


@pytest.mark.parametrize("effect", [mean("ward_stars", "sure", name="sure", family="ward_sure")], ids=str)
def test_the_model_is_sure(effect, audit):
    """The model must say that it is sure."""
    audit.at_least(effect)


STARS = change(NIGHT, SIGNED, against=[SIGNED], task="ward_stars", name="night-in-stars", family="ward_stars_words")


@pytest.mark.parametrize("effect", [STARS], ids=str)
def test_stars_ignore_the_hour(effect, audit):
    """The stars must not move with the hour either."""
    audit.within(effect)


@pytest.mark.parametrize("effect", [share("refused", name="refused", family="ward_refusals")], ids=str)
def test_no_scanner_is_refused(effect, audit):
    """The model must answer the images of every scanner."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", [change(SIGNED, family="ward_shown")], ids=str)
def test_signature(effect, audit):
    """What does a signature do?"""
    audit.shows(effect)
