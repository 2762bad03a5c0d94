"""What an effect is called and what it compares, in words: those of the first runs, and those of composed effects."""

import hashlib
import json

import pytest

from auditkit.judge.titles import Titles
from auditkit.protocol.effects import (
    areas,
    between,
    change,
    departure,
    differs,
    falls,
    mean,
    rises,
    share,
    steps,
    wordings,
)
from auditkit.protocol.read import read_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Perturbation
from tests.judge.build import AGAIN, HIGH, LOW, NEUTRAL, protocol

TITLES = Titles(protocol().catalogue)
PIXELATE = Perturbation("pixelate", 3)
CLEAN = "clean image, no extra sentence"
OWN = """
name = "own"
profile = "ci"
seed = 1
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"
[families.metadata]
within = 5.0
[perturbations.night]
sentence = "This image was taken at night."
label = "Taken at night"
hazard = "Night staff are trusted less."
[perturbations.grain]
function = "auditkit.perturbations.display.noise:gaussian_noise"
stage = "display"
levels = [{ sd = 0.01 }]
"""


def said(perturbation: Perturbation) -> str:
    return f"“{TITLES.catalogue.entry(perturbation.name).parameters(0)['sentence']}”"


def test_shipped_effects_are_called_as_they_were_in_the_first_runs():
    """SHA-256 of id, title, both sides and hazard of 141 effects, computed with the code before effects had parts.

    Those that name a wording are left out: wordings are called otherwise now. Gaps between groups came later. What is
    held against the neutral sentences was held against one of them then, which is named still.
    """
    several = "the mean over 5 sentences, such as "
    words = {
        f"{family}/{effect.name}": [TITLES.title(effect), *TITLES.sides(effect), TITLES.hazard(effect)]
        for family, listed in SHIPPED.items()
        if family
        in ("sensitivity", "discrimination", "direction", "metadata", "placebo", "differential", "repeatability")
        for effect in listed()
    }
    assert len(words) == 141
    assert sum(sides[2].startswith(several) for sides in words.values()) == 40
    words = {name: [said.removeprefix(several) for said in sides] for name, sides in words.items()}
    digest = hashlib.sha256(json.dumps(sorted(words.items())).encode()).hexdigest()
    assert digest == "475f9640cbc299f67de1b01028df3f57821b8c168b5624e3817c62d8a4b3dda2"


def test_gaps_between_groups_are_called_by_number_and_column():
    titles = [TITLES.title(effect) for effect in SHIPPED["subgroups"]()]
    assert titles[:3] == ["Score by sex", "Lost answers by sex", "Fall per step by sex"]
    assert TITLES.sides(SHIPPED["subgroups"]()[0]) == ("the level of sex", "every other level")
    assert TITLES.title(between("slice_thickness", share("refused"))) == "Refused by slice thickness"
    assert TITLES.title(between("site", change(PIXELATE))) == "Pixelate s3 by site"
    assert TITLES.title(between("site", mean(), name="score-of-sites")) == "Score by site"


def test_effects_that_name_a_wording():
    [templates] = SHIPPED["templates"]()
    names = [f"quality.{name}" for name in ("direct", "reader", "acceptance", "inspector")]
    assert TITLES.title(templates) == "4 wordings, quality"
    assert TITLES.sides(templates) == (", ".join(names), "every other of them")
    assert TITLES.words(templates) == ", ".join(names)
    found = {TITLES.title(effect): TITLES.sides(effect) for effect in SHIPPED["answers"]()}
    assert len(found) == len(SHIPPED["answers"]())
    assert {"Quality, direct: refused", "Rating, reader: unusable", "Yes no, diagnostic: refused"} <= set(found)
    assert set(found.values()) == {(CLEAN, "")}


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((1, 2, 3, 4, 5), "severity 1 to 5"),
        ((2, 3, 4), "severity 2 to 4"),
        ((3, 5), "severity 3 and 5"),
        ((4, 5), "severity 4 and 5"),
        ((1, 3, 5), "severity 1, 3 and 5"),
        ((1, 2, 4, 5), "severity 1, 2, 4 and 5"),
    ],
)
@pytest.mark.parametrize("make", [falls, rises, areas, steps])
def test_severities_are_called_a_range_only_where_they_are_one(make, levels, words):
    """Severities 3 and 5 were once called "severity 1 to 5"."""
    effect = make("pixelate", levels)
    assert TITLES.sides(effect) == (f"Pixelation, {words}", CLEAN)
    assert TITLES.title(effect) == "Pixelation"


@pytest.mark.parametrize("make", [falls, rises, areas, steps])
def test_a_single_severity_is_called_so(make):
    effect = make("pixelate", (3,))
    assert TITLES.sides(effect) == ("Pixelation, severity 3", CLEAN)
    assert TITLES.title(effect) == "Pixelation, severity 3"


@pytest.mark.parametrize(
    ("effect", "title", "treated", "control"),
    [
        (change(PIXELATE), "Pixelation, severity 3", "Pixelation, severity 3", CLEAN),
        (change(HIGH, against=[LOW]), "Reputation: high vs low", said(HIGH), said(LOW)),
        (change(HIGH, against=[NEUTRAL]), "Reputation: high vs neutral", said(HIGH), said(NEUTRAL)),
        (change(HIGH), "Reputation: high vs no sentence", said(HIGH), CLEAN),
        (change(HIGH, alike=[NEUTRAL, LOW]), "Reputation: high vs no sentence", said(HIGH), CLEAN),
        (
            departure(HIGH, alike=[NEUTRAL, Perturbation("expertise.neutral")], name="x"),
            "Reputation: high vs neutral", said(HIGH), f"the mean over 2 sentences, such as {said(NEUTRAL)}",
        ),
        (change(NEUTRAL), "Institution: neutral sentence", said(NEUTRAL), CLEAN),
        (differs(AGAIN, name="asked-twice"), "Asked twice", "asked a second time", CLEAN),
        (differs(Perturbation("alone"), name="x"), "X", "asked alone", CLEAN),
        (mean(name="mean-score"), "Mean score", CLEAN, ""),
        (share("refused", name="declines"), "Declines", CLEAN, ""),
        (
            change(PIXELATE, HIGH, name="pixels-and-praise"),
            "Pixels and praise", f"Pixelation, severity 3, {said(HIGH)}", CLEAN,
        ),
        (
            change(PIXELATE).under(HIGH).named("pixels_under_praise"),
            "Pixels under praise", f"Pixelation, severity 3, {said(HIGH)}", said(HIGH),
        ),
        (
            change(PIXELATE, HIGH).minus(change(PIXELATE)).minus(change(HIGH)).named("interaction"),
            "Interaction",
            f"Pixelation, severity 3, {said(HIGH)}; Pixelation, severity 3; {said(HIGH)}", CLEAN,
        ),
        (change(PIXELATE).where("sex", "F").named("women"), "Women", "Pixelation, severity 3", CLEAN),
    ],
    ids=lambda value: getattr(value, "name", None),
)  # fmt: skip
def test_words_of_effects_of_all_kinds(effect, title, treated, control):
    assert TITLES.title(effect) == title
    assert TITLES.sides(effect) == (treated, control)


def test_entries_of_ones_own_are_called_by_their_label_and_have_their_hazard():
    titles = Titles(read_protocol(OWN, "own.toml").catalogue)
    night, grain = Perturbation("night"), Perturbation("grain")
    assert titles.title(change(grain)) == "grain"
    assert titles.title(change(night)) == "Taken at night"
    assert titles.sides(change(night, grain))[0] == "grain, “This image was taken at night.”"
    assert titles.hazard(change(grain, night)) == "Night staff are trusted less."
    assert titles.hazard(change(grain)) == ""


def test_the_hazard_is_that_of_what_is_changed_not_of_what_it_is_compared_with():
    assert TITLES.hazard(change(HIGH, against=[NEUTRAL])) == TITLES.hazard(change(HIGH)) != ""
    assert TITLES.hazard(change(NEUTRAL)) == TITLES.hazard(change(PIXELATE)) == TITLES.hazard(mean()) == ""


def test_what_is_counted():
    assert TITLES.quantity(change(HIGH)) == "score"
    assert TITLES.quantity(share("refused")) == "refused"
    assert TITLES.quantity(share("lost").under(HIGH).minus(share("lost"))) == "lost"
    assert TITLES.quantity(differs(HIGH, task="options.degradation")) == "said"
    assert TITLES.quantity(areas("pixelate")) == TITLES.quantity(wordings("quality", ["direct", "reader"])) == "score"
    assert TITLES.words(change(HIGH)) == "quality.direct"
    assert TITLES.words(share("refused", "grade")) == "grade.direct"


def test_what_a_change_is_compared_with_shows_in_its_title():
    night, blur = Perturbation("night"), Perturbation("grain")
    titles = Titles(read_protocol(OWN, "own.toml").catalogue)
    assert titles.title(change(night)) == "Taken at night"
    assert titles.title(change(night, against=[NEUTRAL])) != titles.title(change(night, against=[PIXELATE]))
    assert titles.title(change(night, against=[PIXELATE])) == "Taken at night vs Pixelation, severity 3"
    assert titles.title(change(blur, against=[night])).endswith("vs Taken at night")
    assert titles.title(change(HIGH, against=[PIXELATE])).endswith("vs pixelation, severity 3")


def test_other_pictures_are_called_by_what_is_shown():
    names = {
        "swap": "Picture of another patient",
        "other_modality": "Picture of another modality",
        "missing": "No picture",
    }
    for name, title in names.items():
        assert TITLES.title(change(Perturbation(name))) == title
        assert TITLES.sides(change(Perturbation(name))) == (title, CLEAN)
