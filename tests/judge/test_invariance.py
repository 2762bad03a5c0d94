"""The order of images and audits, and which others are run, do not move an estimate or a verdict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.measure.columns import Column, Measurements
from auditkit.protocol.shipped import (
    discrimination_series,
    metadata_contrasts,
    repeatability_contrasts,
    sensitivity_series,
    template_wordings,
)
from auditkit.testing import NOISES, FairReader, audit_all, made_up_images, simulate
from tests.judge.build import protocol

RULES = protocol(statistics={"resamples": 1000})
COMPARISONS = [
    *metadata_contrasts()[:4],
    *sensitivity_series()[:2],
    *discrimination_series()[:2],
    *template_wordings(),
    *repeatability_contrasts()[:1],
]
RECORDS = made_up_images({"ct": 34, "mr": 30}, (1, 2, 1))
DATA = simulate(FairReader(noise=NOISES["noisy"]), RECORDS, COMPARISONS, RULES, 11)
WHOLE = audit_all(DATA, COMPARISONS, RULES)


def permuted(order):
    columns = {key: DATA.column(*key) for key in DATA.asked()}
    moved = {key: Column(c.scores[order], c.outcomes[order]) for key, c in columns.items()}
    return Measurements([RECORDS[i] for i in order], moved, {})


@given(st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_order_of_images_and_audits(random):
    order = list(range(len(RECORDS)))
    random.shuffle(order)
    comparisons = COMPARISONS[:]
    random.shuffle(comparisons)
    assert audit_all(permuted(np.array(order)), comparisons, RULES) == WHOLE


@given(st.sets(st.sampled_from(range(len(COMPARISONS))), min_size=1))
@settings(max_examples=10, deadline=None)
def test_any_subset_of_the_audits(chosen):
    some = [COMPARISONS[i] for i in sorted(chosen)]
    for name, audit in audit_all(DATA, some, RULES).items():
        whole = WHOLE[name]
        assert audit.estimate == whole.estimate
        for cell, other in zip(audit.by_modality, whole.by_modality, strict=True):
            assert cell.estimate == other.estimate
            assert (cell.p_pass, cell.p_fail) == (other.p_pass, other.p_fail)
            assert (cell.p_fail_holm or 0) >= (other.p_fail_holm or 0)
            if cell.verdict != other.verdict:
                assert (cell.verdict, other.verdict) == ("INCONCLUSIVE", "FAIL")
