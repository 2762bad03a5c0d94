"""New patients every month: one band over all of them, each counted once."""

import numpy as np
import pytest

from auditkit.measure.effects import per_item
from auditkit.measure.recorded import effect_from, from_answers
from auditkit.records.history import history, of_model, search
from auditkit.stats.anytime import bounds
from auditkit.testing import made_up_images
from tests.records.history.conftest import WORDS
from tests.records.history.made_up import JUMPING, Version, run, write

JUMPED = "metadata/institution.teaching-high-vs-low"
CALM = "metadata/institution.income-high-vs-low"


def months(protocol, moved, patients=90, overlap=0):
    """Runs of one version on patients of their own; the first `overlap` of a month were there the month before."""
    every = made_up_images({"ct": patients * len(moved)})
    same = {"revision": "v1", "fingerprint": "00000001"}
    for number, points in enumerate(moved, 1):
        start = (number - 1) * patients
        images = every[max(0, start - overlap) : start + patients]
        made = run(number, Version(number, ((JUMPING, points),)), protocol, images=images, effects=WORDS)
        yield made.model_copy(update={"model": made.model.model_copy(update=same)})


def monitored(folder, evidences):
    for evidence in evidences:
        write(evidence, folder)
    searched = search(folder)
    return history(of_model(searched, None)[0], folder, monitor=True)


@pytest.fixture(scope="module")
def worse(tmp_path_factory, protocol):
    evidences = list(months(protocol, [0.0, 20.0, 20.0, 20.0]))
    return evidences, monitored(tmp_path_factory.mktemp("months"), evidences)


def test_a_large_change_is_found_and_what_stays_is_not(worse):
    _, found = worse
    own = {audit.id: audit for audit in found.monitored}
    assert own[JUMPED].beyond in (2, 3, 4)  # 20 points from the second month on, of 5 allowed
    assert own[JUMPED].since in (1, 2)
    assert own[CALM].beyond == 0
    assert own[JUMPED].margin_high == 5.0
    assert any("1 audit is beyond the limit: Metadata: Teaching" in sentence for sentence in found.sentences)


def test_the_band_is_that_of_all_patients_so_far(worse, protocol):
    evidences, found = worse
    values = []
    for evidence, point in zip(evidences, next(a for a in found.monitored if a.id == CALM).points, strict=True):
        effect = protocol.resolved(effect_from(next(a for a in evidence.audits if a.id == CALM)))
        data = from_answers(evidence.answers)
        names = [item.cluster for item in evidence.answers.items]
        one = dict(zip(names, per_item(effect.parts[0], data, protocol).values.tolist(), strict=True))
        values += [one[name] for name in sorted(one)]
        low, high = bounds(np.array(values), -100.0, 100.0, protocol.alpha / 2)
        assert (point.low, point.mean, point.high) == pytest.approx((low, np.mean(values), high), abs=1e-6)
        assert (point.n_new, point.n_clusters) == (90, len(values))


def test_a_patient_counts_once(tmp_path, protocol):
    found = monitored(tmp_path, months(protocol, [0.0, 0.0], patients=30, overlap=10))
    assert [(p.n_new, p.n_clusters) for p in found.monitored[0].points] == [(30, 30), (30, 60)]


def test_the_same_patients_again_say_nothing_new(tmp_path, protocol, versions):
    same = {"revision": "v1", "fingerprint": "00000001"}
    again = [e.model_copy(update={"model": e.model.model_copy(update=same)}) for e in versions[:2]]
    found = monitored(tmp_path, again)
    first, second = found.monitored[0].points
    assert (second.n_new, second.low, second.high) == (0, first.low, first.high)
    assert any("only run 1 has any" in sentence for sentence in found.sentences)


def test_another_version_begins_again(tmp_path, protocol, versions):
    found = monitored(tmp_path, versions[:3])
    assert [point.run for point in found.monitored[0].points] == [3]


def test_without_the_option_nothing_is_shown(tmp_path, versions):
    for evidence in versions[:2]:
        write(evidence, tmp_path)
    found = history(of_model(search(tmp_path), None)[0], tmp_path)
    assert found.monitored == []
    assert not any(sentence.startswith("New patients") for sentence in found.sentences)
