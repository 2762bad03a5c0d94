"""What a history says: drift, what got worse when, and what changed beside the model."""

import numpy as np
import pytest
from scipy import stats

from auditkit.measure.effects import per_item
from auditkit.measure.recorded import effect_from, from_answers
from auditkit.records.history.series import turned
from auditkit.records.history.trends import weights_of
from auditkit.stats.reduce import cluster_means
from tests.records.history.conftest import IMAGES, WORDS, written
from tests.records.history.made_up import DRIFTING, JUMPING, Version, other_limit, run

DRIFTED = "metadata/institution.reputation-high-vs-low"
JUMPED = "metadata/institution.teaching-high-vs-low"
CALM = "metadata/institution.income-high-vs-low"


def audit(found, identifier):
    return next(one for one in found.audits if one.id == identifier)


@pytest.fixture(scope="module")
def found(tmp_path_factory, versions):
    return written(tmp_path_factory.mktemp("reports"), versions)


def test_a_drift_of_half_the_margin_over_ten_versions_is_named_though_no_verdict_moved(found):
    assert {run.verdict for run in found.runs} <= {"PASS", "INCONCLUSIVE"}
    assert [event for event in found.events if event.kind == "interval"] == []
    trend = audit(found, DRIFTED).trend
    assert trend.slow
    assert trend.direction == "worse"
    assert trend.estimate.low < 2.5 < trend.estimate.high
    assert trend.of_limit == pytest.approx(abs(trend.estimate.value) / 5.0, abs=1e-5)
    assert trend.runs == list(range(1, 11))
    [said] = [sentence for sentence in found.sentences if sentence.startswith("Slow drift: ")]
    assert "Metadata: Reputation: high vs low: drifts for the worse" in said
    for other in (JUMPED, CALM):
        assert not audit(found, other).trend.named


def test_the_line_is_that_of_least_squares_through_the_patients_means(found, versions, protocol):
    """The rise, its error and the line's fit, by a route of their own: scipy's regression, patient by patient."""
    measured = []
    for evidence in versions:
        own = next(a for a in evidence.audits if a.id == DRIFTED)
        effect, data = protocol.resolved(effect_from(own)), from_answers(evidence.answers)
        measured.append(cluster_means(per_item(effect.parts[0], data, protocol).values[:, None], data.cluster)[:, 0])
    by_patient = np.stack(measured)
    slopes = [stats.linregress(range(10), column).slope * 9 for column in by_patient.T]
    trend = audit(found, DRIFTED).trend
    assert trend.estimate.value == pytest.approx(np.mean(slopes), abs=1e-6)
    t = stats.ttest_1samp(slopes, 0.0).confidence_interval(0.9)
    assert trend.estimate.low <= t.low + 1e-6
    assert trend.estimate.high >= t.high - 1e-6
    means = by_patient.mean(axis=1)
    assert trend.means == pytest.approx(means.tolist(), abs=1e-6)
    line = stats.linregress(range(10), means)
    assert trend.fit == pytest.approx(line.rvalue**2, abs=1e-5)
    assert trend.start == pytest.approx(line.intercept, abs=1e-5)


def test_weights_are_the_rise_of_a_line():
    rng = np.random.default_rng(3)
    for versions in ([1, 2, 3], [1, 1, 2, 3, 5], list(range(1, 11))):
        values = rng.normal(size=len(versions))
        slope = stats.linregress(versions, values).slope
        assert weights_of(versions) @ values == pytest.approx(slope * (versions[-1] - versions[0]))


def test_the_anchor_is_shown_over_time(found, versions):
    assert [run.anchor for run in found.runs] == ["", *[versions[0].run.id] * 9]
    assert [run.anchor_run for run in found.runs] == [0, *[1] * 9]
    own = next(one for one in found.anchored if one.id == f"anchor/{DRIFTED}")
    assert [point.run for point in own.points] == list(range(2, 11))
    assert [point.joined for point in own.points] == [False, *[True] * 8]
    recorded = [next(a for a in e.audits if a.id == own.id).estimate.value for e in versions[1:]]
    assert [point.estimate.value for point in own.points] == recorded
    assert all(point.margin_high == 5.0 for point in own.points)
    assert not any(one.family == "anchor" for one in found.audits)
    assert sum(found.runs[-1].counts.values()) == 3


def test_another_anchor_is_another_line(tmp_path, versions):
    last = versions[4].model_copy(
        update={"references": [versions[4].references[0].model_copy(update={"evidence_sha256": "00" * 32})]}
    )
    [own] = [a for a in written(tmp_path, [*versions[:4], last]).anchored if a.id == f"anchor/{DRIFTED}"]
    assert [(p.joined, p.apart) for p in own.points] == [
        (False, ""),
        (True, ""),
        (True, ""),
        (False, "another anchor"),
    ]


def test_a_jump_is_an_event_of_its_run_and_no_slow_drift(tmp_path, protocol):
    moved = [((JUMPING, 12.0),) if number >= 3 else () for number in range(1, 6)]
    runs = [run(n, Version(n, m), protocol, images=IMAGES, effects=WORDS) for n, m in enumerate(moved, 1)]
    found = written(tmp_path, runs)
    assert [(e.kind, e.audit, e.run, e.before, e.direction, e.caveat) for e in found.events] == [
        ("verdict", JUMPED, 3, 2, "worse", ""),
        ("interval", JUMPED, 3, 2, "worse", ""),
    ]
    trend = audit(found, JUMPED).trend
    assert trend.named
    assert trend.jumps == [3]
    assert not trend.slow
    assert (
        "Worse first in run 3, with nothing but the model changed: Metadata: Teaching: high vs low." in found.sentences
    )
    assert not any(sentence.startswith("Slow drift") for sentence in found.sentences)


def test_against_the_anchor_a_fail_is_told_once(tmp_path, protocol):
    first = run(1, Version(1), protocol, images=IMAGES, effects=WORDS)
    later = [
        run(n, Version(n, ((JUMPING, 15.0),)), protocol, images=IMAGES, effects=WORDS, anchor=first) for n in (2, 3)
    ]
    against = [event for event in written(tmp_path, [first, *later]).events if event.kind == "anchor"]
    assert [(e.audit, e.run, e.before, e.title) for e in against] == [(JUMPED, 2, 1, "Teaching: high vs low")]


def test_another_limit_does_not_part_the_line_and_is_the_caveat_of_a_verdict(tmp_path, protocol, versions):
    strict = other_limit(protocol, within=1.0)
    found = written(tmp_path, [*versions[:2], run(3, Version(3), strict, images=IMAGES, effects=WORDS)])
    assert [p.letter for p in found.protocols] == ["A", "B"]
    assert found.protocols[1].changes == ["families.metadata.within: 5.0, now 1.0"]
    own = audit(found, CALM)
    assert [(p.joined, p.limits_moved, p.margin_high) for p in own.points] == [
        (False, False, 5.0),
        (True, False, 5.0),
        (True, True, 1.0),
    ]
    [event] = [e for e in found.events if e.audit == CALM and e.kind == "verdict"]
    assert event.caveat == "families.metadata.within: 5.0, now 1.0"
    assert own.trend is not None
    assert any("The protocol changed: B from run 3" in note for note in found.notes)
    assert any("where data or criteria changed too" in sentence for sentence in found.sentences)


@pytest.mark.parametrize("what", ["seed", "wording", "definition"])
def test_where_the_effect_was_declared_otherwise_the_line_is_parted(tmp_path, protocol, versions, what):
    if what == "seed":
        last = run(4, Version(4), protocol.model_copy(update={"seed": 1}), images=IMAGES, effects=WORDS)
    else:
        last = versions[3]
        info = last.protocol
        if what == "wording":
            entries = {**info.entries, "wording quality.direct": "0" * 64}
            last = last.model_copy(
                update={"protocol": info.model_copy(update={"sha256": "1" * 64, "entries": entries})}
            )
        else:
            other = next(a for a in last.audits if a.id == CALM).definition
            audits = [a.model_copy(update={"definition": other}) if a.id == DRIFTED else a for a in last.audits]
            last = last.model_copy(update={"audits": audits})
    own = audit(written(tmp_path, [*versions[:3], last]), DRIFTED)
    assert [p.joined for p in own.points] == [False, True, True, False]
    said = {"seed": "seed: ", "wording": "another wording quality.direct", "definition": "is defined otherwise"}
    assert said[what] in own.points[-1].apart
    assert own.trend.runs == [1, 2, 3]


def test_a_perturbation_that_an_audit_does_not_use_leaves_its_line_whole(tmp_path, versions):
    info = versions[2].protocol
    entries = {**info.entries, "perturbation pixelate": "0" * 64}
    last = versions[2].model_copy(update={"protocol": info.model_copy(update={"sha256": "1" * 64, "entries": entries})})
    found = written(tmp_path, [*versions[:2], last])
    assert [p.joined for p in audit(found, DRIFTED).points] == [False, True, True]
    assert found.protocols[1].changes == ["defined otherwise, added or left out: perturbation pixelate"]


def test_other_data_are_marked_and_never_joined(tmp_path, protocol, versions):
    other = run(4, Version(4, ((JUMPING, 12.0),)), protocol, images={"ct": 60}, effects=WORDS)
    found = written(tmp_path, [*versions[:3], other])
    assert [r.data for r in found.runs] == ["A", "A", "A", "B"]
    own = audit(found, JUMPED)
    assert [(p.joined, p.apart) for p in own.points[2:]] == [(True, ""), (False, "data B instead of A")]
    assert own.trend.runs == [1, 2, 3]
    assert {event.caveat for event in found.events if event.run == 4} == {"data B instead of A"}
    assert any("No line joins effects on two sets" in note for note in found.notes)


def test_the_same_pixels_of_other_patients_are_other_data(tmp_path, versions):
    items = [item.model_copy(update={"cluster": f"x{i // 2}"}) for i, item in enumerate(versions[2].answers.items)]
    from auditkit.measure.recorded import answers_sha256

    answers = versions[2].answers.model_copy(update={"items": items, "sha256": answers_sha256(items)})
    by = [
        m.model_copy(update={"n_clusters": len({i.cluster for i in items if i.modality == m.modality})})
        for m in versions[2].data.modalities
    ]
    data = versions[2].data.model_copy(update={"n_clusters": len({i.cluster for i in items}), "modalities": by})
    moved = versions[2].model_copy(update={"answers": answers, "data": data})
    assert [r.data for r in written(tmp_path, [*versions[:2], moved]).runs] == ["A", "A", "B"]


def test_a_part_of_the_audits_is_marked_and_its_line_goes_on_behind_it(tmp_path, protocol, versions):
    part = run(2, Version(2), protocol, images=IMAGES, effects=WORDS[:1], not_run=[e.name for e in WORDS[1:]])
    found = written(tmp_path, [versions[0], part, versions[2], versions[3]])
    assert [r.n_not_run for r in found.runs] == [0, 2, 0, 0]
    missing = audit(found, f"metadata/{WORDS[1].name}")
    assert [(p.run, p.joined) for p in missing.points] == [(1, False), (3, True), (4, True)]
    assert any(note.startswith("Run 2 is a part") for note in found.notes)


def test_two_versions_have_no_trend(tmp_path, versions):
    found = written(tmp_path, versions[:2])
    assert all(one.trend is None for one in found.audits)
    assert any("takes three versions" in sentence for sentence in found.sentences)


def test_runs_of_one_version_are_one_version(tmp_path, versions):
    same = {"revision": "v1", "fingerprint": "00000001"}
    again = [e.model_copy(update={"model": e.model.model_copy(update=same)}) for e in versions[:3]]
    found = written(tmp_path, again)
    assert [r.version for r in found.runs] == [1, 1, 1]
    assert all(one.trend is None for one in found.audits)
    assert any("several runs" in note for note in found.notes)


def test_every_answer_the_same_is_no_trend_and_no_error(tmp_path, protocol, versions):
    one = versions[0]
    copies = [one.model_copy(update={"run": e.run, "model": e.model}) for e in versions[:4]]
    trend = audit(written(tmp_path, copies), CALM).trend
    assert (trend.estimate.value, trend.p, trend.named, trend.fit) == (0.0, 1.0, False, None)


def test_the_order_of_the_records_on_the_disk_changes_nothing(tmp_path, versions):
    one = written(tmp_path / "a", versions[:4])
    other = written(tmp_path / "b", versions[3::-1])
    update = {"folder": ""}
    assert one.model_copy(update=update) == other.model_copy(update=update)


@pytest.mark.parametrize(
    ("verb", "before", "after", "side"),
    [
        ("within", 1.0, 2.0, "worse"),
        ("within", -1.0, -2.0, "worse"),
        ("within", -3.0, 2.0, "better"),
        ("at_most", 0.1, 0.2, "worse"),
        ("at_most", -1.0, -2.0, "better"),
        ("at_least", 0.9, 0.8, "worse"),
        ("at_least", 0.8, 0.9, "better"),
        ("", 1.0, 2.0, ""),
        ("within", 1.0, 1.0, ""),
    ],
)
def test_which_way_is_worse_follows_from_the_limit(verb, before, after, side):
    assert turned(verb, before, after) == side


def test_the_sentence_of_the_drifting_words_is_about_those(versions):
    """The made-up drift is in the sentence that the test names: a guard of the helper, not of the package."""
    assert DRIFTING.split(".")[1] in DRIFTED
