"""Whole hospitals: the direct way into the columns, the models, the gate's counts and their summary."""

from __future__ import annotations

import math

import numpy as np
import pytest

from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.run.truths import truths_of
from auditkit.testing import Asked, Subjects, made_up_images, simulate
from auditkit.vocabulary import Perturbation, Question
from validation import gate, own
from validation.direct import measured
from validation.gate import MOVED, PLANTED, Hospital
from validation.hospitals import Biased, Fair
from validation.jobs import Job
from validation.setting import SHIPPED_PROTOCOL, images
from validation.summary import whole_gate
from validation.tables import GATE_PASS, of_gate, of_own

PROTOCOL = load_protocol(SHIPPED_PROTOCOL)
EFFECTS = gate.shipped(PROTOCOL)
DECIDE = [name for name in SHIPPED if not PROTOCOL.families[name].shown]
MANY = Subjects.of(made_up_images({"ct": 3000, "mr": 3000}))


def ask(model, condition=(), seed=1):
    return model.answer(Asked(MANY, Question("", "", condition), PROTOCOL.catalogue, seed))


@pytest.mark.parametrize("model", [Fair(8.5, refuses=0.05), Fair(12.0, "five levels")])
def test_scores_are_those_that_texts_are_read_to(model):
    records = made_up_images({"ct": 5, "xray": 4}, (1, 2))
    texts, columns = (how(model, records, EFFECTS, PROTOCOL, 3) for how in (simulate, measured))
    assert set(columns.asked()) == set(texts.asked())
    for question in texts.asked():
        one, other = texts.column(question), columns.column(question)
        assert one.outcomes.tolist() == other.outcomes.tolist(), question
        if question.task == "quality":  # the other tasks say something else, of which only the outcome is judged
            assert np.array_equal(one.scores, other.scores, equal_nan=True), question


def test_a_fair_model_falls_with_severity_and_by_nothing_else():
    model = Fair(6.0)
    clean, worst, said = (
        ask(model, c).scores for c in ((), (Perturbation("jpeg", 5),), (Perturbation(gate.LEVEL.id),))
    )
    n = len(clean)
    for scores, by in ((worst, -35.0), (said, 0.0)):
        change = scores - clean
        assert change.mean() == pytest.approx(by, abs=4 * change.std() / math.sqrt(n))
        assert change.std() == pytest.approx(6.0 * math.sqrt(2), rel=0.05)
    assert set(ask(Fair(6.0, "five levels")).scores.tolist()) <= {0.0, 25.0, 50.0, 75.0, 100.0}


def test_a_fair_model_knows_what_kind_of_image_it_is():
    """95 of 100, three fewer at severity 3; of a picture that shows nothing it says nothing that is right."""
    records = truths_of(made_up_images({"ct": 2000, "fundus": 2000}), SHIPPED["recognition_loss"](), PROTOCOL)
    subjects = Subjects.of(records)

    def right(*condition):
        asked = Asked(subjects, Question("modality", "direct", condition), PROTOCOL.catalogue, 1)
        said = Fair(6.0).answer(asked).texts
        letters = {"ct": "A", "fundus": "E"}
        return sum(said.get(i, "") == letters[record.modality] for i, record in enumerate(records)) / len(records)

    assert right() == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / 4000 * 1.5))
    assert right() - right(Perturbation("jpeg", 3)) == pytest.approx(0.03, abs=0.012)
    assert right(Perturbation("black")) == 0


def test_defects_move_what_they_say():
    fair = Fair(8.5, quality=50.0, spread=2.0)
    words = (Perturbation(gate.LEVEL.id),)
    clean = ask(fair).scores
    change = ask(Biased(fair, gate._says, shift=5.0), words).scores - clean
    assert change.mean() == pytest.approx(5.0, abs=4 * change.std() / math.sqrt(clean.size))
    jolted = ask(Biased(fair, gate._says, share=0.25), words).scores - clean
    assert jolted.mean() == pytest.approx(0.0, abs=4 * jolted.std() / math.sqrt(clean.size))
    assert jolted.var() == pytest.approx(2 * 8.5**2 + 0.25 * 40**2, rel=0.1)
    hidden = ask(Biased(fair, gate._says, share=0.25, hides=0.02), words).texts
    assert len(hidden) == 120
    assert np.abs(jolted[list(hidden)]).min() >= np.sort(np.abs(jolted))[-121]
    assert not ask(Biased(fair, gate._says, share=0.25, hides=0.02)).texts


def test_rows_have_names_that_can_be_read_back():
    rows = list(gate.rows())
    assert [Hospital.parse(str(row)) for row in rows] == rows
    assert len({str(row) for row in rows}) == len(rows)
    assert {row.model for row in rows} == {
        gate.FAIR,
        gate.REFUSING,
        gate.FAIR + gate.ONE,
        gate.REFUSING + gate.ONE,
        gate.FAIR + gate.FIVE,
        *PLANTED,
    }
    assert {(row.patients, row.sd) for row in rows} >= {(n, sd) for n in (100, 1000) for sd in (4.0, 6.0, 8.5, 12.0)}


def test_a_gate_is_counted_with_its_families():
    row = str(Hospital(400, 4.0))
    counts = gate.run(Job(gate.SUITE, row, 0, 1))
    assert counts["gate PASS"] == counts["metadata, PASS"] == counts["placebo, PASS"] == 1
    assert counts["metadata, audits"] == counts["metadata, audits PASS"] == 60
    assert counts["looking, audits PASS"] == 3  # black, grey and noise get 0 points
    # Four modalities are not of all the kinds that can be told apart: who guesses could not be told from who knows.
    kinds = {"recognition", "recognition_loss", "recognition_looking"}
    judged = {name.removesuffix(", audits") for name in counts if name.endswith(", audits")}
    assert judged == set(DECIDE) - kinds
    five = gate.run(Job(gate.SUITE, str(Hospital(400, 4.0, model=gate.FAIR + gate.FIVE)), 0, 1))
    assert {name.removesuffix(", audits") for name in five if name.endswith(", audits")} == set(DECIDE)
    assert five["recognition_looking, audits PASS"] == 3  # black, noise, and a picture of another kind
    few = str(Hospital(100, 4.0))
    short = gate.run(Job(gate.SUITE, few, 0, 1))
    assert short["gate INCONCLUSIVE"] == short["metadata, INCONCLUSIVE"] == 1  # 25 patients of a modality pass no mean
    planted = str(Hospital(200, 8.5, model=f"30 {MOVED}"))
    found = gate.run(Job(gate.SUITE, planted, 0, 4))
    assert found["FAIL"] + found.get("vs neutral INCONCLUSIVE", 0) >= 4
    every = {(gate.SUITE, row): counts, (gate.SUITE, few): short, (gate.SUITE, planted): found}
    tables = {table.title: table for table in of_gate(every)}
    assert {rate.claim for rate in tables[GATE_PASS].rates} == set(DECIDE) - kinds
    text = whole_gate(tables)
    assert "| 4 | whole | 1 | fair | 400 | 1.00 / 0.00 / 0.00 | nothing |" in text
    assert "| 4 | whole | 1 | fair | 400 |" in text
    assert f"| 30 {MOVED} | 200 | 8.5 | 4 |" in text


def test_only_the_audits_that_the_words_touch_are_judged():
    names = {effect.name for effect in gate.touched()}
    assert len(names) == 2
    assert all(name.startswith("demographics_operator.sex-female-vs") for name in names)


def test_a_family_of_ones_own_declares_all_its_parts():
    assert sum(len(effect.parts) for effect in own.effects()) == own.PARTS
    assert len({len(effect.parts) for effect in own.effects()}) == 3
    row = f"sd 12|{own.PARTS}|one part"
    counts = own.run(Job(own.SUITE, row, 0, 2))
    assert counts["decisions"] == 2 * 3  # all patients and two modalities
    (table,) = of_own({(own.SUITE, row): counts})
    assert {rate.claim for rate in table.rates} == {"any FAIL", "decisions PASS", "FAIL in part only"}
    assert images("1-12", 12, ("ct",))  # the layout of whole hospitals
    assert len(images("1-12", 12, ("ct",))) == 78
