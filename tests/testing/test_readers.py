"""Made-up questions, answers and noise: seeded, independent of process and company, and unbiased."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.testing import (
    NOISES,
    Asked,
    FairReader,
    Noise,
    Planted,
    Replies,
    Subjects,
    Unsteady,
    audit_all,
    made_up_images,
    questions,
    simulate,
)
from auditkit.testing.questions import generator
from auditkit.testing.readers import FIVES, STICKY, disturbed, on_levels
from auditkit.vocabulary import Perturbation, Question


@settings(max_examples=40)
@given(score=st.floats(0, 100), levels=st.sampled_from([FIVES, STICKY, (0.0, 50.0, 100.0)]))
def test_levels_keep_the_expectation(score, levels):
    rng = np.random.default_rng(int(score * 1e6))
    put = on_levels(np.full(4000, score), levels, rng)
    assert set(put) <= set(levels)
    low, high = max(v for v in levels if v <= score), min(v for v in levels if v >= score)
    assert set(put) <= {low, high}
    p = (score - low) / (high - low) if high > low else 0.0
    assert abs(put.mean() - score) <= 5 * (high - low) * np.sqrt(p * (1 - p) / put.size) + 1e-9


@pytest.mark.parametrize("name", NOISES)
def test_noise_moves_no_mean_and_has_its_spread(name, ask):
    noise = NOISES[name]
    asked = ask(4000)
    off = disturbed(np.full(4000, 55.0), noise, asked) - 55.0
    assert abs(off.mean()) <= 4 * max(off.std(), 0.001) / np.sqrt(off.size) * (1 + noise.shared * 2)
    paired = disturbed(np.full(4000, 55.0), noise, ask(4000, Perturbation("jpeg", 1))) - 55.0 - off
    documented = {"none": 0.0, "fine": 5.7, "discrete": 6.6, "noisy": 14.6}
    if name in documented:
        assert paired.std() == pytest.approx(documented[name], rel=0.05, abs=1e-9)
    if name == "sparse":
        assert np.mean(paired == 0) == pytest.approx(0.96, abs=0.02)


def test_images_of_a_patient_share_their_part_of_the_noise(ask):
    noise = Noise(sd=10.0, shared=0.3)
    asked = ask(3000, per_patient=(2,))
    off = disturbed(np.full(6000, 50.0), noise, asked) - 50.0
    order = np.argsort(asked.subjects.patient_codes(), kind="stable")
    pairs = off[order].reshape(-1, 2)
    assert np.corrcoef(pairs.T)[0, 1] == pytest.approx(0.3, abs=0.06)


def test_a_fair_reader_falls_and_nothing_else_moves_it(ask):
    reader = FairReader(noise=NOISES["none"])
    clean = reader.answer(ask(200)).scores
    assert np.allclose(reader.answer(ask(200, Perturbation("jpeg", 3))).scores, clean - 21.0)
    two = reader.answer(ask(200, Perturbation("jpeg", 3), Perturbation("pixelate", 1))).scores
    assert np.allclose(two, clean - 28.0)
    for other in (Perturbation("institution.reputation.high"), Perturbation("again", 2), Perturbation("alone")):
        assert np.array_equal(reader.answer(ask(200, other)).scores, clean)
    assert np.array_equal(reader.answer(ask(200, words="quality.reader")).scores, clean)


def test_questions_draw_apart_and_repeats_do_not(ask):
    asked = ask(50)
    first = asked.draw("a").random(5)
    assert np.array_equal(first, ask(50).draw("a").random(5))
    for other in (ask(50, seed=1), ask(50, Perturbation("jpeg", 1)), ask(50, words="quality.reader")):
        assert not np.array_equal(first, other.draw("a").random(5))
    assert not np.array_equal(first, asked.draw("b").random(5))
    again = ask(50, Perturbation("again", 1))
    alone = ask(50, Perturbation("alone"))
    assert np.array_equal(first, again.draw("a").random(5))
    assert np.array_equal(first, alone.draw("a").random(5))
    assert not np.array_equal(first, again.draw("a", again=True).random(5))
    assert not np.array_equal(first, alone.draw("a", again=True).random(5))


def test_draws_are_named_by_condition_and_wording(ask, monkeypatch):
    """Golden counts rest on these strings: a change of them is a change of every made-up answer."""
    seen = []
    monkeypatch.setattr(questions, "generator", lambda *names: seen.append(names))
    asked = ask(2, Perturbation("alone"), Perturbation("again", 1), Perturbation("jpeg", 2), words="rating.reader")
    asked.draw("a", "b")
    asked.draw("a", again=True)
    assert seen == [
        (0, "a", "b", "jpeg-s2", "rating.reader", "", ""),
        (0, "a", "jpeg-s2+alone+again-s1", "rating.reader", "", ""),
    ]


def test_traits_are_uniform_and_do_not_depend_on_company(ask, protocol):
    asked = ask(3000, per_patient=(1, 2))
    traits = asked.traits("t")
    assert stats.kstest(np.unique(traits), "uniform").pvalue > 1e-3
    assert len(np.unique(traits)) == 3000
    for patient in set(asked.subjects.patients[:20]):
        assert len(set(traits[asked.subjects.patients == patient])) == 1
    some = Subjects(asked.subjects.ids[:7], asked.subjects.patients[:7], asked.subjects.modalities[:7])
    assert np.array_equal(
        Asked(some, Question().under(Perturbation("jpeg", 2)), protocol.catalogue, 0).traits("t"), traits[:7]
    )
    assert not np.array_equal(asked.traits("u"), traits)


def test_replies_with_texts_keep_earlier_ones():
    replies = Replies(np.array([1.0, 2.0, 3.0]), {0: "a"}).where(np.array([False, True, False]), "b")
    assert replies.texts == {0: "a", 1: "b"}
    assert replies.shifted(2.0).scores.tolist() == [3.0, 4.0, 5.0]
    assert replies.shifted(2.0).texts == replies.texts


def test_made_up_images_have_patients_and_pixels():
    records = made_up_images({"ct": 4, "xray": 2}, per_patient=(1, 3))
    assert [r.id for r in records] == sorted(r.id for r in records)
    assert len({r.id for r in records}) == len(records) == 12
    assert len({r.cluster for r in records}) == 6
    assert {r.modality for r in records} == {"ct", "xray"}
    assert records == made_up_images({"ct": 4, "xray": 2}, per_patient=(1, 3))
    pixels = records[0].pictures[0].read()
    assert pixels.shape == (48, 48)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, records[0].pictures[0].read())


SCRIPT = """
import hashlib, sys
from auditkit.protocol.catalogue import Catalogue
from auditkit.testing import *
from auditkit.vocabulary import Perturbation, Question
records = made_up_images({"ct": 20}, (1, 2))
planted = Planted(FairReader(), HidesChanges(("institution.reputation.high",), 0.5, 10.0))
planted = Planted(planted, Unsteady(0.3))
parts = []
catalogue = Catalogue.of({}, {}, "quality.direct")
said = Perturbation("institution.reputation.high"), Perturbation("again", 1)
for condition in ((), (Perturbation("jpeg", 4),), said):
    replies = planted.answer(Asked(Subjects.of(records), Question(condition=condition), catalogue, 5))
    parts += [replies.scores.tobytes(), repr(sorted(replies.texts.items())).encode()]
print(hashlib.sha256(b"".join(parts)).hexdigest())
"""


def test_equal_seeds_give_equal_answers_in_every_process(capsys):
    exec(compile(SCRIPT, "script", "exec"), {})
    here = capsys.readouterr().out
    environment = {**os.environ, "PYTHONHASHSEED": "1234", "TZ": "Asia/Tokyo"}
    there = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
    ).stdout
    assert len(here.strip()) == 64
    assert here == there


def test_simulations_with_equal_seeds_agree_and_others_do_not(quick, effects, images):
    chosen = [effect for effect in effects if effect.family in ("metadata", "repeatability")]
    planted = Planted(FairReader(), Unsteady(0.3))
    data = [simulate(planted, images(24), chosen, quick, seed) for seed in (1, 1, 2)]
    first, same, other = (d.column(quick.resolve(Question().under(Perturbation("again", 1)))).scores for d in data)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert audit_all(data[0], chosen, quick) == audit_all(data[1], chosen, quick)


def test_generators_depend_on_every_name():
    drawn = {generator(seed, *names).integers(2**60) for seed in (0, 1) for names in ((), ("a",), ("a", "b"), ("ab",))}
    assert len(drawn) == 8
