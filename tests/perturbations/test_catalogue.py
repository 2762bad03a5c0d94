"""The shipped catalogue: ImageNet-C's parameters, an entry for every sentence, and nothing heavy to read it."""

import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.perturbations import SEVERITIES, Entry, PerturbationError, corruptions, law, levels, placebos, shipped

SHIPPED = shipped()
# Typed from the published table of ImageNet-C, not from the catalogue.
IMAGENET_C = {
    "gaussian_noise": [(0.08,), (0.12,), (0.18,), (0.26,), (0.38,)],
    "impulse_noise": [(0.03,), (0.06,), (0.09,), (0.17,), (0.27,)],
    "motion_blur": [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)],
    "zoom_blur": [(1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)],
    "brightness": [(0.1,), (0.2,), (0.3,), (0.4,), (0.5,)],
    "contrast": [(0.4,), (0.3,), (0.2,), (0.1,), (0.05,)],
    "pixelate": [(0.6,), (0.5,), (0.4,), (0.3,), (0.25,)],
    "jpeg": [(25,), (18,), (15,), (10,), (7,)],
}


@pytest.mark.parametrize("name", IMAGENET_C)
def test_parameters_are_those_of_imagenet_c(name):
    entry = SHIPPED[name]
    assert entry.tier == "imagenet_c"
    assert [tuple(level.values()) for level in entry.levels] == IMAGENET_C[name]
    assert "ImageNet-C" in entry.source


def test_tiers_say_whose_parameters_they_are():
    ours = {entry.name for entry in corruptions("auditkit")}
    assert ours == {"brightness_down", "contrast_up"}
    assert {entry.name for entry in corruptions()} == ours | set(IMAGENET_C)
    assert {entry.name for entry in corruptions("imagenet_c")} == set(IMAGENET_C)
    assert corruptions("mine") == ()


def test_corruptions_change_what_is_shown_at_five_levels_and_should_be_noticed():
    for entry in corruptions():
        assert (entry.stage, entry.strengths, entry.expects, entry.version) == ("display", SEVERITIES, "notice", "1")


def test_both_directions_of_brightness_and_contrast():
    up, down = SHIPPED["brightness"], SHIPPED["brightness_down"]
    assert [level["shift"] for level in down.levels] == [-level["shift"] for level in up.levels]
    assert all(level["gain"] < 1 for level in SHIPPED["contrast"].levels)
    assert all(level["gain"] > 1 for level in SHIPPED["contrast_up"].levels)


@pytest.mark.parametrize("entry", corruptions(), ids=lambda entry: entry.name)
def test_every_corruption_is_complete_and_its_function_is_there(entry):
    for text in (entry.label, entry.law, entry.rationale, entry.source):
        assert text.strip() == text
        assert len(text) > 5
    for level in entry.levels:
        assert law(entry)(np.full((16, 16), 90, np.uint8), b"key", **level).shape == (16, 16)


def test_every_sentence_is_an_entry_of_one_strength():
    for id, sentence in [*placebos().items(), *((level.id, level.sentence) for level in levels().values())]:
        entry = SHIPPED[id]
        assert (entry.stage, entry.strengths, entry.expects, entry.tier) == ("words", (0,), "ignore", "attributes")
        assert entry.parameters(0) == {"sentence": sentence}
    assert all(SHIPPED[level.id].hazard == level.hazard for level in levels().values())
    assert SHIPPED["institution.reputation.high"].label == "reputation: high"


def test_the_ways_of_asking_have_no_law():
    again, alone = SHIPPED["again"], SHIPPED["alone"]
    assert (again.stage, again.function, again.strengths) == ("asking", "", ())
    assert again.parameters(1) == again.parameters(7) == alone.parameters(0) == {}
    for entry, level, remedy in ((again, 0, "from 1 upwards"), (alone, 1, r'use Perturbation\("alone"\)')):
        with pytest.raises(PerturbationError, match=remedy):
            entry.parameters(level)
    with pytest.raises(PerturbationError, match="nothing can be called"):
        law(again)


def test_the_catalogue_is_one_object_that_cannot_be_changed():
    assert shipped() is shipped()
    entry = SHIPPED["jpeg"]
    with pytest.raises(AttributeError):
        entry.name = "other"
    with pytest.raises(TypeError):
        entry.levels[0]["quality"] = 99
    with pytest.raises(TypeError):
        SHIPPED["new"] = entry


@pytest.mark.parametrize("entry", SHIPPED.values(), ids=lambda entry: entry.name)
def test_entries_come_back_from_plain_data_and_from_other_processes(entry):
    back = Entry.from_table(entry.name, json.loads(json.dumps(entry.table(), allow_nan=False)))
    assert back == entry
    assert hash(back) == hash(entry)
    assert pickle.loads(pickle.dumps(entry)) == copy.deepcopy(entry) == entry


@pytest.mark.parametrize("level", [-1, 0, 6, 2.0, "3", True, None])
def test_an_unknown_level_names_the_range(level):
    with pytest.raises(
        PerturbationError, match=r"of perturbation 'pixelate' does not exist\. Use an integer from 1 to 5"
    ):
        SHIPPED["pixelate"].parameters(level)


def test_errors_are_those_of_auditkit_and_value_errors():
    assert issubclass(PerturbationError, AuditkitError)
    assert issubclass(PerturbationError, ValueError)


def test_what_acts_is_told_from_what_is_only_said_about_it():
    entry = SHIPPED["jpeg"]
    table = entry.table()
    same = Entry.from_table("jpeg", table | {"label": "J", "rationale": "r", "source": "s", "law": "l", "hazard": "h"})
    assert same.acting() == entry.acting()
    for change in ({"version": "2"}, {"levels": table["levels"][:4]}, {"modalities": ["ct"]}, {"function": "a.b:c"}):
        assert Entry.from_table("jpeg", table | change).acting() != entry.acting()


def test_reading_the_catalogue_imports_the_standard_library_only():
    code = (
        "import sys; from auditkit.perturbations import shipped; shipped();"
        "print([m for m in ('numpy', 'scipy', 'PIL', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
