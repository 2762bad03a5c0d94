"""The catalogue: ImageNet-C's parameters, and nothing heavy to read them."""

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.perturbations import VERSION, CorruptionError, _entry, catalogue, corruption

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
    entry = corruption(name)
    assert entry.tier == "imagenet_c"
    assert [tuple(level.values()) for level in entry.levels] == IMAGENET_C[name]
    assert "ImageNet-C" in entry.source


def test_tiers_say_whose_parameters_they_are():
    ours = {name for name, entry in catalogue().items() if entry.tier == "auditkit"}
    assert ours == {"brightness_down", "contrast_up"}
    assert set(catalogue()) == ours | set(IMAGENET_C)


def test_both_directions_of_brightness_and_contrast():
    up, down = corruption("brightness"), corruption("brightness_down")
    assert [level["shift"] for level in down.levels] == [-level["shift"] for level in up.levels]
    assert all(level["gain"] < 1 for level in corruption("contrast").levels)
    assert all(level["gain"] > 1 for level in corruption("contrast_up").levels)


@pytest.mark.parametrize("entry", catalogue().values(), ids=str)
def test_every_entry_is_complete_and_its_function_is_there(entry):
    assert entry == corruption(entry.name)
    for text in (entry.label, entry.law, entry.rationale, entry.source):
        assert text.strip() == text
        assert len(text) > 5
    module, _, function = entry.function.partition(":")
    law = getattr(import_module(f"auditkit.perturbations.{module}"), function)
    for level in entry.levels:
        result = law(np.full((16, 16), 90, np.uint8), b"key", **level)
        assert result.shape == (16, 16)


def test_entries_can_be_hashed_and_not_changed():
    entry = corruption("jpeg")
    assert hash(entry) == hash(corruption("jpeg"))
    with pytest.raises(AttributeError):
        entry.name = "other"
    with pytest.raises(TypeError):
        entry.levels[0]["quality"] = 99
    with pytest.raises(TypeError):
        catalogue()["new"] = entry


def test_unknown_name_lists_the_names_there_are():
    with pytest.raises(CorruptionError, match=r"no corruption 'blur'.*gaussian_noise.*jpeg") as caught:
        corruption("blur")
    assert isinstance(caught.value, AuditkitError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("severity", [-1, 0, 6, 2.0, "3", True, None])
def test_unknown_severity_names_the_range(severity):
    with pytest.raises(CorruptionError, match=r"of corruption 'pixelate' does not exist\. Use an integer from 1 to 5"):
        corruption("pixelate").level(severity)


GOOD = {
    "label": "Label",
    "tier": "auditkit",
    "function": "noise:name",
    "law": "law",
    "rationale": "reason",
    "source": "source",
    "levels": [{"sd": value} for value in (1, 2, 3, 4, 5)],
}


def test_a_good_entry_is_read():
    assert _entry("new", GOOD).level(5) == {"sd": 5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "has the keys"),
        ({"label": ""}, "has the keys"),
        ({"label": 3}, "has the keys"),
        ({"tier": "mine"}, "tier = 'mine'"),
        ({"levels": GOOD["levels"][:4]}, "five tables"),
        ({"levels": [*GOOD["levels"][:4], {"radius": 1}]}, "five tables"),
        ({"levels": "strong"}, "five tables"),
    ],
)
def test_a_slip_in_the_catalogue_is_named(change, message):
    with pytest.raises(CorruptionError, match=rf"\[new\].*{message}|{message}"):
        _entry("new", GOOD | change)


def test_a_missing_key_is_named():
    with pytest.raises(CorruptionError, match="It needs"):
        _entry("new", {key: value for key, value in GOOD.items() if key != "rationale"})


def test_reading_the_catalogue_imports_the_standard_library_only():
    code = (
        "import sys; from auditkit.perturbations import catalogue; catalogue();"
        "print([m for m in ('numpy', 'scipy', 'PIL', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version_is_text():
    assert isinstance(VERSION, str)
    assert VERSION
