"""Perception by level of degradation, from the tables of MedQ-Deg to the verdicts."""

import base64
import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit import load_protocol, medq
from auditkit.ask.plan import check_effects
from auditkit.images.sources import load_images
from auditkit.judge.judge import Judge
from auditkit.judge.procedures import check_limits
from auditkit.run.truths import columns_of_tasks
from tests.run.rounds import Answers, ask_all

SHIPPED = load_protocol(Path(__file__).parents[2] / "packs/medq/protocol.toml")
RULES = SHIPPED.model_copy(update={"statistics": SHIPPED.statistics.model_copy(update={"resamples": 1000})})
N, FEW = 60, 4
FAMILIES = ("degraded_accuracy", "degraded_skill", "degraded_loss")
OFFSET = 1000
"""From a picture's seed to that of its next level."""


def shown(seed):
    return np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)


def row(seed, number, kind="", level=""):
    """One row of a table, as MedQ-Deg writes it."""
    stream = io.BytesIO()
    Image.fromarray(shown(seed)).save(stream, "PNG")
    asked = {"question": "Is there a lesion?", "A": "Yes", "B": "No", "answer": right(number), "modality": "CT"}
    done = {"degradation_type": kind, "degradation_severity": level, "source": f"s{number}"}
    return {"index": seed, **asked, "image": base64.b64encode(stream.getvalue()).decode(), **done}


def write(path, rows):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def items(tmp_path):
    """Sixty clean pictures with two levels of noise; of four of them there are bubbles, at the first level only."""
    write(tmp_path / "MedQ-Robust-good-test.tsv", [row(i, i) for i in range(N)])
    noisy = [(level, i) for i in range(N) for level in medq.LEVELS]
    rows = [row(level * OFFSET + i, i, "Gaussian noise", f"L{level}") for level, i in noisy]
    rows += [row(5 * OFFSET + i, i, "bubble", "1") for i in range(FEW)]
    write(tmp_path / "MedQ-Robust-simulate-test.tsv", rows)
    effects = [effect for family in FAMILIES for effect in medq.FAMILIES[family]()]
    images = load_images(str(tmp_path), salt="salt", columns=columns_of_tasks(effects, RULES))
    assert not images.left_out
    return images.records


def right(i):
    return "AB"[i % 2]


def test_every_effect_can_be_asked_and_keeps_to_its_limits():
    for family in FAMILIES:
        made = medq.FAMILIES[family]()
        check_effects(made, SHIPPED)
        check_limits(made, SHIPPED)
        declared = SHIPPED.families[family]
        assert declared.shown or declared.size == sum(len(effect.parts) for effect in made)


def test_right_answers_are_counted_level_by_level(items, store):
    """Always right as it is, wrong in a tenth at the first level and in three quarters at the second."""
    seeds = [level * OFFSET + i for i in range(N) for level in (0, *medq.LEVELS)] + [5 * OFFSET + i for i in range(FEW)]
    of = {shown(seed).tobytes(): seed for seed in seeds}

    def answer(request):
        level, i = divmod(of[np.asarray(request.images[0].convert("L")).tobytes()], OFFSET)
        wrong = (level == 1 and i % 10 == 0) or (level == 2 and i % 4 > 0)
        return "BA"["AB".index(right(i))] if wrong else right(i)

    named = ("gaussian-noise", "bubble", "as-it-is")
    effects = [e for family in FAMILIES for e in medq.FAMILIES[family]() if e.name.endswith(named)]
    model = Answers("model", answer)
    data, _ = ask_all(store, items, effects, {"model": model}, RULES)
    assert len(model.asked) == N * 3 + FEW
    judge = Judge(RULES, data, effects)
    found = {effect.name: judge.audit(effect, "?") for effect in effects}

    def by_level(name):
        return {part.part: part for part in found[name].parts if part.stratum.level == "ct"}

    assert by_level("right-as-it-is")[""].estimate.value == 1.0
    noise = by_level("right-under-gaussian-noise")
    assert {label: part.estimate.value for label, part in noise.items()} == {"severity 1": 0.9, "severity 2": 0.25}
    # Of two options half of all guesses are right: 90 % are 0.8 of the way, 25 % as far on the other side as 75 %.
    skill = by_level("skill-under-gaussian-noise")
    assert {label: (part.estimate.value, part.verdict) for label, part in skill.items()} == {
        "severity 1": (pytest.approx(0.8), "PASS"),
        "severity 2": (pytest.approx(-0.5), "FAIL"),
    }
    loss = by_level("lost-to-gaussian-noise")
    assert loss["severity 0 to 1"].estimate.value == pytest.approx(0.1)
    assert loss["severity 1 to 2"].estimate.value == pytest.approx(0.65)
    assert {part.n_images for part in loss.values()} == {N}
    # Four pictures decide nothing, though all answers are right; of the level that no picture has there is no number.
    few = by_level("skill-under-bubble")
    assert (few["severity 1"].estimate.value, few["severity 1"].n_images) == (1.0, FEW)
    assert found["skill-under-bubble"].verdict == "INCONCLUSIVE"
    assert "severity 2" not in by_level("right-under-bubble")
