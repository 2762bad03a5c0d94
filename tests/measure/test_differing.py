"""Answers that differ, less those that differ when the same is asked again; by hand-made answers."""

import numpy as np
import pytest

from auditkit import Perturbation, differs
from auditkit.measure.columns import MAIN, REFUSED, SCORED, Column, Measurements
from auditkit.measure.effects import differing
from auditkit.vocabulary import Question
from tests.judge.build import images, judged, own, protocol

TASK = "options.degradation"
TURNED, AGAIN = Perturbation("options_reversed"), [Perturbation("again", 1), Perturbation("again", 2)]


def said(labels):
    """A column of labels; empty for a refusal."""
    outcomes = np.where(np.array([bool(label) for label in labels]), SCORED, REFUSED).astype(np.int8)
    return Column({MAIN: np.full(len(labels), np.nan)}, outcomes, np.array(labels, dtype=object))


def data(plain, turned, *again):
    question = Question(TASK, "direct")
    columns = {question: said(plain), question.under(TURNED): said(turned)}
    columns |= {question.under(p): said(labels) for p, labels in zip(AGAIN, again, strict=False)}
    return Measurements(images(len(plain)), columns)


def values(found, alike):
    [part] = protocol().resolved(differs(TURNED, alike=alike, task=TASK)).parts
    return differing(part, found)


def test_what_differs_when_asked_again_is_taken_off():
    found = data(
        ["none", "none", "blur", "blur", "none", ""],
        ["blur", "none", "noise", "blur", "", ""],
        ["none", "blur", "noise", "blur", "none", "none"],
        ["none", "none", "noise", "blur", "blur", ""],
    )
    assert values(found, ()).values.tolist() == [1, 0, 1, 0, 1, 0]
    assert values(found, AGAIN[:1]).values.tolist() == [1, -1, 0, 0, 1, -1]
    items = values(found, AGAIN)
    assert items.values.tolist() == [1, -0.5, 0, 0, 0.5, -0.5]
    assert (items.least, items.most) == (-1.0, 1.0)


@pytest.mark.parametrize("alike", [(), AGAIN[:1]])
def test_a_model_that_scatters_is_not_blamed_for_the_order(alike):
    """A third of 300 answers are anything at random, whatever is asked: many differ, and as many by noise."""
    rng = np.random.default_rng(3)

    def drawn():
        return np.where(rng.random(300) < 1 / 3, rng.choice(["none", "noise", "blur"], 300), "none").tolist()

    effect = differs(TURNED, alike=alike, task=TASK, family="mine")
    audit = judged(effect, data(drawn(), drawn(), drawn()), own(at_most=0.2))
    assert audit.verdict == ("PASS" if alike else "FAIL")
    assert abs(audit.estimate.value) < 0.06 or not alike
