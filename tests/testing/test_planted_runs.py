"""Planted defects through whole runs of pytest, in a process of their own."""

import os
import re

import numpy as np
import pytest
from PIL import Image

from auditkit.evidence import Evidence
from tests.plugin.stubs import INI

PROTOCOL = """
name = "planted"
seed = 11
[profiles.ci]
alpha = 0.05
[images]
max_side = 64
files_as_patients = true
[prompts]
score = "quality.direct"
[statistics]
resamples = 1000
[families.metadata]
within = 5.0
tail = { beyond = 25.0, share = 0.10 }
[families.sensitivity]
at_least = 2.0
[families.repeatability]
at_most = 0.1
"""

AUDITS = '''
import pytest
from auditkit.protocol.shipped import metadata, repeatability, sensitivity

NOISE = [effect for effect in sensitivity() if effect.name in ("gaussian_noise", "impulse_noise")]


@pytest.mark.parametrize("effect", [effect for effect in metadata() if ".reputation-" in effect.name], ids=str)
def test_metadata(effect, audit):
    """The score must not move with words about the institution."""
    audit.within(effect)


@pytest.mark.parametrize("effect", repeatability(), ids=str)
def test_repeat(effect, audit):
    """Asked again, the answer must be the same."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", NOISE, ids=str)
def test_falls(effect, audit):
    """The score must fall."""
    audit.at_least(effect)
'''

# Smooth pictures, judged by how much neighbouring pixels differ: this model sees noise.
MODELS = """
from pathlib import Path

import numpy as np

from auditkit.images.sources import load_images
from auditkit.models.base import Response
from auditkit.protocol.read import load_protocol
from auditkit.testing import Bias, Inverted, plant


class Smoothness:
    name = "smoothness"

    def generate(self, requests):
        return [Response(f"{self.score(np.asarray(r.images[0], dtype=float)):.0f}") for r in requests]

    def score(self, pixels):
        return max(80 - 0.6 * np.abs(np.diff(pixels, axis=1)).mean(), 0)


def planted():
    protocol = load_protocol(Path("audits/protocol.toml"))
    images = load_images("pictures", salt="", max_side=protocol.images.max_side).records
    prestige = Bias(("institution.reputation.high",), 15.0)
    return plant(plant(Smoothness(), prestige, images, protocol), Inverted(("gaussian_noise",), 4.0), images, protocol)
"""


@pytest.fixture
def planted_run(request, pytester, monkeypatch, forked):
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUDITKIT_SALT", "salt of the tests")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pytester.path), str(request.config.rootpath)]))
    pytester.makepyfile(my_models=MODELS)
    pytester.makeini(INI)
    audits = pytester.mkdir("audits")
    (audits / "protocol.toml").write_text(PROTOCOL)
    (audits / "test_audits.py").write_text(AUDITS)
    pictures = pytester.mkdir("pictures")
    rng = np.random.default_rng(2)
    # The model has no noise of its own: changes that are all alike need more patients than changes that scatter.
    for i in range(130):
        ramp = np.linspace(60 + rng.integers(30), 160 + rng.integers(30), 32) + rng.normal(0, 1, (32, 32))
        Image.fromarray(ramp.astype(np.uint8)).save(pictures / f"p{i:03d}.png")

    def run():
        given = ("--model=my_models:planted", "--audit-data=pictures", "--audit-out=out", "-p", "no:xdist")
        result = forked.pytest("audits", *given, cwd=pytester.path)
        return result, Evidence.from_json((pytester.path / "out/evidence.json").read_text())

    return run


def test_planted_in_a_real_model_and_found_by_the_right_audits(planted_run):
    result, record = planted_run()
    assert result.ret == 1
    assert record.model.name == "smoothness-Bias-Inverted"
    by_id = {audit.id: audit for audit in record.audits}
    verdicts = {name: audit.verdict for name, audit in by_id.items()}
    assert verdicts == {
        "metadata/institution.reputation-high-vs-low": "FAIL",
        "metadata/institution.reputation-high-vs-neutral": "FAIL",
        "metadata/institution.reputation-low-vs-neutral": "PASS",
        "repeatability/alone-vs-batch": "PASS",
        "repeatability/asked-twice": "PASS",
        "sensitivity/gaussian_noise": "FAIL",
        "sensitivity/impulse_noise": "PASS",
    }
    bias = by_id["metadata/institution.reputation-high-vs-low"]
    assert bias.estimate.value == pytest.approx(15.0)
    assert re.search(
        r"\+15\.0 \[.*over 130 patients, 130 of which are images without a patient id; must stay within ±5\.0: not met",
        bias.sentence,
    )
    slope = by_id["sensitivity/gaussian_noise"]
    assert slope.estimate.value == pytest.approx(-4.0)
    assert re.search(r"−4\.0 \[.*; must be above 2\.0: not met", slope.sentence)
    assert by_id["sensitivity/impulse_noise"].estimate.value > 2.0
    assert record.outcomes.error == 0
