"""The order of images and audits, and which others are run, do not move an estimate or a verdict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.measure.columns import MAIN, Column, Measurements
from auditkit.protocol.effects import change, share
from auditkit.protocol.shipped import discrimination, metadata, repeatability, sensitivity, templates
from auditkit.testing import NOISES, FairReader, audit_all, made_up_images, simulate
from auditkit.vocabulary import Perturbation
from tests.judge.build import protocol

RULES = protocol(statistics={"resamples": 1000})
X, P = Perturbation("pixelate", 5), Perturbation("institution.reputation.high")
EFFECTS = [
    *metadata()[:4],
    *sensitivity()[:2],
    *discrimination()[:2],
    *templates(),
    *repeatability()[:1],
    share("lost", family="answers"),
    change(X, P).minus(change(X)).minus(change(P)).named("interaction", "metadata"),
]
RECORDS = made_up_images({"ct": 34, "mr": 30}, (1, 2, 1))
DATA = simulate(FairReader(noise=NOISES["noisy"]), RECORDS, EFFECTS, RULES, 11)
WHOLE = audit_all(DATA, EFFECTS, RULES)


def permuted(order):
    columns = {question: DATA.column(question) for question in DATA.asked()}
    moved = {q: Column({MAIN: c.scores[order]}, c.outcomes[order]) for q, c in columns.items()}
    return Measurements([RECORDS[i] for i in order], moved)


@given(st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_order_of_images_and_audits(random):
    order = list(range(len(RECORDS)))
    random.shuffle(order)
    effects = EFFECTS[:]
    random.shuffle(effects)
    assert audit_all(permuted(np.array(order)), effects, RULES) == WHOLE


@given(st.sets(st.sampled_from(range(len(EFFECTS))), min_size=1))
@settings(max_examples=10)
def test_any_subset_of_the_audits(chosen):
    some = [EFFECTS[i] for i in sorted(chosen)]
    for name, audit in audit_all(DATA, some, RULES).items():
        whole = WHOLE[name]
        assert audit.estimate == whole.estimate
        for cell, other in zip(audit.parts, whole.parts, strict=True):
            assert cell.estimate == other.estimate
            assert (cell.p_pass, cell.p_fail) == (other.p_pass, other.p_fail)
            assert (cell.p_fail_holm or 0) >= (other.p_fail_holm or 0)
            if cell.verdict != other.verdict:
                assert (cell.verdict, other.verdict) == ("INCONCLUSIVE", "FAIL")
